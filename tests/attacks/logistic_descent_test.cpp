// Logistic regression with many coefficients, beside Newton's method with few.
#include "attacks/logistic_descent.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "attacks/membership_scores.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk::logistic_descent_test {
namespace {

struct Rows {
  std::vector<float> values;
  std::vector<std::uint8_t> truth;
};

/// Two columns, of which the first says something of the truth.
Rows some_rows(std::size_t count) {
  Stream random(7, streams::imitated_update(0, 0));
  Rows rows;
  for (std::size_t i = 0; i < count; ++i) {
    const bool positive = random.uniform() < 0.4;
    rows.values.push_back(static_cast<float>(random.normal() + (positive ? 0.8 : -0.3)));
    rows.values.push_back(static_cast<float>(3.0 * random.normal()));
    rows.truth.push_back(positive ? 1 : 0);
  }
  return rows;
}

TEST(LinearClassifier, finds_what_newtons_method_finds) {
  const Rows rows = some_rows(60);
  double sum = 0.0, squares = 0.0;
  for (const float value : rows.values) {
    sum += static_cast<double>(value) / 120.0;
    squares += static_cast<double>(value) * static_cast<double>(value) / 120.0;
  }
  const double deviation = std::sqrt(squares - sum * sum);
  std::vector<std::vector<double>> scaled;
  for (std::size_t i = 0; i < 60; ++i) {
    scaled.push_back(
        {static_cast<double>(rows.values[2 * i]) / deviation, static_cast<double>(rows.values[2 * i + 1]) / deviation});
  }
  for (const double loss_weight : {0.1, 1.0, 10.0}) {
    const std::vector<double> newton = logistic_regression(scaled, rows.truth, 1.0 / loss_weight);
    const LinearClassifier classifier({.values = rows.values, .truth = rows.truth}, loss_weight);
    for (std::size_t i = 0; i < 60; ++i) {
      EXPECT_NEAR(classifier.log_odds(std::span(rows.values).subspan(2 * i, 2)), log_odds(newton, scaled[i]), 1e-5);
    }
  }
}

TEST(LinearClassifier, of_rows_that_are_all_alike_knows_their_shares_alone) {
  const std::vector<float> values(8, 0.0F);
  const std::vector<std::uint8_t> truth{1, 0, 1, 0};
  const LinearClassifier classifier({.values = values, .truth = truth}, 1.0);

  EXPECT_NEAR(classifier.log_odds(std::vector<float>{5.0F, 5.0F}), 0.0, 1e-6);
}

}  // namespace
}  // namespace souk::logistic_descent_test
