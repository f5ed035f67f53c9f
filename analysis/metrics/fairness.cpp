// How income is spread, and whether it follows what was given for it.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_fairness{
    {.name = "payment_gini", .title = "Gini's index of the income of benign sellers", .unit = "share"},
    {.name = "payment_gini_of_sellers",
     .title = "Gini's index of the income of benign sellers that have sold",
     .unit = "share"},
    {.name = "payment_jain", .title = "Jain's index of the income of benign sellers", .unit = "share"},
    {.name = "income_size_correlation", .title = "rank correlation of income and samples held"},
    {.name = "income_of_class",
     .title = "what the data of a class earned",
     .unit = "credits",
     .variant = ", {}",
     .of_each_class = true},
    {.name = "individual_rationality",
     .title = "sellers that earned their costs",
     .unit = "share",
     .better = Better::larger},
    {.name = "contribution_reward_correlation",
     .title = "correlation of value and payment in the round",
     .better = Better::larger},
    {.name = "contribution_reward_rank_correlation",
     .title = "rank correlation of value and payment in the round",
     .better = Better::larger},
    {.name = "contribution_income_correlation",
     .title = "correlation of value and income so far",
     .better = Better::larger},
    {.name = "contribution_income_rank_correlation",
     .title = "rank correlation of value and income so far",
     .better = Better::larger},
};

}  // namespace
}  // namespace souk
