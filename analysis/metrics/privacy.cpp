// Differential privacy, what it costs, and what sellers learn of a buyer's root data.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_privacy{
    {.name = "privacy.epsilon",
     .title = "epsilon of what was released so far",
     .better = Better::smaller,
     .shown = {{"curves", 120}, {"run_page", 120}}},
    {.name = "privacy.mean_epsilon",
     .title = "epsilon of a client that has sent something, mean of those with a bound",
     .better = Better::smaller},
    {.name = "privacy.unbounded",
     .title = "clients that have sent something without noise",
     .unit = "count",
     .better = Better::smaller},
    {.name = "privacy.clip", .title = "length that updates are shortened to"},
    {.name = "privacy.clipped_share",
     .title = "updates that were longer than the bound",
     .unit = "share",
     .of_each_round = true},
    {.name = "root.epsilon",
     .title = "epsilon of all root updates so far, for a root sample",
     .better = Better::smaller,
     .shown = {{"run_page", 125}}},
    {.name = "root.sales_epsilon",
     .title = "epsilon of all sales told so far, for the whole root data",
     .better = Better::smaller},
    {.name = "saved_by_noise",
     .title = "credits that updates earned less for their noise",
     .unit = "credits",
     .of_each_round = true},
    {.name = "sold_without_noise", .title = "updates bought without noise", .unit = "count", .of_each_round = true},
    {.name = "credits_per_epsilon",
     .title = "earned by noised updates for each unit of their sellers' epsilon",
     .unit = "credits",
     .of_each_round = true},
    {.name = "turned_sales", .title = "sales told the other way round", .unit = "count", .of_each_round = true},
    {.name = "class_share_error",
     .title = "total variation of the claimed class shares from the buyer's",
     .better = Better::larger,
     .of_attacks = true},
    {.name = "class_share_guess",
     .title = "total variation of equal class shares from the buyer's",
     .of_attacks = true},
    {.name = "class_share_limit",
     .title = "total variation that unbiased estimates of class shares can expect at least",
     .of_attacks = true},
    {.name = "baseline_cosine",
     .title = "cosine of the claimed direction with the root update",
     .better = Better::smaller,
     .of_attacks = true},
};

}  // namespace
}  // namespace souk
