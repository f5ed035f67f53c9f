// What judging models takes.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_judging{
    {.name = "root_samples", .title = "root data", .unit = "samples"},
    {.name = "judging_flops_server", .title = "work of judging, server", .unit = "flop", .better = Better::smaller},
    {.name = "judging_flops_validators",
     .title = "work of judging, validators",
     .unit = "flop",
     .better = Better::smaller},
};

}  // namespace
}  // namespace souk
