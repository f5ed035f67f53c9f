#include "sim/serve/input_rows.hpp"

#include <algorithm>

namespace souk {
namespace {

/// One stored value as the network reads it.
double read_value(const SparseRows& features, const FeatureScaling& scaling, std::size_t node, std::uint64_t entry) {
  const double stored = features.values.empty() ? 1.0 : static_cast<double>(features.values[entry]);
  const std::uint32_t column = features.columns[entry];
  const double scaled = scaling.scale.empty() ? stored
                                              : (stored - static_cast<double>(scaling.shift[column])) *
                                                    static_cast<double>(scaling.scale[column]);
  return scaling.row_factors.empty() ? scaled : scaled * static_cast<double>(scaling.row_factors[node]);
}

/// A zero as the network reads it.
double read_zero(const FeatureScaling& scaling, std::size_t node, std::size_t column) {
  if (scaling.scale.empty()) return 0.0;
  const double scaled = -static_cast<double>(scaling.shift[column]) * static_cast<double>(scaling.scale[column]);
  return scaling.row_factors.empty() ? scaled : scaled * static_cast<double>(scaling.row_factors[node]);
}

}  // namespace

// Zeros of all nodes, and what stored values are more than that.
std::vector<double> mean_input(const SparseRows& features, const FeatureScaling& scaling) {
  double factors = 0.0;
  for (std::size_t v = 0; v < features.rows(); ++v) {
    factors += scaling.row_factors.empty() ? 1.0 : static_cast<double>(scaling.row_factors[v]);
  }
  const FeatureScaling of_columns{.shift = scaling.shift, .scale = scaling.scale, .row_factors = {}};
  std::vector<double> sums(features.width);
  for (std::size_t f = 0; f < features.width; ++f) sums[f] = factors * read_zero(of_columns, 0, f);
  for (std::size_t v = 0; v < features.rows(); ++v) {
    for (std::uint64_t e = features.offsets[v]; e < features.offsets[v + 1]; ++e) {
      const std::uint32_t column = features.columns[e];
      sums[column] += read_value(features, scaling, v, e) - read_zero(scaling, v, column);
    }
  }
  for (double& sum : sums) sum /= static_cast<double>(features.rows());
  return sums;
}

std::vector<double> median_input(const SparseRows& features, const FeatureScaling& scaling) {
  const std::size_t nodes = features.rows();
  std::vector<std::vector<double>> stored(features.width);
  std::vector<std::vector<std::uint32_t>> holders(features.width);
  for (std::size_t v = 0; v < nodes; ++v) {
    for (std::uint64_t e = features.offsets[v]; e < features.offsets[v + 1]; ++e) {
      stored[features.columns[e]].push_back(read_value(features, scaling, v, e));
      holders[features.columns[e]].push_back(static_cast<std::uint32_t>(v));
    }
  }
  std::vector<double> medians(features.width), column;
  for (std::size_t f = 0; f < features.width; ++f) {
    column = stored[f];
    std::size_t next = 0;
    for (std::size_t v = 0; v < nodes; ++v) {
      if (next < holders[f].size() && holders[f][next] == v) {
        ++next;
      } else {
        column.push_back(read_zero(scaling, v, f));
      }
    }
    const auto middle = column.begin() + static_cast<std::ptrdiff_t>(nodes / 2);
    std::nth_element(column.begin(), middle, column.end());
    medians[f] = *middle;
    if (nodes % 2 == 0) medians[f] = (medians[f] + *std::max_element(column.begin(), middle)) / 2.0;
  }
  return medians;
}

NodeIndex nearest_input(const SparseRows& features, const FeatureScaling& scaling, const std::vector<double>& point) {
  NodeIndex nearest = 0;
  double least = 0.0;
  // |zeros - point|^2 is a parabola in the row's factor: f^2 zz - 2 f zp + pp.
  const FeatureScaling of_columns{.shift = scaling.shift, .scale = scaling.scale, .row_factors = {}};
  double zz = 0.0, zp = 0.0, pp = 0.0;
  for (std::size_t f = 0; f < features.width; ++f) {
    const double zero = read_zero(of_columns, 0, f);
    zz += zero * zero, zp += zero * point[f], pp += point[f] * point[f];
  }
  for (std::size_t v = 0; v < features.rows(); ++v) {
    const double row = scaling.row_factors.empty() ? 1.0 : static_cast<double>(scaling.row_factors[v]);
    double distance = row * row * zz - 2.0 * row * zp + pp;
    for (std::uint64_t e = features.offsets[v]; e < features.offsets[v + 1]; ++e) {
      const std::uint32_t column = features.columns[e];
      const double there = read_value(features, scaling, v, e) - point[column];
      const double zero = read_zero(scaling, v, column) - point[column];
      distance += there * there - zero * zero;
    }
    if (v == 0 || distance < least) {
      least = distance;
      nearest = static_cast<NodeIndex>(v);
    }
  }
  return nearest;
}

}  // namespace souk
