// Markets end to end: the same on any number of ranks and after a break, ended when they should, refused when they
// could never work.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "agents/cast/root_data.hpp"
#include "agents/training/model_judge.hpp"
#include "aggregators/aggregator.hpp"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "tests/agents/market_rounds.hpp"

namespace souk::marketplace_test {
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

}  // namespace
}  // namespace souk::marketplace_test
