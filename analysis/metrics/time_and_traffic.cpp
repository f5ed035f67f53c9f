// What whole runs took. They are recorded in tables of their own.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_time_and_traffic{
    {.name = "seconds",
     .title = "time taken",
     .unit = "seconds",
     .better = Better::smaller,
     .query = "SELECT run, seconds FROM run"},
    {.name = "bytes",
     .title = "traffic",
     .unit = "bytes",
     .better = Better::smaller,
     .query = "SELECT run, sum(bytes) FROM traffic GROUP BY run"},
    {.name = "virtual_time",
     .title = "time on the virtual clock",
     .unit = "seconds",
     .better = Better::smaller,
     .query = "SELECT run, max(virtual_time) FROM round GROUP BY run"},
    {.name = "rounds_done", .title = "rounds done", .unit = "rounds", .query = "SELECT run, rounds_done FROM run"},
};

}  // namespace
}  // namespace souk
