#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk::skymask_test {
namespace {

using testing::DoubleNear;
using testing::Each;

/// Updates around the target, those in `bad` around its opposite; the server's own is honest.
RuleRound around_target(std::size_t n, const std::vector<std::size_t>& bad, std::vector<float>& target) {
  constexpr std::size_t dimension = 400;
  Rows rows = random_rows(n + 2, dimension, 0.3);
  target = rows[n + 1];
  for (float& value : target) value *= 4.0F;
  for (std::size_t i = 0; i <= n; ++i) {
    const bool is_bad = std::find(bad.begin(), bad.end(), i) != bad.end();
    for (std::size_t c = 0; c < dimension; ++c) rows[i][c] += is_bad ? -target[c] : target[c];
  }
  RuleRound round{.rows = Rows(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(n))};
  round.root_update = rows[n];
  return round;
}

class SkyMaskVariants : public testing::TestWithParam<std::string> {};

TEST_P(SkyMaskVariants, keeps_the_models_whose_masks_look_like_the_root_models) {
  std::vector<float> target;
  for (const std::vector<std::size_t>& bad : {std::vector<std::size_t>{1, 4}, {0, 1, 2, 3, 4, 5, 6}}) {
    RuleRound round = around_target(10, bad, target);
    QuadraticOracle oracle(Comm::self(), target);
    round.losses = &oracle;
    const Outcome outcome = run_rule("skymask { variant: " + GetParam() + " }", round);
    for (std::size_t i = 0; i < 10; ++i) {
      const bool is_bad = std::find(bad.begin(), bad.end(), i) != bad.end();
      EXPECT_EQ(outcome.weights[i] > 0.0, !is_bad) << GetParam() << " client " << i << ", " << bad.size() << " bad";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(all, SkyMaskVariants, testing::Values("SIGN", "CODE"));

TEST(SkyMask, keeps_everybody_where_nobody_attacks) {
  std::vector<float> target;
  RuleRound round = around_target(10, {}, target);
  QuadraticOracle oracle(Comm::self(), target);
  round.losses = &oracle;
  const Outcome outcome = run_rule("skymask {}", round);
  EXPECT_EQ(outcome.diagnostics.at("accepted"), 10.0);
  EXPECT_THAT(outcome.weights, Each(DoubleNear(0.1, 1e-12)));
}

TEST(SkyMask, stops_when_ten_steps_no_longer_lower_the_loss) {
  std::vector<float> target;
  RuleRound round = around_target(4, {}, target);
  round.rows.assign(4, round.root_update);  // one model: no mask can change anything
  QuadraticOracle oracle(Comm::self(), target);
  round.losses = &oracle;
  EXPECT_EQ(run_rule("skymask { steps: 100 }", round).diagnostics.at("mask_steps"), 10.0);
  EXPECT_EQ(run_rule("skymask { steps: 100 variant: CODE }", round).diagnostics.at("mask_steps"), 11.0)
      << "the repository tests the loss behind the step";
}

}  // namespace
}  // namespace souk::skymask_test
