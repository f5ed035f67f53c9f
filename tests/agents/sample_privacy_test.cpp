// Privacy of single samples in whole runs: what is accounted, when a run ends, and what is refused.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "sim/privacy/gaussian_dp.hpp"
#include "sim/privacy/loss_accountant.hpp"
#include "sim/privacy/renyi.hpp"
#include "tests/support/last_accuracy.hpp"
#include "tests/support/simulated.hpp"

namespace souk::sample_privacy_test {
namespace {

using testing::HasSubstr;

std::string scenario_of(const std::string& privacy, const std::string& participants = "clients: 6 everyone: true",
                        const std::string& more = "", const std::string& training = "batch_size: 16") {
  return "name: \"private_samples\" rounds: 4 task { data { glyphs { train_samples: 360 test_samples: 60 } } "
         "model { mlp { hidden: 12 } } training { learning_rate: 0.3 " +
         training + " sample_privacy { " + privacy + " } } } participants { " + participants + " } " + more;
}

std::vector<double> epsilons(const Simulated& run) {
  std::vector<double> found;
  for (const RoundRecord& record : run.records) found.push_back(record.metric("privacy.sample_epsilon").value_or(-1.0));
  return found;
}

double by_losses(double q, double sigma, std::uint64_t count) {
  const std::vector<SubsampledGaussian> releases{{q, sigma, count}};
  return LossAccountant(2.5e-4).epsilons(releases, 1e-5).larger();
}

/// 60 samples each: 4 steps in a pass, with probability 16 / 60.
TEST(SamplePrivacy, epsilon_is_that_of_the_steps_taken) {
  const std::vector<double> found = epsilons(simulate(scenario_of("noise_multiplier: 2")));
  for (std::uint64_t round = 1; round <= 4; ++round) {
    const double expected = by_losses(16.0 / 60.0, 2.0, 4 * round);
    EXPECT_NEAR(found[round - 1], expected, 2e-3 * expected);
  }
  const std::vector<SubsampledGaussian> releases{{16.0 / 60.0, 2.0, 16}};
  EXPECT_NEAR(epsilons(simulate(scenario_of("noise_multiplier: 2 accountant: RDP"))).back(),
              renyi_epsilon(releases, 1e-5).epsilon, 1e-9);
  const double whole = epsilons(simulate(scenario_of("noise_multiplier: 2", "clients: 6 everyone: true", "",
                                                     "batch_size: 0 local_epochs: 3")))
                           .back();
  EXPECT_NEAR(whole, gdp_epsilon(std::sqrt(12.0) / 2.0, 1e-5), 1e-9) << "nothing is sampled";
}

/// Clients of different sizes, who come as they like: what is said is the largest of their own accounts.
TEST(SamplePrivacy, the_client_that_gives_away_most_counts) {
  const Simulated run = simulate(scenario_of("noise_multiplier: 1.5", "clients: 6 poisson: 0.6",
                                             "partition { quantity {} }", "batch_size: 8 local_steps: 3"));
  std::vector<std::uint64_t> sent(6, 0), samples(6, 0);
  double largest = 0.0;
  for (const RoundRecord& record : run.records) {
    for (const SelectionRow& row : record.selections) {
      ++sent[row.agent.value];
      samples[row.agent.value] = row.samples;
    }
  }
  for (std::size_t k = 0; k < 6; ++k) {
    if (sent[k] == 0 || samples[k] == 0) continue;
    const double q = std::min(1.0, 8.0 / static_cast<double>(samples[k]));
    const double own = q == 1.0 ? gdp_epsilon(std::sqrt(3.0 * static_cast<double>(sent[k])) / 1.5, 1e-5)
                                : by_losses(q, 1.5, 3 * sent[k]);
    largest = std::max(largest, own);
  }
  EXPECT_NEAR(epsilons(run).back(), largest, 2e-3 * largest);
}

TEST(SamplePrivacy, attackers_have_no_account) {
  const std::string text = scenario_of("noise_multiplier: 2", "clients: 6 everyone: true",
                                       "attacks { count: 6 label_flip {} } aggregator { mean {} }");
  EXPECT_THAT(epsilons(simulate(text)), testing::Each(0.0));
}

TEST(SamplePrivacy, a_run_ends_before_the_update_that_is_too_much) {
  const double budget = 0.5 * (by_losses(16.0 / 60.0, 2.0, 8) + by_losses(16.0 / 60.0, 2.0, 12));
  const std::string text = scenario_of("noise_multiplier: 2 budget: " + std::to_string(budget));
  const Simulated run = simulate(text);
  EXPECT_EQ(run.records[0].stop, std::nullopt);
  EXPECT_EQ(run.records[1].stop, Stop::budget);
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  const auto forecasts = make_simulation(Comm::self(), *resolved.scenario, "cpu")->forecasts();
  ASSERT_EQ(forecasts.size(), 1U);
  EXPECT_THAT(forecasts[0].text, HasSubstr("by 2 updates; the budget allows no more"));
  EXPECT_THAT(refusal_of(scenario_of("noise_multiplier: 2 budget: 0.01")), HasSubstr("the first update"));
}

TEST(SamplePrivacy, the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  for (const char* training :
       {"batch_size: 16", "batch_size: 4 local_steps: 3 adam {}", "batch_size: 16 proximal_mu: 0.1"}) {
    const std::string text = scenario_of("noise_multiplier: 1 accountant: RDP", "clients: 6 per_round: 4",
                                         "attacks { count: 1 label_flip {} } aggregator { median {} }", training);
    const Simulated one = simulate(text);
    for (const int ranks : {1, 3}) {
      const Simulated other = simulate(text, ranks, 2);
      EXPECT_EQ(one.hash, other.hash) << ranks << " ranks";
      EXPECT_EQ(one.state, other.state) << ranks << " ranks";
      EXPECT_EQ(epsilons(one), epsilons(other));
    }
  }
}

/// With noise that is next to nothing and a bound that nobody reaches, what is left is training on drawn mini-batches.
TEST(SamplePrivacy, learns_where_there_is_little_noise) {
  const auto last = [](const std::string& privacy) {
    return last_accuracy(
        "rounds: 5 task { data { glyphs { train_samples: 600 test_samples: 200 } } model { mlp { hidden: 24 } } "
        "training { "
        "learning_rate: 0.5 local_epochs: 3 sample_privacy { " +
        privacy + " } } } participants { clients: 6 everyone: true } evaluation { every: 5 }");
  };
  EXPECT_GT(last("clip: 100 noise_multiplier: 1e-6"), 0.6);
  EXPECT_LT(last("clip: 100 noise_multiplier: 10"), 0.4);
}

TEST(SamplePrivacy, refuses_what_no_account_covers) {
  EXPECT_THAT(refusal_of(scenario_of("", "clients: 6 everyone: true",
                                     "unlearning { requests { round: 2 clients { ids: [1] } retrain {} } }")),
              HasSubstr("unlearning.requests"));
  EXPECT_THAT(refusal_of(scenario_of("", "clients: 6 everyone: true", "aggregator { flshield {} }")),
              HasSubstr("validators"));
  EXPECT_THAT(refusal_of(scenario_of("", "clients: 6 everyone: true", "", "clip_norm: 1")), HasSubstr("clip_norm"));
  EXPECT_THAT(refusal_of(scenario_of("", "clients: 6 everyone: true", "", "algorithm: FED_SGD")), HasSubstr("FED_SGD"));
  EXPECT_THAT(refusal_of(scenario_of("delta: 1e-12")), HasSubstr("task.training.sample_privacy.delta"));
  const std::string images = "task { data { glyphs { train_samples: 240 test_samples: 60 } } ";
  EXPECT_THAT(refusal_of(images + "model { resnet20 { normalization: BATCH_NORM } } training { sample_privacy {} } }"),
              HasSubstr("running statistics"));
  EXPECT_THAT(
      refusal_of(images +
                 "model { cnn_small {} } objective { channel_correlation {} } training { sample_privacy {} } }"),
      HasSubstr("compares the samples"));
  EXPECT_THAT(refusal_of("participants { clients: 4 everyone: true } task { data { communities {} } model { gcn {} } "
                         "training { sample_privacy {} } }"),
              HasSubstr("nodes of a graph"));
}

}  // namespace
}  // namespace souk::sample_privacy_test
