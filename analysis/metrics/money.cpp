// Who paid how much, and what for.
#include "analysis/metrics/metric.hpp"

namespace souk {
namespace {

const RegisterMetrics register_money{
    {.name = "bought", .title = "updates bought", .unit = "count"},
    {.name = "spent", .title = "cost of the round", .unit = "credits", .better = Better::smaller},
    {.name = "spent_on_benign", .title = "paid to benign sellers in the round", .unit = "credits"},
    {.name = "spent_on_malicious",
     .title = "paid to malicious sellers in the round",
     .unit = "credits",
     .better = Better::smaller},
    {.name = "spent_total",
     .title = "paid to sellers so far",
     .unit = "credits",
     .better = Better::smaller,
     .shown = {{"buyers", 40}}},
    {.name = "benign_income", .title = "income of benign sellers so far", .unit = "credits", .better = Better::larger},
    {.name = "malicious_income",
     .title = "income of malicious sellers so far",
     .unit = "credits",
     .better = Better::smaller},
    {.name = "malicious_income_share",
     .title = "share of the income that attackers earned",
     .unit = "share",
     .better = Better::smaller,
     .shown = {{"robustness", 30}, {"runs", 130}, {"overview", 80}, {"buyers", 30}},
     .query = "SELECT l.run, 1.0 * total(l.micro_credits) FILTER (WHERE a.attacker_group >= 0) / "
              "nullif(sum(l.micro_credits), 0)"
              " FROM ledger l JOIN buyer USING (run, buyer) JOIN attacked USING (run)"
              " JOIN agent a ON a.run = l.run AND a.agent = l.payee WHERE l.kind = 'payment' GROUP BY l.run",
     .of_buyers = true},
    {.name = "royalties",
     .title = "credits for answers that went to sellers",
     .unit = "credits",
     .of_each_round = true},
    {.name = "budget_leakage",
     .title = "paid to malicious sellers so far",
     .unit = "credits",
     .better = Better::smaller},
    {.name = "benign_surplus",
     .title = "income of benign sellers less their costs",
     .unit = "credits",
     .better = Better::larger},
    {.name = "benign_malicious_ratio",
     .title = "mean income of benign over that of malicious sellers",
     .better = Better::larger},
    {.name = "price_variance", .title = "variance of the mean price of an update over rounds", .unit = "credits²"},
    {.name = "income_variance", .title = "variance of a seller's income over rounds, mean", .unit = "credits²"},
    {.name = "cost_of_convergence",
     .title = "credits spent until the test accuracy was reached",
     .unit = "credits",
     .better = Better::smaller,
     .variant = ", {} %"},
    {.name = "credits_per_point",
     .title = "credits per percentage point of accuracy gained",
     .unit = "credits",
     .better = Better::smaller},
};

}  // namespace
}  // namespace souk
