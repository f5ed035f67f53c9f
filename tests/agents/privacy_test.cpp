// Clients' privacy in whole runs: what is clipped, how much noise there is, what is accounted, and what is refused.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "agents/stage.hpp"
#include "sim/privacy/gaussian_dp.hpp"
#include "sim/privacy/loss_accountant.hpp"
#include "sim/privacy/renyi.hpp"
#include "tests/support/last_accuracy.hpp"
#include "tests/support/simulated.hpp"

namespace souk::privacy_test {
namespace {

using testing::HasSubstr;

/// What a watched run showed, by round: the updates as the rule saw them, and the model.
struct Watched {
  std::vector<std::vector<double>> norms;         ///< [rounds] of the updates
  std::vector<std::vector<std::size_t>> clients;  ///< [rounds]
};

Watched watched;             // of the run at hand, on one rank
std::uint32_t hidden = 999;  ///< a client whose updates the rule does not see

/// Looks at what the privacy section leaves of updates, and may hide a client from the rule.
class Watch final : public Stage, private ServerHooks {
 public:
  Watch() { watched = {}; }
  bool shapes_models() const override { return false; }
  ServerHooks* hooks(std::size_t) override { return this; }

 private:
  void receive(ServerRound& round, RoundRecord&) override {
    std::erase_if(round.seen, [&](std::size_t k) { return round.clients[k].value == hidden; });
    auto& norms = watched.norms.emplace_back();
    auto& clients = watched.clients.emplace_back();
    for (std::size_t k = 0; k < round.updates.rows(); ++k) {
      double square = 0.0;
      for (const float value : round.updates.row(k)) square += static_cast<double>(value) * static_cast<double>(value);
      norms.push_back(std::sqrt(square));
      clients.push_back(round.clients[k].value);
    }
  }
};

const RegisterStage register_watch(
    {.name = "watch",
     .place = Place::serving,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.name() == "watched"; },
     .make = [](const World&) -> std::unique_ptr<Stage> { return std::make_unique<Watch>(); }});

std::string scenario_of(const std::string& privacy, const std::string& participants = "clients: 12 poisson: 0.5",
                        const std::string& more = "", const std::string& rule = "mean { weighting: UNIFORM }") {
  return "name: \"watched\" rounds: 4 task { data { glyphs { train_samples: 360 test_samples: 60 } } "
         "model { mlp { hidden: 12 } } training { batch_size: 16 learning_rate: 0.3 } } participants { " +
         participants + " } aggregator { " + rule + " } privacy { " + privacy + " } " + more;
}

std::vector<double> values(const Simulated& run, const std::string& metric) {
  std::vector<double> found;
  for (const RoundRecord& record : run.records) found.push_back(record.metric(metric).value_or(-1.0));
  return found;
}

/// The model after the first round.
std::vector<float> model_after(const std::string& text) {
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  const auto simulation = make_simulation(Comm::self(), *resolved.scenario, "cpu");
  RoundRecord record;
  record.round = {1};
  const std::optional<InjectedFault> no_fault;
  Phases phases(Comm::self(), {1}, no_fault);
  simulation->run_round({1}, false, phases, record);
  return {simulation->parameters().begin(), simulation->parameters().end()};
}

double distance(std::span<const float> a, std::span<const float> b) {
  double square = 0.0;
  for (std::size_t v = 0; v < a.size(); ++v)
    square += std::pow(static_cast<double>(a[v]) - static_cast<double>(b[v]), 2);
  return std::sqrt(square);
}

TEST(Privacy, no_update_is_longer_than_the_bound) {
  const Simulated run = simulate(scenario_of("fixed { bound: 0.2 }"));
  std::size_t at_bound = 0;
  for (const auto& norms : watched.norms) {
    for (const double norm : norms) {
      EXPECT_LE(norm, 0.2 * (1.0 + 1e-6));
      at_bound += norm > 0.2 * (1.0 - 1e-6) ? 1 : 0;
    }
  }
  EXPECT_GT(at_bound, 0U);
  EXPECT_THAT(values(run, "privacy.clip"), testing::Each(0.2));
  for (const double share : values(run, "privacy.clipped_share")) EXPECT_GT(share, 0.5);
  EXPECT_EQ(run.records.back().metric("privacy.epsilon"), std::nullopt) << "nobody adds noise";
  EXPECT_THAT(run.set_up.events, testing::Contains(testing::Field(&EventRow::kind, "no account")));
}

TEST(Privacy, a_bound_that_nobody_reaches_changes_nothing) {
  const std::string far = scenario_of("fixed { bound: 1e6 }", "clients: 12 everyone: true");
  const Simulated with = simulate(far);
  const Simulated without = simulate(far.substr(0, far.find("privacy")));
  EXPECT_EQ(with.hash, without.hash);
  EXPECT_THAT(values(with, "privacy.clipped_share"), testing::Each(0.0));
}

TEST(Privacy, the_server_shortens_what_attackers_sent) {
  simulate(scenario_of("fixed { bound: 0.2 }", "clients: 12 everyone: true",
                       "attacks { count: 3 sign_flip { scale: 50 } }"));
  for (const auto& norms : watched.norms) {
    for (const double norm : norms) EXPECT_LE(norm, 0.2 * (1.0 + 1e-6));
  }
}

/// Hardly anything is learned, so that the step is noise alone, also in the rounds that nobody comes to.
TEST(Privacy, noise_on_the_step_has_its_deviation) {
  for (const std::string participants :
       {"clients: 12 poisson: 0.5", "clients: 12 poisson: 0.0001", "clients: 12 per_round: 6"}) {
    SCOPED_TRACE(participants);
    const std::string quiet =
        scenario_of("fixed { bound: 0.5 } noise_multiplier: 3", participants, "", "mean { weighting: UNIFORM }");
    std::string frozen = quiet;
    frozen.replace(frozen.find("learning_rate: 0.3"), 18, "learning_rate: 1e-12");
    std::string still = frozen;
    still.erase(still.find("noise_multiplier: 3"), 19);
    const std::vector<float> with = model_after(frozen), without = model_after(still);
    const double expected = participants.find("0.0001") != std::string::npos ? 12 * 0.0001 : 6.0;
    const double sigma = 3.0 * 0.5 / expected;
    const auto d = static_cast<double>(with.size());
    EXPECT_NEAR(std::pow(distance(with, without), 2) / d, sigma * sigma, 4.0 * sigma * sigma * std::sqrt(2.0 / d));
  }
}

/// One client hidden from the rule, all draws the same: the sum, which is the step times what is expected, moves by
/// what the client sent.
TEST(Privacy, neighbouring_runs_differ_by_no_more_than_the_bound) {
  const std::string text = scenario_of("fixed { bound: 0.25 } noise_multiplier: 1", "clients: 12 poisson: 0.9");
  const std::vector<float> all = model_after(text);
  for (const std::uint32_t client : {0U, 3U, 7U}) {
    hidden = client;
    const double moved = distance(all, model_after(text)) * 12 * 0.9;
    const bool came = std::ranges::find(watched.clients[0], client) != watched.clients[0].end();
    EXPECT_LE(moved, 0.25 * (1.0 + 1e-4));
    EXPECT_EQ(moved > 0.0, came) << client;
  }
  hidden = 999;
}

/// What clients send is their shortened update and noise: of d values, sigma S sqrt(d) long.
TEST(Privacy, clients_hide_their_updates_themselves) {
  const Simulated run = simulate(scenario_of("fixed { bound: 0.1 } local_noise: 4"));
  const ResolvedScenario resolved = resolve_scenario({"test", scenario_of("fixed {}"), {}});
  const auto d = static_cast<double>(make_simulation(Comm::self(), *resolved.scenario, "cpu")->parameters().size());
  simulate(scenario_of("fixed { bound: 0.1 } local_noise: 4"));
  for (const auto& norms : watched.norms) {
    for (const double norm : norms) EXPECT_NEAR(norm, 0.4 * std::sqrt(d), 4.0 * 0.4 / std::sqrt(2.0) + 0.1);
  }
  std::map<std::size_t, std::uint64_t> sent;
  for (std::size_t r = 0; r < run.records.size(); ++r) {
    for (const std::size_t client : watched.clients[r]) ++sent[client];
    const std::uint64_t most = std::ranges::max_element(sent, {}, [](const auto& s) { return s.second; })->second;
    const double exact = gdp_epsilon(std::sqrt(static_cast<double>(most)) * 2.0 / 4.0, 1e-5);
    EXPECT_NEAR(*run.records[r].metric("privacy.epsilon"), exact, 1e-9);
  }
}

/// Attackers' crafted updates are without noise, and they alone, unless they are told to add it.
TEST(Privacy, attackers_skip_the_noise_unless_told) {
  const std::string attack = "attacks { members { id: [2, 5] } zero {} }";
  for (const bool adds : {false, true}) {
    simulate(
        scenario_of("fixed { bound: 0.1 } local_noise: 4 attackers_add_noise: " + std::string(adds ? "true" : "false"),
                    "clients: 12 everyone: true", attack));
    for (std::size_t r = 0; r < watched.norms.size(); ++r) {
      for (std::size_t k = 0; k < watched.norms[r].size(); ++k) {
        const bool attacks = watched.clients[r][k] == 2 || watched.clients[r][k] == 5;
        if (attacks && !adds) {
          EXPECT_LT(watched.norms[r][k], 1e-3);
        } else {
          EXPECT_GT(watched.norms[r][k], 1.0);
        }
      }
    }
  }
}

double by_losses(double q, double sigma, std::uint64_t count) {
  const std::vector<SubsampledGaussian> releases{{q, sigma, count}};
  return LossAccountant(2.5e-4).epsilons(releases, 1e-5).larger();
}

TEST(Privacy, epsilon_is_that_of_its_sampling) {
  const auto last = [](const std::string& privacy, const std::string& participants) {
    return *simulate(scenario_of(privacy, participants)).records.back().metric("privacy.epsilon");
  };
  const double poisson = last("noise_multiplier: 2", "clients: 12 poisson: 0.5");
  EXPECT_NEAR(poisson, by_losses(0.5, 2.0, 4), 2e-3 * poisson);
  const double cohort = last("noise_multiplier: 2", "clients: 12 per_round: 6");
  EXPECT_NEAR(cohort, by_losses(0.5, 1.0, 4), 2e-3 * cohort) << "who is missing makes room for another";
  const double spares = last("noise_multiplier: 2", "clients: 12 per_round: 6 availability { over_selection: 1.5 }");
  EXPECT_NEAR(spares, by_losses(0.75, 1.0, 4), 2e-3 * spares);
  const double weighted = last("noise_multiplier: 2", "clients: 12 per_round: 6 weighting: BY_SAMPLES");
  EXPECT_NEAR(weighted, gdp_epsilon(2.0 * std::sqrt(4.0) / 2.0, 1e-5), 1e-9) << "some may always be there";
  const double everyone = last("noise_multiplier: 2", "clients: 12 everyone: true");
  EXPECT_NEAR(everyone, gdp_epsilon(std::sqrt(4.0) / 2.0, 1e-5), 1e-9);
  const std::vector<SubsampledGaussian> releases{{0.5, 2.0, 4}};
  EXPECT_NEAR(last("noise_multiplier: 2 accountant: RDP", "clients: 12 poisson: 0.5"),
              renyi_epsilon(releases, 1e-5).epsilon, 1e-9);
  EXPECT_NEAR(last("noise_multiplier: 2 accountant: GDP", "clients: 12 poisson: 0.5"),
              gdp_epsilon(gdp_mu(releases), 1e-5), 1e-9);
  EXPECT_LT(last("noise_multiplier: 2 delta: 1e-3", "clients: 12 poisson: 0.5"), poisson);
}

TEST(Privacy, empty_rounds_count_too) {
  const Simulated run = simulate(scenario_of("noise_multiplier: 2", "clients: 12 poisson: 0.0001"));
  EXPECT_TRUE(run.records[0].selections.empty());
  const std::vector<double> epsilons = values(run, "privacy.epsilon");
  EXPECT_TRUE(std::ranges::is_sorted(epsilons));
  EXPECT_GE(epsilons.front(), 0.0);
  EXPECT_THAT(run.records[0].events, testing::Contains(testing::Field(&EventRow::text, HasSubstr("noise alone"))));
}

TEST(Privacy, rounds_without_privacy_may_be_empty) {
  std::string text = scenario_of("", "clients: 12 poisson: 0.0001");
  text.erase(text.find("privacy"));
  const Simulated run = simulate(text);
  EXPECT_THAT(run.records[0].events, testing::Contains(testing::Field(&EventRow::text, HasSubstr("the model stays"))));
  EXPECT_EQ(run.records[0].metric("updates"), std::nullopt);
}

TEST(Privacy, a_run_ends_before_the_round_that_is_too_much) {
  const double budget = 0.5 * (by_losses(0.5, 2.0, 2) + by_losses(0.5, 2.0, 3));
  const std::string text = scenario_of("noise_multiplier: 2 budget: " + std::to_string(budget));
  const Simulated run = simulate(text);
  EXPECT_EQ(run.records[0].stop, std::nullopt);
  EXPECT_EQ(run.records[1].stop, Stop::budget);
  EXPECT_LE(*run.records[1].metric("privacy.epsilon"), budget);
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  const auto forecasts = make_simulation(Comm::self(), *resolved.scenario, "cpu")->forecasts();
  ASSERT_EQ(forecasts.size(), 1U);
  EXPECT_THAT(forecasts[0].text, HasSubstr("after 2 rounds; the budget allows no more"));
  // Of the last round of all, a budget that would not do for one more says nothing.
  const double enough = 0.5 * (by_losses(0.5, 2.0, 4) + by_losses(0.5, 2.0, 5));
  EXPECT_EQ(simulate(scenario_of("noise_multiplier: 2 budget: " + std::to_string(enough))).records.back().stop,
            std::nullopt);
}

/// For runs on several ranks, which are threads of the test.
std::string unwatched(std::string text) { return text.replace(text.find("watched"), 7, "alone"); }

TEST(Privacy, the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  const std::string attack = "attacks { count: 3 sign_flip { scale: 50 } }";
  for (const std::string& text : {scenario_of("adaptive {} noise_multiplier: 0.3",
                                              "clients: 12 poisson: 0.5 availability { dropout: 0.2 }", attack),
                                  scenario_of("fixed { bound: 0.1 } local_noise: 1 attackers_add_noise: true",
                                              "clients: 12 per_round: 7", attack, "median {}")}) {
    const Simulated one = simulate(unwatched(text));
    for (const int ranks : {1, 2, 3}) {
      const Simulated other = simulate(unwatched(text), ranks, 2);
      EXPECT_EQ(one.hash, other.hash) << ranks << " ranks";
      EXPECT_EQ(one.state, other.state) << ranks << " ranks";
      EXPECT_EQ(values(one, "privacy.clip"), values(other, "privacy.clip"));
      EXPECT_EQ(values(one, "privacy.epsilon"), values(other, "privacy.epsilon"));
    }
  }
}

TEST(Privacy, adaptive_bounds_follow_the_updates) {
  const Simulated run = simulate(
      scenario_of("adaptive { initial: 1e-3 quantile: 0.9 rate: 1 count_noise: 1e-6 }", "clients: 12 everyone: true"));
  const std::vector<double> bounds = values(run, "privacy.clip");
  EXPECT_EQ(bounds[0], 1e-3);
  for (std::size_t r = 1; r < bounds.size(); ++r)
    EXPECT_NEAR(bounds[r], bounds[r - 1] * std::exp(0.9), 1e-6 * bounds[r]);
}

/// A fifth of 25 clients send -3 times the mean of what they trained, without the noise that everybody else hides
/// under: Multi-Krum takes them for the most central. The images are harder than those this was first seen on, where
/// the rule had .90 instead of the .8 of here, so that what it keeps without noise is asked to be above .65.
TEST(Privacy, attackers_that_skip_the_noise_are_what_multi_krum_takes) {
  const auto accuracy = [](const std::string& noise, const std::string& attack) {
    return last_accuracy(
        "rounds: 30 task { data { glyphs { train_samples: 6000 test_samples: 500 } } model { mlp { hidden: 32 } } "
        "training { learning_rate: 0.3 local_epochs: 2 } } participants { clients: 100 per_round: 25 } "
        "evaluation { every: 30 } aggregator { multi_krum {} } privacy { fixed { bound: 0.5 } " +
        noise + " } " + attack);
  };
  const std::string attack = "attacks { fraction: 0.2 ipm { epsilon: 3 } }";
  EXPECT_GT(accuracy("", attack), 0.65);
  EXPECT_GT(accuracy("local_noise: 0.05", ""), 0.7);
  EXPECT_LT(accuracy("local_noise: 0.05", attack), 0.3);
  EXPECT_GT(accuracy("local_noise: 0.05 attackers_add_noise: true", attack), 0.65);
}

TEST(Privacy, refuses_what_no_account_covers) {
  const std::string noise = "noise_multiplier: 1", all = "clients: 12 poisson: 0.5";
  EXPECT_THAT(refusal_of(scenario_of(noise, all, "market { posted_price { price: 1 } }")),
              HasSubstr("in a market use local_noise or market.grades"));
  EXPECT_THAT(
      refusal_of(scenario_of(noise, all, "unlearning { requests { round: 2 clients { ids: [1] } retrain {} } }")),
      HasSubstr("unlearning.requests"));
  EXPECT_THAT(refusal_of(scenario_of(noise + " local_noise: 1")), HasSubstr("privacy.local_noise"));
  EXPECT_THAT(refusal_of(scenario_of("adaptive {} local_noise: 1")), HasSubstr("privacy.adaptive"));
  EXPECT_THAT(refusal_of(scenario_of("adaptive {} noise_multiplier: 1")), HasSubstr("twice the noise on the count"));
  EXPECT_THAT(refusal_of(scenario_of("attackers_add_noise: true")), HasSubstr("privacy.attackers_add_noise"));
  EXPECT_THAT(refusal_of(scenario_of("budget: 1")), HasSubstr("privacy.budget"));
  EXPECT_THAT(refusal_of(scenario_of(noise + " budget: 0.01")), HasSubstr("the first round makes epsilon"));
  EXPECT_THAT(refusal_of(scenario_of(noise + " delta: 1e-12")), HasSubstr("privacy.delta"));
  EXPECT_EQ(refusal_of(scenario_of(noise + " delta: 1e-12 accountant: RDP")), "");
  EXPECT_THAT(refusal_of(scenario_of(noise, all, "", "mean {}")), HasSubstr("aggregator.mean.weighting"));
  for (const std::string rule : {"median", "multi_krum", "centered_clipping", "weak_dp", "trimmed_mean"}) {
    EXPECT_THAT(refusal_of(scenario_of(noise, "clients: 12 everyone: true", "", rule + " {}")),
                HasSubstr("aggregator." + rule));
  }
  EXPECT_THAT(refusal_of(scenario_of(noise, all, "", "pre { nnm {} } mean { weighting: UNIFORM }")),
              HasSubstr("pre-aggregators"));
  EXPECT_EQ(refusal_of(scenario_of(noise, all, "", "norm_clipping { bound: 0.5 }")), "");
  EXPECT_EQ(refusal_of(scenario_of("local_noise: 1", all, "", "median {}")), "");
}

TEST(Privacy, refuses_models_and_data_that_noise_does_not_cover) {
  const std::string images =
      "privacy { local_noise: 1 } task { data { glyphs { train_samples: 240 test_samples: 60 } } ";
  EXPECT_THAT(refusal_of(images + "model { resnet20 { normalization: BATCH_NORM } } }"),
              HasSubstr("running statistics"));
  EXPECT_THAT(refusal_of("privacy { local_noise: 1 } participants { clients: 4 everyone: true } task { data { "
                         "communities {} } model { gcn {} } }"),
              HasSubstr("joined by edges"));
}

}  // namespace
}  // namespace souk::privacy_test
