// Noise of the server that hangs together over rounds, and clients that take turns, in whole runs.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "sim/privacy/gaussian_dp.hpp"
#include "sim/privacy/noise_over_rounds.hpp"
#include "tests/support/simulated.hpp"

namespace souk::correlated_noise_test {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t rounds = 7;

std::string scenario_of(const std::string& privacy, const std::string& participants = "clients: 12 rotation: 3",
                        const std::string& rate = "0.3") {
  return "name: \"correlated\" rounds: " + std::to_string(rounds) +
         " task { data { glyphs { train_samples: 360 test_samples: 60 } } model { mlp { hidden: 12 } } training { "
         "batch_size: 16 learning_rate: " +
         rate + " } } participants { " + participants + " } aggregator { mean { weighting: UNIFORM } } privacy { " +
         privacy + " }";
}

std::vector<double> epsilons(const std::string& text) {
  std::vector<double> found;
  for (const RoundRecord& record : simulate(text).records)
    found.push_back(record.metric("privacy.epsilon").value_or(-1));
  return found;
}

std::vector<double> by_sensitivities(const std::vector<double>& sensitivities, double sigma) {
  std::vector<double> found;
  for (const double sensitivity : sensitivities) found.push_back(gdp_epsilon(sensitivity / sigma, 1e-5));
  return found;
}

TEST(CorrelatedNoise, epsilon_is_that_of_one_gaussian_mechanism_after_every_round) {
  const auto near = [](const std::vector<double>& expected) {
    return testing::Pointwise(testing::DoubleNear(1e-9), expected);
  };
  EXPECT_THAT(epsilons(scenario_of("noise_multiplier: 4 toeplitz {}")),
              near(by_sensitivities(toeplitz_sensitivities(square_root_coefficients(rounds, 0), 3), 4)));
  EXPECT_THAT(epsilons(scenario_of("noise_multiplier: 4 toeplitz { band: 2 }", "clients: 12 everyone: true")),
              near(by_sensitivities(toeplitz_sensitivities(square_root_coefficients(rounds, 2), 1), 4)));
  EXPECT_THAT(epsilons(scenario_of("noise_multiplier: 4 tree {}")),
              near(by_sensitivities(tree_sensitivities(rounds, 3, TreeBlocks::of_sums), 4)));
  EXPECT_THAT(epsilons(scenario_of("noise_multiplier: 4 tree { honaker: true } accountant: GDP")),
              near(by_sensitivities(tree_sensitivities(rounds, 3, TreeBlocks::all), 4)));
  // Of noise of its own for every round the turns count: one after 3 rounds, two after 6, three after 7.
  EXPECT_THAT(epsilons(scenario_of("noise_multiplier: 4 independent {}")),
              near(by_sensitivities({1, 1, 1, std::sqrt(2), std::sqrt(2), std::sqrt(2), std::sqrt(3)}, 4)));
}

/// The model after all rounds, and hardly anything is learned.
std::vector<float> last_model(const std::string& text) {
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  const auto simulation = make_simulation(Comm::self(), *resolved.scenario, "cpu");
  const std::optional<InjectedFault> no_fault;
  for (std::uint32_t r = 1; r <= rounds; ++r) {
    RoundRecord record;
    record.round = {r};
    Phases phases(Comm::self(), {r}, no_fault);
    simulation->run_round({r}, r == rounds, phases, record);
  }
  return {simulation->parameters().begin(), simulation->parameters().end()};
}

TEST(CorrelatedNoise, the_model_has_the_noise_of_a_sum) {
  const auto variance = [](const std::string& correlation) {
    const std::vector<float> with = last_model(
        scenario_of("noise_multiplier: 3 fixed { bound: 0.5 } " + correlation, "clients: 12 rotation: 3", "1e-12"));
    const std::vector<float> without =
        last_model(scenario_of("fixed { bound: 0.5 }", "clients: 12 rotation: 3", "1e-12"));
    double square = 0.0;
    for (std::size_t v = 0; v < with.size(); ++v)
      square += std::pow(static_cast<double>(with[v]) - static_cast<double>(without[v]), 2);
    const double deviation = 3.0 * 0.5 / 4.0;  // of one round's: four clients of twelve
    return square / static_cast<double>(with.size()) / (deviation * deviation);
  };
  double squares = 0.0;
  for (const double c : square_root_coefficients(rounds, 0)) squares += c * c;
  const std::map<std::string, double> expected{{"independent {}", 7.0},
                                               {"tree {}", 3.0},  // 7 has three bits
                                               {"tree { honaker: true }", 1.0 + 1.0 / 1.5 + 1.0 / 1.75},
                                               {"toeplitz {}", squares}};
  for (const auto& [correlation, sum] : expected) {
    EXPECT_NEAR(variance(correlation), sum, 0.12 * sum) << correlation;  // some 4 standard errors of d values
  }
}

TEST(CorrelatedNoise, the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  for (const std::string correlation : {"tree {}", "tree { honaker: true }", "toeplitz {}", "toeplitz { band: 3 }"}) {
    const std::string text = scenario_of("fixed { bound: 0.3 } noise_multiplier: 1 " + correlation);
    const Simulated one = simulate(text);
    for (const int ranks : {1, 3}) {
      const Simulated other = simulate(text, ranks, 5);
      EXPECT_EQ(one.hash, other.hash) << correlation << ", " << ranks << " ranks";
      EXPECT_EQ(one.state, other.state) << correlation << ", " << ranks << " ranks";
    }
  }
}

TEST(CorrelatedNoise, a_run_ends_before_the_round_that_is_too_much) {
  const auto epsilons = by_sensitivities(toeplitz_sensitivities(square_root_coefficients(rounds, 0), 3), 4);
  const Simulated run = simulate(
      scenario_of("noise_multiplier: 4 toeplitz {} budget: " + std::to_string(0.5 * (epsilons[3] + epsilons[4]))));
  EXPECT_EQ(run.records[2].stop, std::nullopt);
  EXPECT_EQ(run.records[3].stop, Stop::budget);
}

TEST(CorrelatedNoise, clients_take_turns) {
  const Simulated run = simulate(scenario_of("", "clients: 11 rotation: 3"));
  std::vector<std::set<std::uint32_t>> groups;
  for (const RoundRecord& record : run.records) {
    std::set<std::uint32_t>& group = groups.emplace_back();
    for (const SelectionRow& row : record.selections) group.insert(row.agent.value);
  }
  std::set<std::uint32_t> all;
  for (std::size_t g = 0; g < 3; ++g) {
    EXPECT_GE(groups[g].size(), 3U);
    EXPECT_LE(groups[g].size(), 4U);
    all.insert(groups[g].begin(), groups[g].end());
  }
  EXPECT_EQ(all.size(), 11U);
  for (std::size_t r = 3; r < rounds; ++r) EXPECT_EQ(groups[r], groups[r - 3]);
  EXPECT_THAT(refusal_of(scenario_of("", "clients: 4 rotation: 5")), HasSubstr("participants.rotation = 5"));
  EXPECT_THAT(refusal_of(scenario_of("", "clients: 4 rotation: 2 availability { over_selection: 2 }")),
              HasSubstr("out of turn"));
  EXPECT_THAT(refusal_of(scenario_of("", "clients: 4 rotation: 2 weighting: BY_SAMPLES")),
              HasSubstr("nobody is drawn"));
}

TEST(CorrelatedNoise, refuses_rounds_that_are_drawn) {
  for (const std::string drawn : {"poisson: 0.5", "per_round: 4", "fraction: 0.5"}) {
    EXPECT_THAT(refusal_of(scenario_of("noise_multiplier: 1 toeplitz {}", "clients: 12 " + drawn)),
                HasSubstr("privacy.toeplitz"));
  }
  EXPECT_EQ(refusal_of(scenario_of("noise_multiplier: 1 tree {}", "clients: 12 fraction: 1")), "");
  EXPECT_THAT(refusal_of(scenario_of("tree {}")), HasSubstr("there is none; set noise_multiplier"));
  EXPECT_THAT(refusal_of(scenario_of("noise_multiplier: 0.01 adaptive {} tree {}")), HasSubstr("use fixed"));
}

}  // namespace
}  // namespace souk::correlated_noise_test
