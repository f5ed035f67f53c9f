#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace souk {

/// Rows that teach a classifier, all of one width.
struct LabelledRows {
  std::span<const float> values;        ///< [rows, width]
  std::span<const std::uint8_t> truth;  ///< [rows]
  std::size_t size() const { return truth.size(); }
  std::size_t width() const { return values.size() / truth.size(); }
};

/// A logistic regression with more coefficients than logistic_regression can hold the curvature of.
class LinearClassifier {
 public:
  /// Minimises (|w|² + b²) / 2 + C sum of log(1 + exp(-y (w x + b))) by limited-memory BFGS, C being `loss_weight` and
  /// x a row over the standard deviation of all values of all rows. Contract: there are rows.
  LinearClassifier(const LabelledRows& rows, double loss_weight);
  /// Log-odds of a row.
  double log_odds(std::span<const float> row) const;

 private:
  double scale_ = 1.0;                ///< one over that deviation
  std::vector<double> coefficients_;  ///< [width + 1] the last one is b
};

}  // namespace souk
