// Whose updates are bought, and how that changes over rounds.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_sales{
    {.name = "malicious_selection_rate",
     .title = "sales that malicious sellers made",
     .unit = "share",
     .better = Better::smaller},
    {.name = "selection_entropy", .title = "entropy of the sales over sellers", .unit = "nats"},
    {.name = "benign_selection_rate",
     .title = "benign updates that were bought",
     .unit = "share",
     .better = Better::larger},
    {.name = "selection_stability", .title = "overlap of the sellers of neighbouring rounds", .unit = "share"},
    {.name = "divergence_selection_correlation",
     .title = "correlation of an update's distance from the buyer's own and its sale"},
    {.name = "longest_sales_streak", .title = "longest streak of sales of a seller, mean", .unit = "rounds"},
    {.name = "mean_sales_streak", .title = "mean streak of sales of a seller, mean", .unit = "rounds"},
    {.name = "rounds_to_first_sale", .title = "round of a seller's first sale, mean", .unit = "rounds"},
    {.name = "never_sold", .title = "sellers that have not sold", .unit = "share"},
};

}  // namespace
}  // namespace souk
