// What updates are worth, and whether buyers are honest about them.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_valuation{
    {.name = "value", .title = "value of an update by the market's valuation"},
    {.name = "value_error", .title = "standard error of the value of an update"},
    {.name = "valuation_evaluations",
     .title = "models evaluated for the valuation",
     .unit = "count",
     .better = Better::smaller},
    {.name = "valuation_flops", .title = "work of the valuation", .unit = "flop", .better = Better::smaller},
    {.name = "leave_one_out", .title = "test accuracy that an update adds to the others", .unit = "share"},
    {.name = "reward_correlation",
     .title = "correlation of payment and contribution",
     .better = Better::larger,
     .variant = ", {}"},
    {.name = "reward_rank_correlation",
     .title = "rank correlation of payment and contribution",
     .better = Better::larger,
     .variant = ", {}"},
    {.name = "denied",
     .title = "updates used that a cheating buyer calls rejected",
     .unit = "count",
     .better = Better::smaller},
    {.name = "audited", .title = "whether the round was audited (1)", .unit = "count"},
    {.name = "audit_findings", .title = "updates found used and unpaid", .unit = "count"},
};

}  // namespace
}  // namespace souk
