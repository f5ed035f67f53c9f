#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "sim/data/graphs/graph.hpp"

namespace souk::scenario {
enum VectorDistance : int;
}

namespace souk {

/// What is not defined: a distance, an answer that was not read.
inline constexpr double undefined_feature = std::numeric_limits<double>::quiet_NaN();

/// What He et al.'s classifier reads of a pair of nodes. It is the same whichever of them comes first.

/// Appends all eight distances of two vectors and of so many zeros more in both; those that are not defined are
/// undefined_feature.
void append_distances(std::span<const double> a, std::span<const double> b, std::size_t zeros,
                      std::vector<double>& out);
/// Appends mean, product, size of the difference and its square of each two values.
void append_combinations(std::span<const double> a, std::span<const double> b, std::vector<double>& out);
/// Of answers: -sum p log(p + 1e-5), p their shares; what is below 0, as logits may be, is 0.
double entropy(std::span<const double> answers);

/// Of two rows of a sparse matrix what stands in columns where one of them has a value.
struct PairedRows {
  PairedRows(const SparseRows& rows, NodeIndex first, NodeIndex second);
  std::vector<double> a, b;
  std::size_t zeros;  ///< columns in which both are 0
};

/// Distance of two nodes' features, as stored, or undefined_feature.
double feature_distance(scenario::VectorDistance kind, const SparseRows& features, NodeIndex a, NodeIndex b);

/// Mean and deviation of values, one after the other; undefined ones are left out (Welford).
class RunningScale {
 public:
  void add(double value);
  /// (value - mean) / deviation; 0 where the value is undefined or nothing varies.
  double standardised(double value) const;

 private:
  double count_ = 0.0, mean_ = 0.0, squares_ = 0.0;
};

}  // namespace souk
