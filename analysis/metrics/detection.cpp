// What attacks reach, and what rules make of them.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_detection{
    {.name = "asr",
     .title = "attack success rate",
     .unit = "share",
     .better = Better::smaller,
     .variant = ", group {}",
     .shown = {{"robustness", 10}, {"curves", 40}, {"runs", 60}, {"overview", 60}, {"buyers", 10}, {"run_page", 40}}},
    {.name = "asr_of_correct",
     .title = "attack success rate on samples otherwise right",
     .unit = "share",
     .better = Better::smaller,
     .variant = ", group {}"},
    {.name = "tpr",
     .title = "malicious updates rejected",
     .unit = "share",
     .better = Better::larger,
     .of_each_round = true,
     .shown = {{"curves", 100}, {"runs", 100}, {"run_page", 90}}},
    {.name = "tnr",
     .title = "benign updates kept",
     .unit = "share",
     .better = Better::larger,
     .of_each_round = true,
     .shown = {{"curves", 110}, {"runs", 110}, {"run_page", 100}}},
    {.name = "malicious_updates", .title = "malicious updates that arrived", .unit = "count"},
    {.name = "tolerated_f", .title = "malicious updates the rule is told of", .unit = "count", .shown = {{"runs", 90}}},
    {.name = "malicious_weight_share",
     .title = "share of the weight that attackers got",
     .unit = "share",
     .better = Better::smaller,
     .shown = {{"robustness", 20}, {"runs", 120}, {"overview", 70}, {"buyers", 20}},
     .query = "SELECT s.run, sum(weight) FILTER (WHERE malicious) / nullif(sum(weight), 0) FROM selection_summary s"
              " JOIN buyer USING (run, buyer) JOIN attacked USING (run) GROUP BY s.run",
     .of_buyers = true},
    {.name = "identity_cost",
     .title = "credits that attackers spent on new identities",
     .unit = "credits",
     .of_attacks = true},
};

}  // namespace
}  // namespace souk
