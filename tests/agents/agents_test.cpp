#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/cast/population.hpp"
#include "agents/cast/selection.hpp"
#include "agents/cast/shared_data.hpp"
#include "agents/training/evaluator.hpp"
#include "agents/training/placement.hpp"
#include "agents/training/server_optimizers/server_optimizer.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/scenario_file.hpp"
#include "sim/params/linear.hpp"
#include "tests/support/matrices.hpp"

namespace souk::agents_test {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

ResolvedScenario resolve(const std::string& text) {
  return resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
}

TEST(Placement, gives_the_longest_work_first_to_the_least_loaded_rank) {
  EXPECT_THAT(place_longest_first(std::vector<double>{3, 5, 4, 1}, 2), ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(place_longest_first(std::vector<double>{1, 1, 1}, 1), ElementsAre(0, 0, 0));
}

TEST(Population, groups_are_disjoint_and_have_their_sizes) {
  const auto resolved = resolve(
      "participants { clients: 50 } attacks { count: 7 sign_flip {} } "
      "attacks { fraction: 0.1 gaussian {} }");
  const Population population(*resolved.scenario);
  std::map<int, int> sizes;
  for (std::uint32_t id = 0; id < 50; ++id) ++sizes[population.group_of({id})];

  EXPECT_EQ(sizes[0], 7);
  EXPECT_EQ(sizes[1], 5);
  EXPECT_EQ(population.malicious(), 12U);
  const auto crowded =
      resolve("participants { clients: 5 } attacks { count: 3 gaussian {} } attacks { count: 3 gaussian {} }");
  EXPECT_THROW(Population{*crowded.scenario}, InputError);
}

TEST(Population, device_speeds_are_log_normal_around_their_median) {
  const auto resolved = resolve(
      "participants { clients: 4000 availability { compute: 100 compute_sigma: 0.5 "
      "bandwidth: 7 } }");
  const Population population(*resolved.scenario);
  double sum = 0, squares = 0;
  for (std::uint32_t id = 0; id < 4000; ++id) {
    const double log_ratio = std::log(population.device({id}).compute / 100);
    sum += log_ratio;
    squares += log_ratio * log_ratio;
    EXPECT_EQ(population.device({id}).bandwidth, 7.0);
  }
  EXPECT_NEAR(sum / 4000, 0.0, 0.032);
  EXPECT_NEAR(std::sqrt(squares / 4000), 0.5, 0.025);
}

/// A deal in which client i holds i + 1 samples.
Deal growing_deal(std::size_t clients) {
  Deal deal;
  deal.offsets.push_back(0);
  for (std::size_t i = 0; i < clients; ++i) deal.offsets.push_back(deal.offsets.back() + i + 1);
  deal.samples.resize(deal.offsets.back());
  return deal;
}

struct Selecting {
  explicit Selecting(const std::string& text)
      : resolved(resolve("participants {" + text + "}")),
        population(*resolved.scenario),
        deal(growing_deal(population.clients())),
        selector(resolved.scenario->participants(), 1, population, deal) {}
  RoundSelection in_round(std::uint32_t round) const { return in_round(round, selector.wanted()); }
  RoundSelection in_round(std::uint32_t round, std::size_t limit) const {
    const auto work = [&](AgentId client) {
      return ClientWork{.flops = 1e9 * static_cast<double>(client.value), .bytes_down = 0, .bytes_up = 0};
    };
    return selector.select({round}, work, {.most = limit});
  }
  ResolvedScenario resolved;
  Population population;
  Deal deal;
  Selector selector;
};

TEST(Selection, is_uniform_without_repetition_and_ascending) {
  const Selecting selecting("clients: 20 per_round: 5");
  std::map<std::uint32_t, int> chosen;
  for (std::uint32_t round = 1; round <= 4000; ++round) {
    const RoundSelection selection = selecting.in_round(round);
    ASSERT_EQ(selection.accepted.size(), 5U);
    ASSERT_TRUE(std::is_sorted(selection.accepted.begin(), selection.accepted.end()));
    ASSERT_EQ(std::adjacent_find(selection.accepted.begin(), selection.accepted.end()), selection.accepted.end());
    for (const AgentId client : selection.accepted) ++chosen[client.value];
  }
  for (std::uint32_t id = 0; id < 20; ++id) EXPECT_NEAR(chosen[id], 1000, 110) << id;  // four deviations
}

TEST(Selection, by_samples_prefers_clients_in_proportion_to_their_samples) {
  const Selecting selecting("clients: 4 per_round: 1 weighting: BY_SAMPLES");
  std::map<std::uint32_t, int> chosen;
  for (std::uint32_t round = 1; round <= 10000; ++round) ++chosen[selecting.in_round(round).accepted.front().value];

  for (std::uint32_t id = 0; id < 4; ++id) EXPECT_NEAR(chosen[id], 1000 * (id + 1), 200) << id;  // weights 1 2 3 4
}

TEST(Selection, poisson_takes_every_client_by_itself) {
  constexpr int rounds = 6000;
  constexpr double p = 0.3;
  const Selecting selecting("clients: 8 poisson: 0.3");
  std::array<std::array<int, 8>, 8> together{};  // on the diagonal: how often a client came
  std::map<std::size_t, int> sizes;
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    const RoundSelection selection = selecting.in_round(round, selecting.selector.most());
    ASSERT_EQ(selection.accepted.size(), selection.asked.size()) << "nobody is a spare";
    ASSERT_TRUE(std::is_sorted(selection.accepted.begin(), selection.accepted.end()));
    ++sizes[selection.accepted.size()];
    for (const AgentId a : selection.accepted) {
      for (const AgentId b : selection.accepted) ++together[a.value][b.value];
    }
  }
  const auto near = [&](int found, double probability) {
    const double deviation = std::sqrt(rounds * probability * (1.0 - probability));
    EXPECT_NEAR(found, rounds * probability, 4.0 * deviation);
  };
  for (std::size_t a = 0; a < 8; ++a) {
    for (std::size_t b = 0; b < 8; ++b) near(together[a][b], a == b ? p : p * p);
  }
  near(sizes[0], std::pow(1.0 - p, 8));  // as a binomial number is
  near(sizes[2], 28.0 * p * p * std::pow(1.0 - p, 6));
}

TEST(Selection, poisson_keeps_the_smallest_draws_where_fewer_may_be_asked) {
  const Selecting selecting("clients: 30 poisson: 0.5");
  std::map<std::uint32_t, int> chosen;
  for (std::uint32_t round = 1; round <= 3000; ++round) {
    const RoundSelection few = selecting.in_round(round, 3);
    ASSERT_EQ(few.accepted.size(), 3U);
    const std::vector<AgentId> all = selecting.in_round(round, 30).accepted;
    for (const AgentId client : few.accepted) {
      EXPECT_TRUE(std::binary_search(all.begin(), all.end(), client));
      ++chosen[client.value];
    }
  }
  for (std::uint32_t id = 0; id < 30; ++id) EXPECT_NEAR(chosen[id], 300, 4 * std::sqrt(300 * 0.9)) << id;
  EXPECT_TRUE(selecting.in_round(1, 0).asked.empty());
}

TEST(Selection, says_how_many_updates_to_expect) {
  const Selecting poisson("clients: 200 poisson: 0.1");
  EXPECT_EQ(poisson.selector.wanted(), 20U);
  EXPECT_DOUBLE_EQ(poisson.selector.expected(), 20.0);
  EXPECT_DOUBLE_EQ(poisson.selector.inclusion_bound(), 0.1);
  EXPECT_EQ(poisson.selector.most(), 52U);  // 20 + 6 sqrt(18) + 6, rounded up
  EXPECT_EQ(Selecting("clients: 5 poisson: 1").selector.most(), 5U);
  EXPECT_EQ(Selecting("clients: 5 poisson: 0.01").selector.wanted(), 1U);
  const Selecting fixed("clients: 200 per_round: 20 availability { over_selection: 1.5 }");
  EXPECT_EQ(fixed.selector.most(), 20U);
  EXPECT_DOUBLE_EQ(fixed.selector.inclusion_bound(), 0.15);
  EXPECT_DOUBLE_EQ(Selecting("clients: 20 per_round: 5 weighting: BY_SAMPLES").selector.inclusion_bound(), 1.0);
}

TEST(Selection, poisson_refuses_what_has_no_meaning_beside_it) {
  EXPECT_THROW(Selecting("clients: 20 poisson: 0.5 weighting: BY_SAMPLES"), InputError);
  EXPECT_THROW(Selecting("clients: 20 poisson: 0.5 availability { over_selection: 1.5 }"), InputError);
}

TEST(Selection, the_virtual_clock_takes_the_earliest_and_drops_the_late) {
  // Everybody is asked; client i arrives after i seconds; three are wanted.
  const Selecting spares("clients: 10 per_round: 3 availability { over_selection: 4 }");
  const RoundSelection early = spares.in_round(1);
  EXPECT_THAT(early.accepted, ElementsAre(AgentId{0}, AgentId{1}, AgentId{2}));
  EXPECT_DOUBLE_EQ(early.virtual_seconds, 2.0);
  EXPECT_EQ(early.asked[3].outcome, SelectionOutcome::spare);

  const Selecting hurried("clients: 10 everyone: true availability { deadline: 4.5 }");
  const RoundSelection late = hurried.in_round(1);
  EXPECT_EQ(late.accepted.size(), 5U);
  EXPECT_EQ(late.asked[5].outcome, SelectionOutcome::late);
  EXPECT_DOUBLE_EQ(late.virtual_seconds, 4.5);
}

TEST(Selection, over_selection_is_not_rounded_up_beyond_its_meaning) {
  const Selecting selecting("clients: 100 per_round: 50 availability { over_selection: 1.1 }");
  EXPECT_EQ(selecting.in_round(1).asked.size(), 55U);
}

TEST(Selection, dropouts_happen_with_their_probability) {
  const Selecting selecting("clients: 50 everyone: true availability { dropout: 0.3 }");
  int dropped = 0;
  for (std::uint32_t round = 1; round <= 200; ++round) {
    for (const Candidate& candidate : selecting.in_round(round).asked)
      dropped += candidate.outcome == SelectionOutcome::dropout ? 1 : 0;
  }
  EXPECT_NEAR(dropped, 3000, 190);
}

std::vector<float> after_two_steps(const std::string& server) {
  const auto resolved = resolve("server {" + server + "}");
  const auto optimizer = make_server_optimizer(resolved.scenario->server());
  std::vector<float> parameters{1.0F};
  const auto rate = static_cast<float>(resolved.scenario->server().learning_rate());
  optimizer->apply(std::vector<float>{0.5F}, rate, parameters);
  SaveArchive save;
  optimizer->serialize(save);
  const auto resumed = make_server_optimizer(resolved.scenario->server());
  LoadArchive load(save.bytes());
  resumed->serialize(load);
  resumed->apply(std::vector<float>{-1.0F}, rate, parameters);
  return parameters;
}

TEST(ServerOptimizers, make_the_steps_of_their_definitions_also_after_saving) {
  EXPECT_THAT(after_two_steps("sgd {} learning_rate: 2"), ElementsAre(FloatNear(0.0F, 1e-6F)));  // 1 + 1 - 2
  // v1 = 0.5, w = 1.5; v2 = 0.9 * 0.5 - 1 = -0.55, w = 0.95
  EXPECT_THAT(after_two_steps("sgd { momentum: 0.9 }"), ElementsAre(FloatNear(0.95F, 1e-6F)));

  // Reddi et al., Algorithm 2, computed in double: tau 0.1, beta1 0.5, beta2 0.9, v0 = tau^2, rate 0.1.
  const auto expected = [](auto second_moment, double beta1) {
    double m = 0, v = 0.01, w = 1;
    for (const double step : {0.5, -1.0}) {
      m = beta1 * m + (1 - beta1) * step;
      v = second_moment(v, step * step);
      w += 0.1 * m / (std::sqrt(v) + 0.1);
    }
    return static_cast<float>(w);
  };
  const auto adam = [](double v, double s) { return 0.9 * v + 0.1 * s; };
  const auto yogi = [](double v, double s) { return v - 0.1 * s * (v > s ? 1.0 : -1.0); };
  const auto adagrad = [](double v, double s) { return v + s; };
  EXPECT_THAT(after_two_steps("fed_adam { beta1: 0.5 beta2: 0.9 tau: 0.1 } learning_rate: 0.1"),
              ElementsAre(FloatNear(expected(adam, 0.5), 1e-6F)));
  EXPECT_THAT(after_two_steps("fed_yogi { beta1: 0.5 beta2: 0.9 tau: 0.1 } learning_rate: 0.1"),
              ElementsAre(FloatNear(expected(yogi, 0.5), 1e-6F)));
  EXPECT_THAT(after_two_steps("fed_adagrad { tau: 0.1 } learning_rate: 0.1"),
              ElementsAre(FloatNear(expected(adagrad, 0.0), 1e-6F)));
}

TEST(SharedData, is_the_same_on_any_number_of_ranks) {
  const auto resolved = resolve("task { data { glyphs { train_samples: 200 test_samples: 50 } } }");
  const auto all_of = [](const Dataset& data) {
    std::vector<SampleIndex> which(data.size());
    std::iota(which.begin(), which.end(), 0U);
    std::vector<float> features(data.size() * data.features());
    data.copy_features(which, features);
    return features;
  };
  std::vector<float> expected;
  for (const int ranks : {1, 2, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      const SharedData data = load_shared_data(comm, resolved.scenario->task().data(), 1);
      comm.barrier();
      if (comm.rank() != comm.size() - 1) return comm.barrier();
      const std::vector<float> features = all_of(data.train);
      EXPECT_EQ(data.test.size(), 50U);
      if (expected.empty()) expected = features;
      EXPECT_EQ(features, expected);
      comm.barrier();
    });
  }
}

