// Money: the ledger, payments, and what a market records.
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include <gmock/gmock.h>

#include "agents/market/ledger.hpp"
#include "agents/market/market_desk.hpp"
#include "agents/market/payment.hpp"
#include "agents/protocols/federated.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/inequality.hpp"
#include "sim/base/random.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

using testing::ElementsAre;

ResolvedScenario resolve(const std::string& text) { return resolve_scenario({"test", text, {}}); }

std::vector<MicroCredits> paid(const std::string& market, const std::vector<Purchase>& bought, MicroCredits available) {
  return make_payment_rule(resolve("market { " + market + " }").scenario->market())->pay(bought, available);
}

const std::vector<Purchase> three{{{4}, 0.5, 0.9}, {{7}, 0.3, -0.2}, {{9}, 0.2, 0.25}};

TEST(Payment, follows_its_formula) {
  EXPECT_THAT(paid("unit_price { price: 1.5 }", three, 9'000'000), ElementsAre(1'500'000, 1'500'000, 1'500'000));
  EXPECT_THAT(paid("equal_split {}", three, 10), ElementsAre(4, 3, 3));
  EXPECT_THAT(paid("weight_proportional {}", three, 1'000'000), ElementsAre(500'000, 300'000, 200'000));
  EXPECT_THAT(paid("quality { base: 2 bonus: 10 }", three, 36'000'000), ElementsAre(11'000'000, 2'000'000, 4'500'000));
  for (const char* rule : {"unit_price {}", "equal_split {}", "weight_proportional {}", "quality {}"}) {
    EXPECT_TRUE(paid(rule, {}, 1000).empty());
  }
}

TEST(SplitExactly, gives_away_every_millionth_and_stays_within_one_of_the_exact_part) {
  Stream random(5, Purpose::aggregation, nobody, {});
  for (int trial = 0; trial < 2000; ++trial) {
    const auto amount = static_cast<MicroCredits>(random.uniform() * 1e15);
    std::vector<double> shares(1 + random.below(40));
    for (double& share : shares) share = random.below(4) == 0 ? 0.0 : random.uniform();
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    const std::vector<MicroCredits> parts = split_exactly(amount, shares);
    if (sum == 0.0) {
      EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), MicroCredits{0}), 0);
      continue;
    }
    EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), MicroCredits{0}), amount);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(parts[i]), static_cast<double>(amount) * shares[i] / sum, 2.0);
      EXPECT_TRUE(shares[i] > 0.0 || parts[i] == 0);
    }
  }
}

TEST(Inequality, has_its_closed_forms) {
  EXPECT_DOUBLE_EQ(jain({3, 3, 3, 3}), 1.0);
  EXPECT_DOUBLE_EQ(jain({0, 0, 5, 0}), 0.25);
  EXPECT_DOUBLE_EQ(jain({1, 2}), 0.9);
  EXPECT_DOUBLE_EQ(entropy({2, 2, 2}), std::log(3.0));
  EXPECT_DOUBLE_EQ(entropy({0, 7}), 0.0);
  EXPECT_NEAR(entropy({1, 3}), -0.25 * std::log(0.25) - 0.75 * std::log(0.75), 1e-15);
}

/// Balances by booking the rows anew, and what never may happen.
class Auditor {
 public:
  void check(const RoundRecord& record) {
    for (const TransferRow& row : record.transfers) {
      EXPECT_GT(row.micro_credits, 0);
      if (row.payer == row.payee) {
        EXPECT_EQ(row.kind, "issue");
        issued_ += row.micro_credits;
      } else {
        balances_[row.payer] -= row.micro_credits;
        EXPECT_GE(balances_[row.payer], 0) << row.kind;
      }
      balances_[row.payee] += row.micro_credits;
    }
    MicroCredits sum = 0;
    for (const auto& [account, balance] : balances_) sum += balance;
    EXPECT_EQ(sum, issued_);
    EXPECT_EQ(balances_[account::market], 0) << "escrow is closed";
  }
  MicroCredits income_of_sellers() const {
    MicroCredits sum = 0;
    for (const auto& [account, balance] : balances_) sum += account >= 0 ? balance : 0;
    return sum;
  }
  MicroCredits issued() const { return issued_; }

 private:
  std::map<std::int64_t, MicroCredits> balances_{{account::market, 0}};
  MicroCredits issued_ = 0;
};

