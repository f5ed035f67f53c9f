// Every registered rule, automatically: what any rule must do, whatever it computes.
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/own_code.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::conformance_test {
namespace {

constexpr std::size_t f = 1;

class EveryRule : public testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<Aggregator> rule() { return make_rule(usual_rule(GetParam())); }
  static Outcome run(const Rows& rows) { return run_rule(*rule(), Comm::self(), {.rows = rows, .tolerated_f = f}); }
};

Rows shifted_and_scaled(Rows rows, float factor, float shift) {
  for (auto& row : rows) {
    for (float& value : row) value = value * factor + shift;
  }
  return rows;
}

TEST_P(EveryRule, gives_the_same_bits_on_any_number_of_ranks) {
  const RuleRound round{.rows = random_rows(9, 5000), .tolerated_f = f};
  const Outcome expected = run_rule(*rule(), Comm::self(), round);
  for (const int ranks : {1, 2, 3, 4, 5, 8, 13}) {
    run_team(ranks, [&](const Comm& comm) {
      const auto own = rule();
      EXPECT_EQ(run_rule(*own, comm, round), expected) << ranks << " ranks";
    });
  }
}

TEST_P(EveryRule, permuting_agents_permutes_weights_and_keeps_the_step) {
  const Rows rows = random_rows(7, 300);
  const Rows reversed(rows.rbegin(), rows.rend());
  if (!rule()->preserves().permutation) GTEST_SKIP() << "declares that it does not preserve permutations";
  const Outcome forward = run(rows);
  const Outcome backward = run(reversed);

  if (!rule()->preserves().noise) expect_near(forward.step, backward.step, 1e-5);
  for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(forward.weights[i], backward.weights[6 - i], 1e-9);
}

TEST_P(EveryRule, scaling_all_updates_scales_the_step_unless_declared_otherwise) {
  if (!rule()->preserves().scale) GTEST_SKIP() << "declares that it does not preserve scale";
  const Rows rows = random_rows(7, 300);
  expect_near(run(shifted_and_scaled(rows, 2.0F, 0.0F)).step, shifted_and_scaled({run(rows).step}, 2.0F, 0.0F).front(),
              1e-5);
}

TEST_P(EveryRule, shifting_all_updates_shifts_the_step_unless_declared_otherwise) {
  if (!rule()->preserves().translation) GTEST_SKIP() << "declares that it does not preserve translation";
  const Rows rows = random_rows(7, 300);
  expect_near(run(shifted_and_scaled(rows, 1.0F, 0.5F)).step, shifted_and_scaled({run(rows).step}, 1.0F, 0.5F).front(),
              1e-5);
}

TEST_P(EveryRule, identical_updates_give_that_update_unless_declared_otherwise) {
  if (!rule()->preserves().unanimity) GTEST_SKIP() << "declares that it does not preserve unanimity";
  const Rows rows(5, random_rows(1, 300).front());
  expect_near(run(rows).step, rows.front(), 1e-6);
}

TEST_P(EveryRule, survives_zeros_and_a_single_update) {
  for (const Rows& rows : {Rows(5, std::vector<float>(300, 0.0F)), random_rows(1, 300), random_rows(2, 300)}) {
    const Outcome outcome = run(rows);
    for (const float value : outcome.step) ASSERT_TRUE(std::isfinite(value));
    ASSERT_EQ(outcome.weights.size(), rows.size());
  }
}

TEST_P(EveryRule, weights_add_to_one_or_are_all_zero_and_nothing_is_nan_at_extreme_magnitudes) {
  for (const double scale : {1e-20, 1.0, 1e18}) {
    const Outcome outcome = run(random_rows(6, 300, scale));
    const double sum = std::reduce(outcome.weights.begin(), outcome.weights.end());
    EXPECT_TRUE(std::abs(sum - 1.0) < 1e-9 || sum == 0.0) << sum;
    for (const double weight : outcome.weights) EXPECT_GE(weight, 0.0);
    EXPECT_TRUE(outcome.scores.empty() || outcome.scores.size() == 6U);
    for (const double score : outcome.scores) EXPECT_TRUE(std::isfinite(score)) << scale;
    for (const float value : outcome.step) ASSERT_TRUE(std::isfinite(value)) << scale;
  }
}

TEST_P(EveryRule, save_load_continue_equals_continue_on_another_number_of_ranks) {
  const auto unbroken = rule();
  const Comm self = Comm::self();
  const auto round = [](std::uint32_t number) {
    return RuleRound{.rows = random_rows(6, 3000, number), .tolerated_f = f, .round = number};
  };
  for (const std::uint32_t number : {1U, 2U, 3U}) run_rule(*unbroken, self, round(number));
  SaveArchive save;
  unbroken->serialize(save, self);
  const Outcome expected = run_rule(*unbroken, self, round(4));
  run_team(2, [&](const Comm& comm) {
    const auto resumed = rule();
    LoadArchive load(save.bytes());
    resumed->serialize(load, comm);
    load.expect_end();
    EXPECT_EQ(run_rule(*resumed, comm, round(4)), expected);
  });
}

INSTANTIATE_TEST_SUITE_P(registered, EveryRule,
                         testing::ValuesIn(names_that_run(PluginRegistry<Aggregator>::instance().names())),
                         [](const auto& instance) { return instance.param; });

/// Updates of a length of `bound` at most.
Rows short_rows(std::size_t n, double bound) {
  Rows rows = random_rows(n, 300);
  for (std::size_t i = 0; i < n; ++i) {
    double square = 0.0;
    for (const float value : rows[i]) square += static_cast<double>(value) * static_cast<double>(value);
    const double length = bound * static_cast<double>(i + 1) / static_cast<double>(n);
    for (float& value : rows[i]) value = static_cast<float>(static_cast<double>(value) * length / std::sqrt(square));
  }
  return rows;
}

TEST(Rules, one_update_moves_the_sum_no_further_than_its_rule_says) {
  constexpr std::size_t n = 8;
  constexpr double bound = 0.9;
  for (const std::string text :
       {"mean { weighting: UNIFORM }", "norm_clipping { bound: 0.5 }", "norm_clipping { bound: 3 }"}) {
    SCOPED_TRACE(text);
    const auto rule = make_rule(text);
    const std::optional<double> most = rule->sensitivity(bound);
    ASSERT_TRUE(most);
    const Rows rows = short_rows(n, bound);
    const std::vector<float> all = run_rule(*rule, Comm::self(), {.rows = rows}).step;
    double furthest = 0.0;
    for (std::size_t without = 0; without < n; ++without) {
      Rows fewer = rows;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(without));
      const std::vector<float> step = run_rule(*rule, Comm::self(), {.rows = fewer}).step;
      double square = 0.0;
      for (std::size_t v = 0; v < step.size(); ++v) {
        const double moved = static_cast<double>(n) * static_cast<double>(all[v]) -
                             static_cast<double>(n - 1) * static_cast<double>(step[v]);
        square += moved * moved;
      }
      furthest = std::max(furthest, std::sqrt(square));
    }
    EXPECT_LE(furthest, *most * (1.0 + 1e-5));
    EXPECT_GE(furthest, *most * (1.0 - 1e-5)) << "the longest update is as long as it may be";
  }
}

TEST(Rules, know_no_such_length_where_an_update_moves_others) {
  for (const std::string text :
       {"mean {}", "median {}", "krum {}", "centered_clipping {}", "weak_dp {}", "fltrust {}"}) {
    EXPECT_FALSE(make_rule(text)->sensitivity(1.0)) << text;
  }
}

TEST(Rules, every_rule_of_the_schema_is_registered) {
  const auto* oneof = scenario::Aggregator::descriptor()->FindOneofByName("rule");
  for (int r = 0; r < oneof->field_count(); ++r) {
    EXPECT_TRUE(PluginRegistry<Aggregator>::instance().has(oneof->field(r)->name())) << oneof->field(r)->name();
  }
}

}  // namespace
}  // namespace souk::conformance_test
