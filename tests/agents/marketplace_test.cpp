// Markets end to end: several buyers, buyers that cheat, auctions, valuations, rewards; the same on any number of ranks
// and after a break.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include <gmock/gmock.h>

#include "agents/cast/root_data.hpp"
#include "agents/market/ledger.hpp"
#include "agents/market/reward_models.hpp"
#include "agents/simulation.hpp"
#include "agents/training/model_judge.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/hash.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

using testing::HasSubstr;

// What must not compile: a rule that asks for test data, a judge that takes anything but root data.
template <class Door>
concept OffersTestData = requires(Door& door, const ColumnMatrix& steps) {
  door.on_test(steps);
}
|| requires(Door& door) { door.test; };
static_assert(!OffersTestData<LossOracle> && !OffersTestData<RuleInput>);
static_assert(!std::is_convertible_v<std::vector<SampleIndex>, RootSamples>);
static_assert(!std::is_constructible_v<ModelJudge, const Comm&, Network&, const Dataset&, std::vector<SampleIndex>,
                                       const Validators&, std::uint64_t, ModelJudge::JudgedRound>);

class Rounds final : public MetricSink {
 public:
  void describe(const std::map<std::string, std::string>&) override {}
  void commit_set_up(const SetUpRecord& record) override { set_up = record; }
  void commit(const RoundRecord& record) override { rounds.push_back(record); }
  void rewind(RoundIndex) override {}
  SetUpRecord set_up;
  std::vector<RoundRecord> rounds;
  std::string hash;

  /// Everything but times, as text.
  std::string text() const {
    std::string all = hash;
    for (const RoundRecord& round : rounds) {
      for (const MetricValue& m : round.metrics) {
        all += fmt::format("{} {} {} {} {:a}\n", round.round.value, m.name, m.agent, m.label, m.value);
      }
      for (const TransferRow& t : round.transfers) {
        all += fmt::format("{} {} {} {}\n", t.kind, t.payer, t.payee, t.micro_credits);
      }
      for (const SelectionRow& s : round.selections) all += fmt::format("{} {}\n", s.agent.value, to_string(s.outcome));
      for (const EventRow& e : round.events) all += fmt::format("{} {} {}\n", e.kind, e.agent, e.text);
    }
    return all;
  }
  double sum(const std::string& metric) const {
    double total = 0.0;
    for (const RoundRecord& round : rounds) total += round.metric(metric).value_or(0.0);
    return total;
  }
};

std::string market(const std::string& market, const std::string& more = "") {
  return "rounds: 4 task { data { glyphs { train_samples: 700 test_samples: 100 } } model { mlp { hidden: 12 } } "
         "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 8 everyone: true } "
         "root { samples: 60 } " +
         more + " market { " + market + " }";
}

Rounds run(const std::string& text, int ranks = 1) {
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  Rounds result;
  run_team(ranks, [&](const Comm& comm) {
    const auto protocol = make_simulation(comm, *resolved.scenario, "cpu");
    run_rounds(comm, *protocol, comm.rank() == 0 ? &result : nullptr, nullptr, std::nullopt,
               {.rounds = resolved.scenario->rounds(), .scenario_text = text});
    if (comm.rank() == 0) result.hash = sha256_hex(protocol->parameters());
  });
  return result;
}

