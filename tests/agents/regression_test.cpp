// Federations that predict numbers: they learn, rules and markets judge them by loss and quality, and what needs
// classes is refused by name.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/base/hash.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/scenario_file.hpp"
#include "tests/support/last_accuracy.hpp"

namespace souk::regression_test {
namespace {

using testing::HasSubstr;

std::string numbers(const std::string& more, const std::string& model = "mlp { hidden: 24 }") {
  return "rounds: 8 task { data { waves { train_samples: 1200 test_samples: 300 waves: 1 } } model { " + model +
         " } training { local_epochs: 2 batch_size: 16 learning_rate: 0.05 } } participants { clients: 8 everyone: "
         "true } " +
         more;
}

std::string refusal(const std::string& text) {
  try {
    const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
    make_simulation(Comm::self(), *resolved.scenario, "cpu");
  } catch (const PhaseError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Regression, learns_what_a_line_cannot) {
  const double line = last_metric(numbers("", "linear {}"), "r2"), network = last_metric(numbers(""), "r2");
  EXPECT_GT(line, 0.2);
  EXPECT_LT(line, 0.7);
  EXPECT_GT(network, line + 0.05);
}

TEST(Regression, rules_that_judge_models_keep_most_of_it_under_attack) {
  const std::string attack = "root { samples: 60 } attacks { count: 2 target_shift { shift: 6 } } ";
  const double mean = last_metric(numbers(attack + "aggregator { mean {} }"), "rmse");
  for (const char* rule : {"martfl {}", "lfr { f: 2 base { mean {} } }", "fltrust {}", "median {}"}) {
    EXPECT_LT(last_metric(numbers(attack + "aggregator { " + rule + " }"), "rmse"), 0.8 * mean) << rule;
  }
}

TEST(Regression, a_market_measures_quality_as_r2) {
  const std::string market = numbers(
      "root { samples: 60 } aggregator { martfl {} } evaluation { validation_fraction: 0.1 } market { unit_price {} "
      "loo {} "
      "target_r2: 0.99 assessment { every: 2 } }");
  EXPECT_GT(last_metric(market, "root_r2"), 0.1);
  EXPECT_GT(last_metric(market, "validation_r2"), 0.1);
  EXPECT_EQ(last_metric(market, "root_accuracy"), 0.0);
  EXPECT_EQ(last_metric(market, "accuracy"), 0.0);
}

TEST(Regression, gives_the_same_bits_on_any_number_of_ranks) {
  const std::string text = numbers("root { samples: 30 } aggregator { martfl {} } attacks { count: 2 target_flip {} }");
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  std::string expected;
  for (const int ranks : {1, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      const auto protocol = make_simulation(comm, *resolved.scenario, "cpu");
      run_rounds(comm, *protocol, nullptr, nullptr, std::nullopt, {.rounds = 3, .scenario_text = text});
      if (comm.rank() != 0) return;
      const std::string hash = sha256_hex(protocol->parameters());
      if (expected.empty()) expected = hash;
      EXPECT_EQ(hash, expected) << ranks;
    });
  }
}

TEST(Regression, what_needs_classes_is_refused_by_name) {
  EXPECT_THAT(refusal(numbers("", "logreg {}")), HasSubstr("task.model.logreg: is a model of classes"));
  EXPECT_THAT(refusal(numbers("partition { dirichlet {} }")), HasSubstr("partition.dirichlet: deals by class"));
  EXPECT_THAT(refusal(numbers("partition { shards {} }")), HasSubstr("partition.shards: deals by class"));
  EXPECT_THAT(refusal(numbers("aggregator { flshield {} }")), HasSubstr("aggregator.flshield: judges models by class"));
  EXPECT_THAT(refusal(numbers("aggregator { deepsight {} }")),
              HasSubstr("aggregator.deepsight: judges models by class"));
  EXPECT_THAT(refusal(numbers("root { samples: 30 bias: 0.5 always: true }")), HasSubstr("root: bias"));
  EXPECT_THAT(refusal(numbers("attacks { count: 2 label_flip {} }")),
              HasSubstr("attacks[0].label_flip: is an attack on classes"));
  EXPECT_THAT(refusal(numbers("attacks { count: 2 badnets {} }")),
              HasSubstr("attacks[0].badnets: is an attack on classes"));
  EXPECT_THAT(refusal(numbers("evaluation { target_accuracy: 0.5 }")), HasSubstr("take target_r2"));
  EXPECT_THAT(
      refusal(numbers("root { samples: 30 } aggregator { fltrust {} } market { misconduct { starvation {} } }")),
      HasSubstr("market.misconduct"));
  const std::string classes = "task { data { glyphs { train_samples: 300 test_samples: 50 } } model { mlp {} } } ";
  EXPECT_THAT(refusal(classes + "attacks { count: 2 target_shift {} }"),
              HasSubstr("attacks[0].target_shift: is an attack on numbers"));
  EXPECT_THAT(refusal(classes + "evaluation { target_r2: 0.5 }"), HasSubstr("take target_accuracy"));
}

}  // namespace
}  // namespace souk::regression_test
