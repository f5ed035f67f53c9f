#include "sim/learn/optimizer.hpp"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::optimizer_test {
namespace {

using fixtures::parse;
using ::testing::ElementsAre;
using ::testing::FloatNear;

/// Parameters after steps of the quadratic w^2 / 2, whose gradient is w, from `start`, at rate 0.1.
std::vector<float> minimise(const std::string& training, std::vector<float> w, int steps) {
  const std::vector<float> anchor = w;
  Optimizer optimizer(parse<scenario::Training>(training), w.size());
  optimizer.restart();
  for (int step = 0; step < steps; ++step) {
    const std::vector<float> gradient = w;
    optimizer.step(w, gradient, anchor, 0.1);
  }
  return w;
}

constexpr float rounding = 1e-6F;  // a few roundings of values up to 2

TEST(Sgd, subtracts_the_gradient_and_the_decay) {
  // 1 - 0.1 * 1 = 0.9; with decay 0.5: 1 - 0.1 * (1 + 0.5) = 0.85.
  EXPECT_THAT(minimise("sgd {}", {1.0F, -2.0F}, 1), ElementsAre(FloatNear(0.9F, rounding), FloatNear(-1.8F, rounding)));
  EXPECT_THAT(minimise("sgd { weight_decay: 0.5 }", {1.0F}, 1), ElementsAre(FloatNear(0.85F, rounding)));
}

TEST(Sgd, momentum_starts_as_the_first_gradient) {
  // v1 = 1, w1 = 0.9; v2 = 0.5 * 1 + 0.9 = 1.4, w2 = 0.76.
  EXPECT_THAT(minimise("sgd { momentum: 0.5 }", {1.0F}, 2), ElementsAre(FloatNear(0.76F, rounding)));
}

TEST(Sgd, nesterov_looks_ahead) {
  // v1 = 1, w1 = 1 - 0.1 (1 + 0.5) = 0.85; v2 = 0.5 + 0.85 = 1.35, w2 = 0.85 - 0.1 (0.85 + 0.675) = 0.6975.
  EXPECT_THAT(minimise("sgd { momentum: 0.5 nesterov: true }", {1.0F}, 2), ElementsAre(FloatNear(0.6975F, rounding)));
}

TEST(Sgd, nesterov_without_momentum_is_refused) {
  EXPECT_THROW(Optimizer(parse<scenario::Training>("sgd { nesterov: true }"), 1), InputError);
}

/// PyTorch's formulas, in double, of the same problem.
double adam(double w, int steps, double coupled, double decoupled) {
  double m = 0.0, v = 0.0;
  for (int t = 1; t <= steps; ++t) {
    const double g = w + coupled * w;
    w *= 1.0 - 0.1 * decoupled;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= 0.1 / (1.0 - std::pow(0.9, t)) * m / (std::sqrt(v) / std::sqrt(1.0 - std::pow(0.999, t)) + 1e-8);
  }
  return w;
}

TEST(Adam, takes_a_first_step_of_the_learning_rate) {
  EXPECT_THAT(minimise("adam {}", {1.0F, -3.0F}, 1),
              ElementsAre(FloatNear(0.9F, rounding), FloatNear(-2.9F, rounding)));
}

TEST(Adam, follows_the_formulas_for_many_steps) {
  const auto w = minimise("adam { weight_decay: 0.3 }", {1.5F}, 25);

  EXPECT_NEAR(w[0], adam(1.5, 25, 0.3, 0.0), 1e-5);
}

TEST(AdamW, decays_apart_from_the_gradient) {
  const auto w = minimise("adamw { weight_decay: 0.3 }", {1.5F}, 25);

  EXPECT_NEAR(w[0], adam(1.5, 25, 0.0, 0.3), 1e-5);
}

TEST(Optimizer, forgets_its_state_at_a_restart) {
  for (const char* training : {"sgd { momentum: 0.9 }", "adam {}", "adamw {}"}) {
    Optimizer optimizer(parse<scenario::Training>(training), 2);
    const std::vector<float> gradient{1.0F, -4.0F};
    std::vector<float> first{1.0F, 2.0F}, second = first;

    optimizer.restart();
    for (int step = 0; step < 3; ++step) optimizer.step(first, gradient, gradient, 0.1);
    optimizer.restart();
    for (int step = 0; step < 3; ++step) optimizer.step(second, gradient, gradient, 0.1);

    EXPECT_EQ(first, second) << training;
  }
}

TEST(Proximal, pulls_towards_the_global_model) {
  Optimizer optimizer(parse<scenario::Training>("proximal_mu: 2"), 2);
  std::vector<float> w{1.0F, 5.0F};

  optimizer.step(w, std::vector<float>{0.0F, 1.0F}, std::vector<float>{0.0F, 5.0F}, 0.1);

  // 1 - 0.1 * 2 * (1 - 0) = 0.8; 5 - 0.1 * (1 + 0) = 4.9.
  EXPECT_THAT(w, ElementsAre(FloatNear(0.8F, rounding), FloatNear(4.9F, rounding)));
}

TEST(Proximal, converges_to_the_closed_form) {
  // The minimum of w^2 / 2 + (mu / 2) (w - 3)^2 is 3 mu / (1 + mu).
  const auto w = minimise("proximal_mu: 2", {3.0F}, 200);

  EXPECT_THAT(w, ElementsAre(FloatNear(2.0F, rounding)));
}

TEST(Clipping, scales_down_longer_gradients_only) {
  const auto step = [](std::vector<float> gradient) {
    Optimizer optimizer(parse<scenario::Training>("clip_norm: 1"), 2);
    std::vector<float> w{0.0F, 0.0F};
    optimizer.step(w, gradient, w, 1.0);
    return w;
  };

  EXPECT_THAT(step({3.0F, 4.0F}), ElementsAre(FloatNear(-0.6F, rounding), FloatNear(-0.8F, rounding)));
  EXPECT_THAT(step({0.3F, 0.4F}), ElementsAre(-0.3F, -0.4F));
}

TEST(Clipping, measures_the_gradient_with_its_proximal_term) {
  const std::vector<float> gradient{1.0F, 0.0F, 0.0F}, w{1.0F, 4.0F, 0.0F}, anchor{0.0F, 0.0F, 0.0F};

  EXPECT_DOUBLE_EQ(proximal_norm(gradient, w, anchor, 0.0F), 1.0);
  EXPECT_DOUBLE_EQ(proximal_norm(gradient, w, anchor, 1.0F), std::sqrt(4.0 + 16.0));
}

}  // namespace
}  // namespace souk::optimizer_test