std::string refusal(const std::string& text) {
  try {
    run(text);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

const std::map<std::string, std::string> kinds{
    {"two buyers, one cheats",
     market("unit_price {} rivals { name: \"b\" aggregator { fltrust {} } root { samples: 30 } "
            "misconduct { collusion { seller: 3 } } }",
            "aggregator { martfl {} } attacks { count: 2 sign_flip {} }")},
    {"exclusive sales", market("quality {} sale: EXCLUSIVE rivals { name: \"b\" aggregator { median {} } }")},
    {"valuation by sampling", market("contribution_proportional {} round_budget: 9 tmc_shapley { permutations: 4 } "
                                     "replication_penalty: 0.5 payment_noise: 0.2")},
    {"valuation by the rule", market("unit_price {} loo {} worth { step: RULE }", "aggregator { martfl {} }")},
    {"an auction",
     market("budget_feasible {} round_budget: 3 costs { per_round: 0.4 sigma: 0.5 } assessment { every: 2 }")},
    {"deposits, denial, audits",
     market("deposit_penalty { buyer_deposit: 2 seller_deposit: 1 } round_budget: 4 misconduct { underpay {} } "
            "audit { probability: 1 } sellers { capital: 10 }")},
    {"churn", market("posted_price { price: 1 } costs { per_round: 0.9 sigma: 0.4 } "
                     "sellers { churn { departure: 0.3 arrival: 0.5 } min_reputation: 0.5 adaptive_ask {} }",
                     "aggregator { multi_krum { f: 2 } }")},
    {"models for money", market("sparsified_model {} cgsv {}")},
};

TEST(Marketplace, gives_the_same_bits_on_any_number_of_ranks) {
  for (const auto& [name, text] : kinds) {
    const std::string one = run(text).text();
    EXPECT_EQ(one, run(text, 2).text()) << name;
    EXPECT_EQ(one, run(text, 3).text()) << name;
  }
}

/// Saves the state after every round, and goes on from it in a new protocol on another number of ranks.
TEST(Marketplace, goes_on_after_a_break_as_if_there_had_been_none) {
  for (const auto& [name, text] : kinds) {
    const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
    std::vector<std::byte> state;
    std::string hash;
    for (std::uint32_t round = 1; round <= resolved.scenario->rounds(); ++round) {
      run_team(1 + static_cast<int>(round % 3), [&](const Comm& comm) {
        const auto protocol = make_simulation(comm, *resolved.scenario, "cpu");
        if (!state.empty()) {
          LoadArchive load(state);
          protocol->serialize(load);
          load.expect_end();
        }
        comm.barrier();
        RoundRecord record;
        record.round = {round};
        const std::optional<InjectedFault> no_fault;
        Phases phases(comm, {round}, no_fault);
        protocol->run_round({round}, round == resolved.scenario->rounds(), phases, record);
        SaveArchive save;
        protocol->serialize(save);
        if (comm.rank() != 0) return;
        state = save.bytes();
        hash = sha256_hex(protocol->parameters());
      });
    }
    EXPECT_EQ(hash, run(text).hash) << name;
  }
}

/// A first buyer that reaches its target in round 3, and a rival without a defence that learns nothing, and whose model
/// an attack ruins in the round given.
Rounds run_with_ruined_rival(int ruined_in) {
  const std::string before = std::to_string(ruined_in - 1), in = std::to_string(ruined_in);
  std::string text =
      market("unit_price {} rivals { name: \"b\" aggregator { mean {} } }",
             "aggregator { median {} } "
             "evaluation { every: 3 target_accuracy: 0.2 stop_at_target: true } " +
                 (ruined_in == 1 ? "" : "attacks { count: 1 sign_flip { scale: 30 } to_round: " + before + " } ") +
                 "attacks { count: 1 scaling { factor: 1e25 } from_round: " + in + " }");
  text.replace(text.find("rounds: 4"), 9, "rounds: 9");
  return run(text);
}

TEST(Marketplace, a_run_is_what_became_of_its_first_model) {
  for (const int ruined_in : {1, 2, 3, 4, 5, 6}) {
    const Rounds rounds = run_with_ruined_rival(ruined_in);
    EXPECT_EQ(rounds.rounds.back().stop, Stop::target) << ruined_in;
    EXPECT_LT(rounds.rounds.size(), 9) << ruined_in;
    std::set<std::string> said;
    for (const RoundRecord& round : rounds.rounds) {
      for (const EventRow& event : round.events) {
        if (event.kind.ends_with("stopped")) said.insert(event.kind + ": " + event.text);
      }
    }
    EXPECT_THAT(said, testing::ElementsAre("buyer.b.stopped: the buyer is done: diverged",
                                           "stopped: the buyer is done: target"));
  }
}

/// Model evaluations in a round that the estimate counts, from its flops and those of the test set.
double judged(const std::string& text) {
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  const RunEstimate need = make_simulation(Comm::self(), *resolved.scenario, "cpu")->estimate(1);
  return std::round(need.judging_flops() / (need.flops_per_test / 100.0));
}

TEST(Marketplace, estimates_count_the_models_that_rules_and_valuations_judge) {
  // 8 sellers, 60 root samples.
  EXPECT_EQ(judged(market("unit_price {}")), 0.0);
  EXPECT_EQ(judged(market("unit_price {} loo {}")), 9 * 60);
  EXPECT_EQ(judged(market("unit_price {} shapley {}")), 256 * 60);
  EXPECT_EQ(judged(market("unit_price {} tmc_shapley { permutations: 5 }")), 40 * 60);
  EXPECT_EQ(judged(market("unit_price {}", "aggregator { martfl {} }")), 9 * 60);
  // Every one of 8 validators holds out three tenths of 80 samples.
  const double validated =
      judged(market("unit_price {}", "aggregator { flshield {} } validators { holdout: 0.3 min_samples: 1 }"));
  EXPECT_NEAR(validated, 9 * 8 * 24, 9 * 8 * 2);
}

TEST(Marketplace, the_last_round_has_everybodys_numbers) {
  const RoundRecord last = run_with_ruined_rival(4).rounds.back();
  EXPECT_EQ(last.round.value, 5);  // in which no test is due
  EXPECT_TRUE(last.metric("accuracy").has_value());
  EXPECT_TRUE(last.metric("buyer.b.accuracy").has_value());
}

TEST(Marketplace, a_rivals_rule_and_lies_leave_the_first_buyers_model_alone) {
  const auto with_rival = [](const std::string& rival) {
    return run(market("unit_price {} rivals { name: \"b\" root { samples: 40 always: true } " + rival + " }",
                      "aggregator { fltrust {} }"))
        .hash;
  };
  const std::string honest = with_rival("aggregator { mean {} }");
  EXPECT_EQ(honest, with_rival("aggregator { fltrust {} } misconduct { dos {} }"));
  EXPECT_EQ(honest, with_rival("aggregator { martfl {} } budget: 5"));
}

TEST(Marketplace, buyers_hold_different_samples_and_record_under_their_names) {
  const Rounds both =
      run(market("unit_price {} rivals { name: \"b\" root { samples: 40 } aggregator { fltrust {} } budget: 12 }",
                 "aggregator { fltrust {} }"));
  std::uint64_t dealt = 0;
  for (const AgentRow& seller : both.set_up.agents) dealt += seller.samples;
  EXPECT_EQ(dealt, 700u - 60u - 40u);
  const RoundRecord& last = both.rounds.back();
  EXPECT_TRUE(last.metric("accuracy") && last.metric("buyer.b.accuracy"));
  EXPECT_NE(last.metric("loss"), last.metric("buyer.b.loss"));
  std::map<std::int64_t, MicroCredits> spent;
  for (const RoundRecord& round : both.rounds) {
    for (const TransferRow& row : round.transfers) {
      if (row.kind == "escrow") spent[row.payer] += row.micro_credits;
      if (row.kind == "refund") spent[row.payee] -= row.micro_credits;
    }
  }
  EXPECT_LE(spent[account::buyer - 1], to_micro(12));
  EXPECT_EQ(to_credits(spent[account::buyer]), both.sum("spent"));
  EXPECT_EQ(to_credits(spent[account::buyer - 1]), both.sum("buyer.b.spent"));
}

TEST(Marketplace, exclusive_sellers_serve_one_buyer_a_round_and_shared_ones_all) {
  for (const bool exclusive : {true, false}) {
    const Rounds both =
        run(market(std::string("unit_price {} rivals { name: \"b\" } sale: ") + (exclusive ? "EXCLUSIVE" : "SHARED")));
    for (const RoundRecord& round : both.rounds) {
      std::map<std::int64_t, std::set<std::int64_t>> buyers_of;
      std::size_t sales = 0;
      std::set<std::int64_t> weighed_by_rival, asked_by_rival;
      for (const SelectionRow& row : round.selections) {
        buyers_of[row.agent.value].insert(row.buyer);
        if (row.buyer == account::buyer - 1) asked_by_rival.insert(row.agent.value);
      }
      sales += round.selections.size();
      for (const MetricValue& m : round.metrics) {
        if (m.name == "buyer.b.weight") weighed_by_rival.insert(m.agent);
      }
      EXPECT_EQ(asked_by_rival, weighed_by_rival);
      // Whom the escrow pays for a buyer is whom that buyer took.
      for (const TransferRow& row : round.transfers) {
        if (row.kind == "payment") {
          EXPECT_TRUE(buyers_of[row.payee].contains(row.buyer)) << row.payee;
        }
        if (row.kind == "escrow") {
          EXPECT_EQ(row.buyer, row.payer);
        }
      }
      EXPECT_EQ(buyers_of.size(), 8u);
      EXPECT_EQ(sales, exclusive ? 8u : 16u);
    }
  }
}

TEST(Marketplace, denial_of_service_buys_nothing_and_leaves_sellers_with_their_costs) {
  const auto rational = [](const std::string& misconduct) {
    return run(market("unit_price {} costs { per_round: 0.5 } " + misconduct, "aggregator { fltrust {} }"))
        .rounds.back()
        .metric("individual_rationality")
        .value();
  };
  EXPECT_GT(rational(""), 0.9);
  EXPECT_EQ(rational("misconduct { dos {} }"), 0.0);
  EXPECT_EQ(run(market("unit_price {} misconduct { dos {} }", "aggregator { fltrust {} }")).sum("spent"), 0.0);
}

TEST(Marketplace, misconduct_keeps_to_its_rounds) {
  const Rounds dos =
      run(market("unit_price {} misconduct { dos {} from_round: 2 to_round: 3 }", "aggregator { fltrust {} }"));
  EXPECT_GT(dos.rounds[0].metric("spent").value(), 0.0);
  EXPECT_EQ(dos.rounds[1].metric("spent"), 0.0);
  EXPECT_EQ(dos.rounds[2].metric("spent"), 0.0);
  EXPECT_GT(dos.rounds[3].metric("spent").value(), 0.0);
}

TEST(Marketplace, an_audit_finds_every_update_used_and_denied_and_the_deposit_goes_to_its_seller) {
  const Rounds honest = run(market("deposit_penalty { buyer_deposit: 3 } round_budget: 4 audit { probability: 1 }"));
  EXPECT_EQ(honest.sum("audited"), 4.0);
  EXPECT_EQ(honest.sum("audit_findings"), 0.0);
  const Rounds cheat =
      run(market("deposit_penalty { buyer_deposit: 3 } round_budget: 4 misconduct { underpay { share: 0.4 } } "
                 "audit { probability: 1 }"));
  EXPECT_EQ(cheat.hash, honest.hash) << "it uses what it denies";
  for (const RoundRecord& round : cheat.rounds) {
    EXPECT_EQ(round.metric("denied"), round.metric("audit_findings"));
    MicroCredits penalty = 0;
    for (const TransferRow& row : round.transfers) penalty += row.kind == "penalty" ? row.micro_credits : 0;
    EXPECT_EQ(penalty, to_micro(3));
  }
  EXPECT_THAT(refusal(market("audit { probability: 1 }", "server { fed_adam {} }")), HasSubstr("market.audit"));
}

TEST(Marketplace, a_buyer_that_denies_keeps_what_it_would_have_paid) {
  for (const char* payment : {"unit_price {}", "equal_split {}", "weight_proportional {}", "deposit_penalty {}"}) {
    const std::string text = std::string(payment) + " round_budget: 8";
    const Rounds honest = run(market(text)), cheat = run(market(text + " misconduct { underpay { share: 0.5 } }"));
    EXPECT_NEAR(honest.sum("spent"), 32.0, 1e-4) << payment;
    EXPECT_NEAR(cheat.sum("spent"), 16.0, 5.0) << payment;  // weights differ a little
    EXPECT_EQ(cheat.sum("bought"), 16.0) << payment;
  }
}

TEST(Marketplace, who_sends_rubbish_has_the_cost_and_loses_its_name) {
  const Rounds rubbish = run(
      market("unit_price {} costs { per_round: 0.5 } sellers { min_reputation: 0.01 }", "attacks { count: 2 nan {} }"));
  EXPECT_EQ(rubbish.rounds.back().metric("individual_rationality"), 6.0 / 8.0);
  std::size_t low = 0;
  for (const MetricValue& m : rubbish.rounds.back().metrics) low += m.name == "reputation" && m.value < 0.7 ? 1 : 0;
  EXPECT_EQ(low, 2u);
}

TEST(Marketplace, models_are_earned_by_what_is_bought) {
  const Rounds rewarded = run(market("sparsified_model {} cosine {}", "aggregator { krum { f: 2 } } "));
  std::map<std::int64_t, double> accuracy, weight;
  for (const MetricValue& m : rewarded.rounds.back().metrics) {
    if (m.name == "reward_accuracy") accuracy[m.agent] = m.value;
  }
  for (const RoundRecord& round : rewarded.rounds) {
    for (const SelectionRow& row : round.selections) weight[row.agent.value] += row.weight.value();
  }
  ASSERT_EQ(accuracy.size(), 8u);
  std::set<double> of_losers;
  for (const auto& [seller, sum] : weight) {
    if (sum == 0.0) of_losers.insert(accuracy[seller]);
  }
  EXPECT_EQ(of_losers.size(), 1u) << "their models are all as they were at the start";
}

TEST(Marketplace, owners_of_biased_roots_are_biased_in_ways_of_their_own) {
  const ResolvedScenario resolved = resolve_scenario({"test", "root { samples: 100 dirichlet_alpha: 0.3 }", {}});
  std::vector<std::int32_t> labels(10000);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 10);
  const auto shares = [&](std::size_t owner) {
    return class_shares(draw_root_data(resolved.scenario->root(), labels, 10, 1, owner).samples(), labels, 10);
  };
  EXPECT_EQ(shares(1), shares(1));
  EXPECT_NE(shares(0), shares(1));
}

TEST(Marketplace, refuses_in_one_sentence_what_could_never_work) {
  for (const auto& [text, sentence] : std::map<std::string, std::string>{
           {"unit_price {} misconduct { from_round: 3 }", "market.misconduct: says when, and not how"},
           {"unit_price {} rivals { misconduct { dos {} from_round: 3 to_round: 2 } }",
            "market.rivals[0].misconduct.to_round = 2: is before from_round = 3"},
           {"unit_price {} misconduct { collusion { seller: 77 } }", "collusion.seller = 77: there are 8 sellers"},
           {"unit_price {} rivals { name: \"A\" }", "lower-case letters"},
           {"unit_price {} rivals { name: \"b\" aggregator { fltrust {} } root { samples: 700 } }",
            "market.rivals[0].root.samples = 700"},
           {"unit_price {} rivals {} rivals {}", "two buyers of one name"},
           {"unit_price { price: 5 } budget: 1", "market.budget = 1: an update may cost 5 credits"},
           {"unit_price {} round_budget: 0.5", "market.round_budget = 0.5: an update may cost 1 credits"},
           {"equal_split {} round_budget: 5 rivals {}", "market.rivals[0].round_budget = 0"},
           {"unit_price {} budget: 1e-7", "less than a millionth of a credit"},
           {"deposit_penalty { seller_deposit: 1 } round_budget: 5", "market.sellers.capital = 0"}}) {
    EXPECT_THAT(refusal(market(text)), HasSubstr(sentence)) << text;
  }
}

TEST(Marketplace, no_sum_of_money_overflows) {
  EXPECT_THAT(refusal("rounds: 14 " + market("equal_split {} round_budget: 1e12").substr(10)),
              HasSubstr("more than nine trillion credits"));
}

TEST(Marketplace, auctions_stay_in_budget_and_buy_from_the_cheap) {
  const Rounds sale = run(market("budget_feasible {} round_budget: 3 costs { per_round: 0.5 sigma: 1 }"));
  std::size_t outbid = 0;
  for (const RoundRecord& round : sale.rounds) {
    EXPECT_LE(round.metric("spent").value(), 3.0);
    for (const SelectionRow& row : round.selections) outbid += row.outcome == SelectionOutcome::outbid ? 1 : 0;
  }
  EXPECT_GT(outbid, 0u);
  EXPECT_GT(sale.sum("spent"), 0.0);
}

TEST(Marketplace, a_buyer_stops_when_its_model_is_good_enough_on_its_own_data) {
  const Rounds easy = run(market("unit_price {} target_accuracy: 0.05"));
  EXPECT_EQ(easy.rounds.size(), 1u);
  EXPECT_EQ(easy.rounds.front().stop, Stop::target);
  // Its rival goes on, and both are tested in the last round.
  const Rounds both = run(market("unit_price {} target_accuracy: 0.05 rivals { name: \"b\" }"));
  ASSERT_EQ(both.rounds.size(), 4u);
  EXPECT_FALSE(both.rounds[1].metric("spent").has_value());
  EXPECT_TRUE(both.rounds[3].metric("accuracy") && both.rounds[3].metric("buyer.b.spent"));
}

TEST(Marketplace, contributions_are_paid_for_and_measured_beside_the_market) {
  const Rounds paid = run(market("contribution_proportional {} round_budget: 10 shapley {} assessment { every: 1 }",
                                 "attacks { count: 2 sign_flip {} }"));
  const RoundRecord& first = paid.rounds.front();
  std::map<std::int64_t, double> value, income;
  for (const MetricValue& m : first.metrics) {
    if (m.name == "value") value[m.agent] = m.value;
  }
  for (const TransferRow& row : first.transfers) {
    if (row.kind == "payment") income[row.payee] = to_credits(row.micro_credits);
  }
  double positive = 0.0;
  for (const auto& [seller, v] : value) positive += std::max(0.0, v);
  ASSERT_GT(positive, 0.0);
  for (const auto& [seller, v] : value) EXPECT_NEAR(income[seller], 10.0 * std::max(0.0, v) / positive, 1e-5);
  EXPECT_EQ(first.metric("valuation_evaluations"), 256.0);
  EXPECT_TRUE(first.metric("reward_correlation.standalone"));
  EXPECT_THAT(refusal(market("contribution_proportional {} round_budget: 10")), HasSubstr("no valuation is chosen"));
  std::string many = market("unit_price {} shapley {}");
  many.replace(many.find("clients: 8"), 10, "clients: 13");
  EXPECT_THAT(refusal(many), HasSubstr("can cope with 12 updates a round, and there are 13"));
}

std::string rootless_market(const std::string& market, const std::string& more = "") {
  return "rounds: 5 task { data { glyphs { train_samples: 600 test_samples: 100 } } model { mlp { hidden: 16 } } "
         "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 8 everyone: true } " +
         more + " market { " + market + " }";
}

TEST(Marketplace, pays_whom_the_rule_selects_and_nobody_else) {
  const Rounds market =
      run(rootless_market("unit_price {}", "aggregator { multi_krum { f: 2 } } attacks { count: 2 sign_flip {} }"));
  ASSERT_EQ(market.rounds.size(), 5u);
  for (const RoundRecord& round : market.rounds) {
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

TEST(Marketplace, ends_when_the_budget_is_spent) {
  const Rounds market = run(rootless_market("unit_price {} budget: 20"));
  ASSERT_EQ(market.rounds.size(), 4u);  // 8, 8, 4, and nothing
  EXPECT_EQ(market.rounds[2].metric("bought"), 4.0);
  EXPECT_EQ(market.rounds[2].selections.size(), 4u);  // nobody is asked in vain
  EXPECT_EQ(market.rounds[3].stop, Stop::budget);
  EXPECT_EQ(market.rounds[3].metric("spent"), std::nullopt);
}

TEST(Marketplace, books_the_same_on_any_number_of_ranks_and_leaves_training_alone) {
  const std::string text = rootless_market("quality {}", "aggregator { fltrust {} } attacks { count: 2 sign_flip {} }");
  const Rounds one = run(text), three_ranks = run(text, 3);
  ASSERT_EQ(one.rounds.size(), three_ranks.rounds.size());
  for (std::size_t r = 0; r < one.rounds.size(); ++r) {
    ASSERT_EQ(one.rounds[r].transfers.size(), three_ranks.rounds[r].transfers.size());
    for (std::size_t t = 0; t < one.rounds[r].transfers.size(); ++t) {
      EXPECT_EQ(one.rounds[r].transfers[t].micro_credits, three_ranks.rounds[r].transfers[t].micro_credits);
      EXPECT_EQ(one.rounds[r].transfers[t].payee, three_ranks.rounds[r].transfers[t].payee);
    }
  }
  const Rounds gift = run(text.substr(0, text.find("market {")));
  for (std::size_t r = 0; r < one.rounds.size(); ++r) {
    EXPECT_EQ(one.rounds[r].metric("loss"), gift.rounds[r].metric("loss"));
    EXPECT_TRUE(gift.rounds[r].transfers.empty());
  }
}

TEST(Marketplace, pays_by_the_cosine_with_the_buyers_own_update) {
  const Rounds market =
      run(rootless_market("quality { base: 1 bonus: 4 }", "attacks { count: 2 sign_flip { scale: 1 } }"));
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

TEST(RewardModels, take_the_largest_values_of_every_layer) {
  const ParameterLayout layout({{.name = "a", .shape = {4}}, {.name = "b", .shape = {2, 3}}});
  const std::vector<float> start(10, 1.0F);
  const std::vector<float> step{0.1F, -3.0F, 2.0F, 0.0F, 5.0F, -5.0F, 1.0F, 0.5F, 4.0F, -6.0F};
  for (const int ranks : {1, 2, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      RewardModels models(comm, layout, start, 3);
      models.earn(step, std::vector<AgentId>{{0}, {2}}, std::vector<double>{1.0, 0.5});
      std::vector<std::vector<float>> seen;
      RoundRecord record;
      models.record({.name = "accuracy",
                     .of =
                         [&](std::span<const float> model) {
                           seen.emplace_back(model.begin(), model.end());
                           return 0.5;
                         }},
                    std::vector<float>{7.0F}, record);
      ASSERT_EQ(seen.size(), 3u);
      for (std::size_t v = 0; v < 10; ++v) EXPECT_EQ(seen[0][v], 1.0F + step[v]);
      EXPECT_EQ(seen[1], (std::vector<float>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 7}));
      EXPECT_EQ(seen[2],
                (std::vector<float>{1, -2, 3, 1, 6, -4, 1, 1, 1, -5, 7}));  // 2 of 4, 3 of 6, the first of equals
    });
  }
}

}  // namespace
}  // namespace souk
