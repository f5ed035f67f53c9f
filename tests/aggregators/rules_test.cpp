#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

TEST(Mean, weighs_by_samples_as_federated_averaging_does) {
  const Outcome outcome = run_rule("mean {}", {.rows = {{1, 10}, {4, 20}}, .samples = {100, 200}});

  EXPECT_THAT(outcome.weights, ElementsAre(DoubleEq(1.0 / 3.0), DoubleEq(2.0 / 3.0)));
  EXPECT_THAT(outcome.step, ElementsAre(3.0F, 50.0F / 3.0F));
}

TEST(Mean, weighs_alike_when_told_to) {
  const Outcome outcome = run_rule("mean { weighting: UNIFORM }", {.rows = {{1, 10}, {4, 20}}, .samples = {100, 200}});

  EXPECT_THAT(outcome.step, ElementsAre(2.5F, 15.0F));
}

TEST(Median, stays_within_the_benign_values_while_attackers_are_fewer_than_half) {
  const Outcome outcome = run_rule("median {}", {.rows = {{1, -1}, {2, -2}, {3, -3}, {1e30F, 1e30F}, {1e30F, -1e30F}}});

  EXPECT_THAT(outcome.step, ElementsAre(3.0F, -2.0F));
}

}  // namespace
}  // namespace souk
