#include "attacks/logistic_descent.hpp"

#include <algorithm>
#include <cmath>

#include "attacks/bounded_lbfgs.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

/// log(1 + exp(-margin)) without overflow.
double loss_of(double margin) { return std::max(-margin, 0.0) + std::log1p(std::exp(-std::abs(margin))); }

double deviation_of(std::span<const float> values) {
  double sum = 0.0, squares = 0.0;
  for (const float value : values) {
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const auto n = static_cast<double>(values.size());
  return std::sqrt(std::max(squares / n - (sum / n) * (sum / n), 0.0));
}

}  // namespace

LinearClassifier::LinearClassifier(const LabelledRows& rows, double loss_weight) {
  SOUK_EXPECT(rows.size() > 0 && rows.values.size() == rows.size() * rows.width());
  const double deviation = deviation_of(rows.values);
  if (deviation > 0.0) scale_ = 1.0 / deviation;
  const std::size_t width = rows.width();
  const auto objective = [&](std::span<const double> at, std::span<double> gradient) {
    heartbeat::beat();
    double value = 0.0;
    for (std::size_t j = 0; j <= width; ++j) {
      value += 0.5 * at[j] * at[j];
      gradient[j] = at[j];
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = rows.values.subspan(i * width, width);
      double product = 0.0;
      for (std::size_t j = 0; j < width; ++j) product += at[j] * static_cast<double>(row[j]);
      const double side = rows.truth[i] != 0 ? 1.0 : -1.0, margin = side * (scale_ * product + at[width]);
      value += loss_weight * loss_of(margin);
      const double slope = -loss_weight * side / (1.0 + std::exp(margin));
      for (std::size_t j = 0; j < width; ++j) gradient[j] += slope * scale_ * static_cast<double>(row[j]);
      gradient[width] += slope;
    }
    return value;
  };
  coefficients_ =
      minimised_in_box(objective, std::vector<double>(width + 1, 0.0), Box{}, {.steps = 300, .memory = 20}).at;
}

double LinearClassifier::log_odds(std::span<const float> row) const {
  SOUK_EXPECT(row.size() + 1 == coefficients_.size());
  double product = 0.0;
  for (std::size_t j = 0; j < row.size(); ++j) product += coefficients_[j] * static_cast<double>(row[j]);
  return scale_ * product + coefficients_.back();
}

}  // namespace souk