TEST(Market, conserves_money_whatever_happens) {
  Stream random(11, Purpose::aggregation, nobody, {});
  const char* payments[] = {"unit_price { price: 0.7 }", "equal_split {}", "weight_proportional {}",
                            "quality { base: 0.1 bonus: 2 }"};
  for (int trial = 0; trial < 2000; ++trial) {
    const std::size_t sellers = 1 + random.below(12);
    const double budget = random.below(3) == 0 ? 0.0 : random.uniform() * 30.0;
    const ResolvedScenario scenario =
        resolve(fmt::format("market {{ {} budget: {} round_budget: {} }}", payments[random.below(4)], budget,
                            0.001 + random.uniform() * 8.0));
    std::vector<bool> malicious(sellers);
    for (std::size_t i = 0; i < sellers; ++i) malicious[i] = random.below(3) == 0;
    auto desk = std::make_unique<MarketDesk>(scenario.scenario->market(), malicious);
    Auditor auditor;
    for (int round = 1; round <= 6; ++round) {
      RoundRecord record;
      const std::size_t affordable = desk->open_round(sellers, record);
      EXPECT_LE(affordable, sellers);
      if (affordable > 0) {
        std::vector<Delivery> deliveries;
        for (std::uint32_t id = 0; id < affordable; ++id) {
          if (random.below(5) == 0) continue;  // never arrived
          deliveries.push_back(
              {{id}, random.below(3) == 0 ? 0.0 : random.uniform(), 2.0 * random.uniform() - 1.0, 0, 0});
        }
        desk->settle(deliveries, record);
        const double spent = record.metric("spent").value();
        EXPECT_NEAR(record.metric("spent_total").value(), to_credits(auditor.income_of_sellers()) + spent, 1e-6);
      }
      auditor.check(record);
      EXPECT_TRUE(budget == 0.0 || auditor.issued() <= to_micro(budget));
      // Saved and loaded, it goes on as if nothing had happened.
      SaveArchive saved;
      desk->serialize(saved);
      desk = std::make_unique<MarketDesk>(scenario.scenario->market(), malicious);
      LoadArchive load(saved.bytes());
      desk->serialize(load);
      load.expect_end();
    }
  }
}

TEST(Market, asks_no_more_sellers_than_it_can_pay) {
  const ResolvedScenario scenario = resolve("market { unit_price { price: 2 } budget: 7 }");
  MarketDesk desk(scenario.scenario->market(), std::vector<bool>(10, false));
  RoundRecord first, second;
  EXPECT_EQ(desk.open_round(10, first), 3u);
  desk.settle(std::vector<Delivery>{{{0}, 1.0}, {{1}, 1.0}, {{2}, 0.5}}, first);
  EXPECT_EQ(desk.open_round(10, second), 0u);  // one credit is left
  ASSERT_EQ(second.events.size(), 1u);
  EXPECT_EQ(second.events[0].kind, "budget spent");
  EXPECT_EQ(desk.ledger().balance(account::buyer), 1'000'000);
  EXPECT_THROW(MarketDesk(resolve("market { equal_split {} }").scenario->market(), {}), InputError);
}

TEST(Market, records_what_its_formulas_say) {
  const ResolvedScenario scenario =
      resolve("market { unit_price {} costs { per_round: 1.5 per_gflop: 2 per_megabyte: 4 } }");
  MarketDesk desk(scenario.scenario->market(), {false, false, false, true});
  RoundRecord first, second;
  desk.open_round(4, first);
  desk.settle(std::vector<Delivery>{{{0}, 0.5}, {{1}, 0.0}, {{3}, 0.5}}, first);
  EXPECT_EQ(first.metric("spent"), 2.0);
  EXPECT_EQ(first.metric("spent_on_malicious"), 1.0);
  EXPECT_EQ(first.metric("malicious_selection_rate"), 0.5);
  EXPECT_EQ(first.metric("malicious_income_share"), 0.5);
  EXPECT_NEAR(*first.metric("payment_gini"), 2.0 / 3.0, 1e-12);  // benign incomes 1, 0, 0
  EXPECT_EQ(first.metric("payment_gini_of_sellers"), 0.0);
  EXPECT_NEAR(*first.metric("benign_malicious_ratio"), 1.0 / 3.0, 1e-12);
  EXPECT_EQ(first.metric("individual_rationality"), 0.25);  // only seller 2, who took no part, lost nothing
  EXPECT_EQ(first.metric("selection_stability"), std::nullopt);
  desk.note_accuracy(0.81, first);
  EXPECT_EQ(first.metric("cost_of_convergence.80"), 2.0);
  EXPECT_EQ(first.metric("cost_of_convergence.85"), std::nullopt);
  desk.open_round(4, second);
  desk.settle(std::vector<Delivery>{{{0}, 1.0, 0.0, 1e9, 1e6}, {{1}, 1.0}, {{2}, 1.0}}, second);
  EXPECT_EQ(second.metric("spent_total"), 5.0);
  EXPECT_EQ(second.metric("malicious_selection_rate"), 0.2);
  EXPECT_EQ(second.metric("selection_stability"), 0.25);  // {0, 3} and {0, 1, 2}
  EXPECT_NEAR(*second.metric("selection_entropy"), -(0.4 * std::log(0.4) + 3 * 0.2 * std::log(0.2)), 1e-12);
  EXPECT_NEAR(*second.metric("payment_jain"), 16.0 / 18.0, 1e-12);  // 2, 1, 1
  desk.note_accuracy(0.5, second);
  EXPECT_EQ(second.metric("cost_of_convergence.80"), 2.0);  // once reached, it stays
}

