#include "attacks/pair_features.hpp"

#include <algorithm>
#include <cmath>

#include "attacks/vector_distances.hpp"
#include "scenarios/edge_attacks.pb.h"

namespace souk {

void append_distances(std::span<const double> a, std::span<const double> b, std::size_t zeros,
                      std::vector<double>& out) {
  for (int kind = scenario::VectorDistance_MIN; kind <= scenario::VectorDistance_MAX; ++kind) {
    out.push_back(distance(static_cast<scenario::VectorDistance>(kind), a, b, zeros).value_or(undefined_feature));
  }
}

void append_combinations(std::span<const double> a, std::span<const double> b, std::vector<double>& out) {
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back((a[i] + b[i]) / 2.0);
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back(a[i] * b[i]);
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back(std::abs(a[i] - b[i]));
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back((a[i] - b[i]) * (a[i] - b[i]));
}

double entropy(std::span<const double> answers) {
  double sum = 0.0, entropy = 0.0;
  for (const double x : answers) sum += std::max(x, 0.0);
  if (!(sum > 0.0)) return 0.0;
  for (const double x : answers) {
    const double share = std::max(x, 0.0) / sum;
    entropy -= share * std::log(share + 1e-5);
  }
  return entropy;
}

PairedRows::PairedRows(const SparseRows& rows, NodeIndex first, NodeIndex second) {
  const auto value = [&](std::uint64_t e) { return rows.values.empty() ? 1.0 : static_cast<double>(rows.values[e]); };
  std::uint64_t i = rows.offsets[first], j = rows.offsets[second];
  const std::uint64_t i_end = rows.offsets[first + 1], j_end = rows.offsets[second + 1];
  while (i < i_end || j < j_end) {
    const bool of_a = i < i_end && (j == j_end || rows.columns[i] <= rows.columns[j]);
    const bool of_b = j < j_end && (i == i_end || rows.columns[j] <= rows.columns[i]);
    a.push_back(of_a ? value(i++) : 0.0);
    b.push_back(of_b ? value(j++) : 0.0);
  }
  zeros = rows.width - a.size();
}

double feature_distance(scenario::VectorDistance kind, const SparseRows& features, NodeIndex a, NodeIndex b) {
  const PairedRows rows(features, a, b);
  return distance(kind, rows.a, rows.b, rows.zeros).value_or(undefined_feature);
}

void RunningScale::add(double value) {
  if (std::isnan(value)) return;
  count_ += 1.0;
  const double before = value - mean_;
  mean_ += before / count_;
  squares_ += before * (value - mean_);
}

double RunningScale::standardised(double value) const {
  if (std::isnan(value) || !(squares_ > 0.0)) return 0.0;
  return (value - mean_) / std::sqrt(squares_ / count_);
}

}  // namespace souk