TEST(Evaluator, gives_the_same_bits_on_any_number_of_ranks) {
  const auto resolved = resolve("task { data { glyphs { train_samples: 50 test_samples: 333 } } model { logreg {} } }");
  std::vector<double> expected;
  for (const int ranks : {1, 2, 3, 5}) {
    run_team(ranks, [&](const Comm& comm) {
      const SharedData data = load_shared_data(comm, resolved.scenario->task().data(), 1);
      const auto task = make_task(resolved.scenario->task(), data.train, data.test, "cpu");
      std::vector<float> parameters(task->layout().dimension());
      Stream random(1, StreamKey{Purpose::weight_init, nobody, {}});
      task->initialise(random, parameters);
      Evaluator evaluator(*task, Split::test, all_units(*task, Split::test), 40);
      evaluator.test_own_batches(comm, parameters);
      const Scores scores = evaluator.gather(comm).scores;
      std::vector<double> all{scores.loss, scores.quality, scores.skill};
      for (const TaskMetric& metric : scores.metrics) all.push_back(metric.value);
      if (comm.rank() != 0) return;
      if (expected.empty()) expected = all;
      EXPECT_EQ(all, expected) << ranks;
    });
  }
  EXPECT_GT(expected[0], 1.0);  // an untrained model guesses: loss near ln 10
  EXPECT_LT(expected[0], 4.0);
}

TEST(StopTests, target_counts_once_and_patience_counts_tests_without_improvement) {
  const auto resolved = resolve("evaluation { target_accuracy: 0.5 patience: 2 min_improvement: 0.1 }");
  StopTests stop(resolved.scenario->evaluation(), 0.5);
  EXPECT_EQ(stop.note({.loss = 1.0, .quality = 0.4}), std::nullopt);
  EXPECT_EQ(stop.note({.loss = 0.8, .quality = 0.6}), std::nullopt);
  EXPECT_TRUE(stop.first_at_target());
  EXPECT_EQ(stop.note({.loss = 0.75, .quality = 0.7}), std::nullopt);  // less than min_improvement
  EXPECT_FALSE(stop.first_at_target());
  EXPECT_EQ(stop.note({.loss = 0.9, .quality = 0.7}), Stop::patience);

  const auto eager = resolve("evaluation { target_accuracy: 0.5 stop_at_target: true }");
  EXPECT_EQ(StopTests(eager.scenario->evaluation(), 0.5).note({.loss = 1.0, .quality = 0.5}), Stop::target);
}

}  // namespace
}  // namespace souk::agents_test