class Recorder final : public MetricSink {
 public:
  void describe(const std::map<std::string, std::string>&) override {}
  void commit_set_up(const SetUpRecord& record) override { set_up = record; }
  void commit(const RoundRecord& record) override { rounds.push_back(record); }
  void rewind(RoundIndex) override {}
  SetUpRecord set_up;
  std::vector<RoundRecord> rounds;
};

Recorder run(const std::string& text, int ranks = 1) {
  const ResolvedScenario resolved = resolve(text);
  Recorder recorder;
  run_team(ranks, [&](const Comm& comm) {
    const auto protocol = make_federated(comm, *resolved.scenario, "cpu");
    run_rounds(comm, *protocol, comm.rank() == 0 ? &recorder : nullptr, nullptr, std::nullopt,
               {.rounds = resolved.scenario->rounds(), .scenario_text = text});
  });
  return recorder;
}

std::string market_run(const std::string& market, const std::string& more = "") {
  return "rounds: 5 task { data { glyphs { train_samples: 600 test_samples: 100 } } model { mlp { hidden: 16 } } "
         "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 8 everyone: true } " +
         more + " market { " + market + " }";
}

TEST(Market, pays_whom_the_rule_selects_and_nobody_else) {
  const Recorder market =
      run(market_run("unit_price {}", "aggregator { multi_krum { f: 2 } } attacks { count: 2 sign_flip {} }"));
  ASSERT_EQ(market.rounds.size(), 5u);
  Auditor auditor;
  for (const RoundRecord& round : market.rounds) {
    auditor.check(round);
    std::set<std::int64_t> selected, paid_sellers;
    for (const SelectionRow& row : round.selections) {
      if (row.weight > 0.0) selected.insert(row.agent.value);
    }
    for (const TransferRow& row : round.transfers) {
      if (row.kind == "payment") paid_sellers.insert(row.payee);
    }
    EXPECT_EQ(selected, paid_sellers);
    EXPECT_EQ(round.metric("bought"), static_cast<double>(selected.size()));
    EXPECT_LT(selected.size(), 8u);
  }
  EXPECT_EQ(market.set_up.agents.front().role, "seller");
}

TEST(Market, ends_when_the_budget_is_spent) {
  const Recorder market = run(market_run("unit_price {} budget: 20"));
  ASSERT_EQ(market.rounds.size(), 4u);  // 8, 8, 4, and nothing
  EXPECT_EQ(market.rounds[2].metric("bought"), 4.0);
  EXPECT_EQ(market.rounds[2].selections.size(), 4u);  // nobody is asked in vain
  EXPECT_EQ(market.rounds[3].stop, "budget");
  EXPECT_EQ(market.rounds[3].metric("spent"), std::nullopt);
}

TEST(Market, books_the_same_on_any_number_of_ranks_and_leaves_training_alone) {
  const std::string text = market_run("quality {}", "aggregator { fltrust {} } attacks { count: 2 sign_flip {} }");
  const Recorder one = run(text), three_ranks = run(text, 3);
  ASSERT_EQ(one.rounds.size(), three_ranks.rounds.size());
  for (std::size_t r = 0; r < one.rounds.size(); ++r) {
    ASSERT_EQ(one.rounds[r].transfers.size(), three_ranks.rounds[r].transfers.size());
    for (std::size_t t = 0; t < one.rounds[r].transfers.size(); ++t) {
      EXPECT_EQ(one.rounds[r].transfers[t].micro_credits, three_ranks.rounds[r].transfers[t].micro_credits);
      EXPECT_EQ(one.rounds[r].transfers[t].payee, three_ranks.rounds[r].transfers[t].payee);
    }
  }
  const Recorder gift = run(text.substr(0, text.find("market {")));
  for (std::size_t r = 0; r < one.rounds.size(); ++r) {
    EXPECT_EQ(one.rounds[r].metric("loss"), gift.rounds[r].metric("loss"));
    EXPECT_TRUE(gift.rounds[r].transfers.empty());
  }
}

TEST(Market, pays_by_the_cosine_with_the_buyers_own_update) {
  const Recorder market =
      run(market_run("quality { base: 1 bonus: 4 }", "attacks { count: 2 sign_flip { scale: 1 } }"));
  const std::map<std::int64_t, std::int64_t> group = [&] {
    std::map<std::int64_t, std::int64_t> groups;
    for (const AgentRow& agent : market.set_up.agents) groups[agent.agent.value] = agent.attacker_group;
    return groups;
  }();
  int benign_above_base = 0;
  for (const TransferRow& row : market.rounds.front().transfers) {
    if (row.kind != "payment") continue;
    EXPECT_TRUE(group.at(row.payee) < 0 || row.micro_credits == 1'000'000) << "turned round: no bonus";
    if (group.at(row.payee) < 0 && row.micro_credits > 1'000'000) ++benign_above_base;
    EXPECT_LE(row.micro_credits, 5'000'000);
  }
  EXPECT_EQ(benign_above_base, 6);
}

}  // namespace
}  // namespace souk
