// Every registered rule, automatically: what any rule must do, whatever it computes.
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <google/protobuf/dynamic_message.h>
#include <gtest/gtest.h>

#include "aggregators/aggregator.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/matrices.hpp"

namespace souk {
namespace {

std::unique_ptr<Aggregator> make_rule(const std::string& name) {
  scenario::Aggregator config;
  const auto* field = scenario::Aggregator::descriptor()->FindFieldByName(name);
  config.GetReflection()->MutableMessage(&config, field);
  return make_aggregator(config);
}

struct Outcome {
  std::vector<float> step;
  std::vector<double> weights;
  bool operator==(const Outcome&) const = default;
};

Outcome aggregate(Aggregator& rule, const Comm& comm, const Rows& rows, std::uint32_t round = 1) {
  const TestMatrix matrix(comm, rows);
  std::vector<Submission> submissions;
  for (std::uint32_t i = 0; i < rows.size(); ++i) submissions.push_back({{i}, 10});
  Stream random(5, Purpose::aggregation, nobody, {round});
  const RuleOutput output = rule.aggregate({.comm = comm,
                                            .round = {round},
                                            .submissions = submissions,
                                            .updates = matrix.columns(),
                                            .random = random});
  return {whole(comm, matrix.columns(), output.step), output.weights};
}

Outcome aggregate_alone(const std::string& name, const Rows& rows) {
  return aggregate(*make_rule(name), Comm::self(), rows);
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t c = 0; c < a.size(); ++c) ASSERT_NEAR(a[c], b[c], tolerance) << c;
}

class EveryRule : public testing::TestWithParam<std::string> {};

TEST_P(EveryRule, gives_the_same_bits_on_any_number_of_ranks) {
  const Rows rows = random_rows(9, 5000);
  const Outcome expected = aggregate_alone(GetParam(), rows);
  for (const int ranks : {1, 2, 3, 4, 5, 8, 13}) {
    run_team(ranks, [&](const Comm& comm) {
      const auto rule = make_rule(GetParam());
      EXPECT_EQ(aggregate(*rule, comm, rows), expected) << ranks << " ranks";
    });
  }
}

TEST_P(EveryRule, permuting_agents_permutes_weights_and_keeps_the_step) {
  const Rows rows = random_rows(7, 300);
  Rows reversed(rows.rbegin(), rows.rend());
  const Outcome forward = aggregate_alone(GetParam(), rows);
  const Outcome backward = aggregate_alone(GetParam(), reversed);

  expect_near(forward.step, backward.step, 1e-5);
  for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(forward.weights[i], backward.weights[6 - i], 1e-9);
}

TEST_P(EveryRule, scaling_all_updates_scales_the_step_unless_declared_otherwise) {
  const Rows rows = random_rows(7, 300);
  Rows doubled = rows;
  for (auto& row : doubled) {
    for (float& value : row) value *= 2;
  }
  if (!make_rule(GetParam())->preserves().scale) GTEST_SKIP() << "declares that it does not preserve scale";
  std::vector<float> expected = aggregate_alone(GetParam(), rows).step;
  for (float& value : expected) value *= 2;

  expect_near(aggregate_alone(GetParam(), doubled).step, expected, 1e-5);
}

TEST_P(EveryRule, identical_updates_give_that_update_and_zero_gives_zero) {
  const Rows rows(5, random_rows(1, 300).front());
  expect_near(aggregate_alone(GetParam(), rows).step, rows.front(), 1e-6);
  expect_near(aggregate_alone(GetParam(), Rows(5, std::vector<float>(300, 0.0F))).step, std::vector<float>(300), 0.0);
}

TEST_P(EveryRule, one_update_alone_is_taken_as_it_is) {
  const Rows rows = random_rows(1, 300);
  expect_near(aggregate_alone(GetParam(), rows).step, rows.front(), 1e-6);
}

TEST_P(EveryRule, weights_add_to_one_or_are_all_zero_and_nothing_is_nan_at_extreme_magnitudes) {
  for (const double scale : {1e-20, 1.0, 1e20}) {
    const Outcome outcome = aggregate_alone(GetParam(), random_rows(6, 300, scale));
    const double sum = std::reduce(outcome.weights.begin(), outcome.weights.end());
    EXPECT_TRUE(std::abs(sum - 1.0) < 1e-9 || sum == 0.0) << sum;
    for (const float value : outcome.step) ASSERT_TRUE(std::isfinite(value)) << scale;
  }
}

TEST_P(EveryRule, save_load_continue_equals_continue) {
  const Comm comm = Comm::self();
  const auto rule = make_rule(GetParam());
  aggregate(*rule, comm, random_rows(6, 300), 1);
  SaveArchive save;
  rule->serialize(save, comm);
  const auto resumed = make_rule(GetParam());
  LoadArchive load(save.bytes());
  resumed->serialize(load, comm);

  EXPECT_EQ(aggregate(*resumed, comm, random_rows(6, 300, 2.0), 2),
            aggregate(*rule, comm, random_rows(6, 300, 2.0), 2));
}

INSTANTIATE_TEST_SUITE_P(registered, EveryRule, testing::ValuesIn(PluginRegistry<Aggregator>::instance().names()),
                         [](const auto& instance) { return instance.param; });

TEST(Rules, every_rule_of_the_schema_is_registered) {
  const auto* oneof = scenario::Aggregator::descriptor()->FindOneofByName("rule");
  EXPECT_EQ(static_cast<int>(PluginRegistry<Aggregator>::instance().names().size()), oneof->field_count());
}

}  // namespace
}  // namespace souk
