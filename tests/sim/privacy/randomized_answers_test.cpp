// What many answers by randomised response give away together.
#include "sim/privacy/randomized_answers.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace souk::randomized_answers_test {
namespace {

/// Published values (docs/results/privacy.md), delta 1e-5.
TEST(RandomizedAnswers, compose_exactly) {
  EXPECT_NEAR(randomized_answers_epsilon(0.1, 20, 1e-5), 1.598, 5e-4);
  EXPECT_NEAR(randomized_answers_epsilon(0.1, 200, 1e-5), 6.51, 5e-3);
  EXPECT_NEAR(randomized_answers_epsilon(0.25, 20, 1e-5), 4.46, 5e-3);
  EXPECT_NEAR(randomized_answers_epsilon(0.25, 200, 1e-5), 20.284, 5e-4);
  EXPECT_NEAR(randomized_answers_epsilon(0.5, 20, 1e-5), 9.86, 5e-3);
  EXPECT_NEAR(randomized_answers_epsilon(0.5, 200, 1e-5), 52.0, 5e-2);
  EXPECT_NEAR(randomized_answers_epsilon(1.0, 200, 1e-5), 141.8, 5e-2);
}

TEST(RandomizedAnswers, one_answer_is_what_it_is) {
  // delta(e) = p (1 - e^(e - e0)) below e0.
  const double p = 1.0 / (1.0 + std::exp(-0.7)), delta = 0.01;
  EXPECT_NEAR(randomized_answers_epsilon(0.7, 1, delta), 0.7 + std::log1p(-delta / p), 1e-9);
  EXPECT_EQ(randomized_answers_epsilon(0.7, 1, 0.0), 0.7);
  EXPECT_EQ(randomized_answers_epsilon(0.7, 13, 0.0), 0.7 * 13);
  EXPECT_EQ(randomized_answers_epsilon(0.7, 0, 1e-5), 0.0);
}

TEST(RandomizedAnswers, grow_with_answers_and_with_epsilon) {
  double before = 0.0;
  for (const std::uint64_t answers : {1U, 2U, 5U, 17U, 1000U, 100000U}) {
    const double now = randomized_answers_epsilon(0.05, answers, 1e-6);
    EXPECT_GE(now, before);
    EXPECT_LE(now, 0.05 * static_cast<double>(answers));
    before = now;
  }
  EXPECT_LT(randomized_answers_epsilon(0.1, 50, 1e-5), randomized_answers_epsilon(0.2, 50, 1e-5));
}

}  // namespace
}  // namespace souk::randomized_answers_test
