#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/matrices.hpp"

// What rules are made of, as their papers define it: plain vectors, double throughout, no thought of speed. Shares no
// code with what it tests.
namespace souk::brute_force {

using Vector = std::vector<double>;
using Vectors = std::vector<Vector>;
using Indices = std::vector<std::size_t>;

inline Vectors of(const Rows& rows) {
  Vectors vectors;
  for (const auto& row : rows) vectors.emplace_back(row.begin(), row.end());
  return vectors;
}

inline Indices everybody(std::size_t n) {
  Indices all(n);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

inline double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }
inline double norm(const Vector& a) { return std::sqrt(dot(a, a)); }

inline Vector combination(const Vectors& rows, const Vector& weights) {
  Vector sum(rows.front().size(), 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += weights[i] * rows[i][c];
  }
  return sum;
}

inline Vector scaled(Vector a, double factor) {
  for (double& value : a) value *= factor;
  return a;
}

inline Vector minus(Vector a, const Vector& b) {
  for (std::size_t c = 0; c < a.size(); ++c) a[c] -= b[c];
  return a;
}

inline double distance(const Vector& a, const Vector& b) { return norm(minus(a, b)); }

inline Vector clipped(const Vector& a, double limit) { return scaled(a, norm(a) > limit ? limit / norm(a) : 1.0); }

inline Vector mean(const Vectors& rows) {
  return combination(rows, Vector(rows.size(), 1.0 / static_cast<double>(rows.size())));
}

inline Vectors some(const Vectors& rows, const Indices& which) {
  Vectors chosen;
  for (const std::size_t i : which) chosen.push_back(rows[i]);
  return chosen;
}

/// The first `count` of `which` by ascending value, ties to the smaller index; ascending.
inline Indices lowest(const Indices& which, std::size_t count, const std::function<double(std::size_t)>& value) {
  std::vector<std::pair<double, std::size_t>> order;
  for (const std::size_t i : which) order.emplace_back(value(i), i);
  std::sort(order.begin(), order.end());
  Indices chosen;
  for (std::size_t k = 0; k < count; ++k) chosen.push_back(order[k].second);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

inline double median(Vector values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

inline double trimmed_mean(Vector values, std::size_t f) {
  std::sort(values.begin(), values.end());
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(f),
             end = values.end() - static_cast<std::ptrdiff_t>(f);
  return std::accumulate(begin, end, 0.0) / static_cast<double>(end - begin);
}

inline double mean_near(const Vector& values, double center, std::size_t keep) {
  double sum = 0.0;
  for (const std::size_t i :
       lowest(everybody(values.size()), keep, [&](std::size_t k) { return std::abs(values[k] - center); })) {
    sum += values[i];
  }
  return sum / static_cast<double>(keep);
}

/// A rule applied to every column.
inline Vector by_column(const Vectors& rows, const std::function<double(const Vector&)>& rule) {
  Vector result;
  for (std::size_t c = 0; c < rows.front().size(); ++c) {
    Vector column;
    for (const Vector& row : rows) column.push_back(row[c]);
    result.push_back(rule(column));
  }
  return result;
}

/// Sum of squared distances to the max(1, m - f - 2) nearest others among m.
inline double krum_score(const Vectors& rows, const Indices& which, std::size_t i, std::size_t f) {
  Vector squares;
  for (const std::size_t j : which) {
    if (j != i) squares.push_back(std::pow(distance(rows[i], rows[j]), 2));
  }
  std::sort(squares.begin(), squares.end());
  squares.resize(std::min(squares.size(), which.size() > f + 2 ? which.size() - f - 2 : 1));
  return std::accumulate(squares.begin(), squares.end(), 0.0);
}

/// Covariance of the rows under weights that add up to 1, [d, d].
inline Vectors covariance(const Vectors& rows, const Vector& weights) {
  const Vector mu = combination(rows, weights);
  Vectors matrix(mu.size(), Vector(mu.size(), 0.0));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Vector difference = minus(rows[i], mu);
    for (std::size_t a = 0; a < mu.size(); ++a) {
      for (std::size_t b = 0; b < mu.size(); ++b) matrix[a][b] += weights[i] * difference[a] * difference[b];
    }
  }
  return matrix;
}

struct Direction {
  double variance;
  Vector vector;
};

/// The top eigenvector of a covariance matrix, by 5,000 steps of power iteration.
inline Direction top_direction(const Vectors& matrix) {
  Vector v(matrix.size());
  for (std::size_t c = 0; c < v.size(); ++c) v[c] = 1.0 + 0.1 * static_cast<double>(c % 7);
  double variance = 0.0;
  for (int step = 0; step < 5000; ++step) {
    Vector product;
    for (const Vector& row : matrix) product.push_back(dot(row, v));
    variance = norm(product) / norm(v);
    if (norm(product) == 0.0) break;
    v = scaled(product, 1.0 / norm(product));
  }
  return {variance, scaled(v, 1.0 / norm(v))};
}

/// All subsets of k out of n, in lexicographic order.
inline std::vector<Indices> subsets(std::size_t n, std::size_t k) {
  std::vector<Indices> all;
  for (std::uint32_t bits = 0; bits < (1U << n); ++bits) {
    Indices subset;
    for (std::size_t i = 0; i < n; ++i) {
      if ((bits >> i & 1U) != 0) subset.push_back(i);
    }
    if (subset.size() == k) all.push_back(subset);
  }
  std::sort(all.begin(), all.end());
  return all;
}

inline double diameter(const Vectors& rows, const Indices& which) {
  double most = 0.0;
  for (const std::size_t i : which) {
    for (const std::size_t j : which) most = std::max(most, distance(rows[i], rows[j]));
  }
  return most;
}

/// |ours - expected| <= tolerance times the longer of 1 and the largest magnitude expected, value by value.
inline void expect_close(const std::vector<float>& ours, const Vector& expected, double tolerance = 2e-6) {
  ASSERT_EQ(ours.size(), expected.size());
  double scale = 1.0;
  for (const double value : expected) scale = std::max(scale, std::abs(value));
  for (std::size_t c = 0; c < ours.size(); ++c) {
    ASSERT_NEAR(static_cast<double>(ours[c]), expected[c], tolerance * scale) << "column " << c;
  }
}

inline void expect_close(const Vector& ours, const Vector& expected, double tolerance) {
  ASSERT_EQ(ours.size(), expected.size());
  for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], expected[i], tolerance) << "entry " << i;
}

/// 1 / m for each of m rows, 0 for the others.
inline Vector shares(const Indices& which, std::size_t n) {
  Vector weights(n, 0.0);
  for (const std::size_t i : which) weights[i] = 1.0 / static_cast<double>(which.size());
  return weights;
}

}  // namespace souk::brute_force
