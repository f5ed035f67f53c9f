// How updates travel.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_communication{
    {.name = "communication.error",
     .title = "share of an update's length that its codec leaves out",
     .better = Better::smaller,
     .of_each_round = true,
     .shown = {{"run_page", 130}}},
    {.name = "secure.groups",
     .title = "groups that mask their updates together",
     .unit = "count",
     .of_each_round = true},
    {.name = "secure.lost_groups",
     .title = "groups too small to unmask their sum",
     .unit = "count",
     .better = Better::smaller,
     .of_each_round = true},
    {.name = "secure.cut_share",
     .title = "values cut at the greatest magnitude",
     .unit = "share",
     .better = Better::smaller,
     .of_each_round = true},
};

}  // namespace
}  // namespace souk
