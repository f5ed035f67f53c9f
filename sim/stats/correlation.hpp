#pragma once

#include <optional>
#include <span>

namespace souk {

/// Pearson's correlation of x and y, -1 to 1; null where it is undefined: fewer than two pairs, or x or y all the same.
/// Contract: as many x as y.
std::optional<double> pearson(std::span<const double> x, std::span<const double> y);

/// Spearman's: Pearson's of the ranks, equal values sharing the mean of theirs. Null as above. n log n.
std::optional<double> spearman(std::span<const double> x, std::span<const double> y);

/// Pearson's correlation of pairs as they come, without keeping them (Welford's updates). The fields are its state.
struct RunningCorrelation {
  double pairs = 0.0;
  double mean_x = 0.0, mean_y = 0.0;
  double squares_x = 0.0, squares_y = 0.0, products = 0.0;  ///< sums of products of deviations from the means

  void add(double x, double y);
  /// Null as above.
  std::optional<double> value() const;
};

/// Mean and variance of values as they come (Welford's updates). The fields are its state.
struct RunningMoments {
  double count = 0.0;
  double mean = 0.0;
  double squares = 0.0;  ///< sum of squared deviations from the mean

  void add(double value);
  /// Of the values themselves: divided by their number. Contract: there is one.
  double variance() const;
};

}  // namespace souk
