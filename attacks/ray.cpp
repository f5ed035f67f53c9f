#include "attacks/ray.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "attacks/update_tools.hpp"
#include "attacks/vector_distances.hpp"

namespace souk {
namespace {

/// Mean of every row of a symmetric matrix, [k].
std::vector<double> row_means(const SymmetricMatrix& matrix) {
  std::vector<double> means(matrix.order, 0.0);
  for (std::size_t i = 0; i < matrix.order; ++i) {
    for (std::size_t j = 0; j < matrix.order; ++j) means[i] += matrix(i, j);
    means[i] /= static_cast<double>(matrix.order);
  }
  return means;
}

}  // namespace

Ray perturbed_mean(const Comm& comm, const ColumnMatrix& updates, Perturbation perturbation) {
  if (perturbation == Perturbation::deviation) {
    auto [mean, deviation] = spread_of(updates);
    for (float& value : deviation.values()) value = -value;
    return {std::move(mean), std::move(deviation)};
  }
  const std::vector<double> alike(updates.rows(), 1.0 / static_cast<double>(updates.rows()));
  Ray ray{combine(updates, alike), ColumnVector(updates)};
  const double norm = std::sqrt(squared_norm(comm, updates.plan(), ray.origin));
  const std::span<float> direction = ray.direction.values();
  for (std::size_t c = 0; c < direction.size(); ++c) {
    const float mean = ray.origin.values()[c];
    if (mean == 0.0F) continue;
    direction[c] = perturbation == Perturbation::sign ? std::copysign(1.0F, -mean)
                                                      : static_cast<float>(-static_cast<double>(mean) / norm);
  }
  return ray;
}

ColumnMatrix copies_at(const Comm& comm, const ColumnMatrix& like, const Ray& ray, double gamma, std::size_t rows) {
  ColumnVector point(like);
  for (std::size_t c = 0; c < point.values().size(); ++c) {
    point.values()[c] = static_cast<float>(static_cast<double>(ray.origin.values()[c]) +
                                           gamma * static_cast<double>(ray.direction.values()[c]));
  }
  return copies_of(comm, like.dimension(), point, rows);
}

double last_within(const Quadratic& quadratic, double level) {
  if (quadratic.square <= 0.0) return 0.0;
  const double half = 0.5 * quadratic.linear;
  const double room = std::max(0.0, level - quadratic.constant);
  const double root = std::sqrt(half * half + quadratic.square * room);
  // Of the two forms of the root, the one that does not cancel.
  return half > 0.0 ? room / (half + root) : (root - half) / quadratic.square;
}

std::vector<Quadratic> distances_from_zero(const std::vector<double>& squared_norms, const std::vector<double>& along,
                                           double square) {
  std::vector<Quadratic> distances;
  for (std::size_t i = 0; i < along.size(); ++i) distances.push_back({squared_norms[i], -2.0 * along[i], square});
  return distances;
}

std::vector<Quadratic> distances_from_mean(const SymmetricMatrix& squared_distances, const std::vector<double>& along,
                                           double square) {
  const std::vector<double> means = row_means(squared_distances);
  const double half_of_all = 0.5 * mean_of(means);
  const double origin_along = mean_of(along);
  std::vector<Quadratic> distances;
  for (std::size_t i = 0; i < along.size(); ++i) {
    distances.push_back({std::max(0.0, means[i] - half_of_all), 2.0 * (origin_along - along[i]), square});
  }
  return distances;
}

std::vector<Quadratic> products_from_mean(const SymmetricMatrix& gram, const std::vector<double>& along) {
  const std::vector<double> means = row_means(gram);
  std::vector<Quadratic> products;
  for (std::size_t i = 0; i < along.size(); ++i) products.push_back({means[i], along[i], 0.0});
  return products;
}

Quadratic norm_from_mean(const SymmetricMatrix& gram, const std::vector<double>& along, double square) {
  return {mean_of(row_means(gram)), 2.0 * mean_of(along), square};
}

BorderedMatrix::BorderedMatrix(const SymmetricMatrix& inner, std::vector<Quadratic> border, Quadratic corner,
                               std::size_t copies)
    : matrix_(inner), border_(std::move(border)), corner_(corner) {
  matrix_.order += copies;
  matrix_.lower.resize(SymmetricMatrix::entries(matrix_.order));
}

const SymmetricMatrix& BorderedMatrix::at(double gamma) {
  const std::size_t updates = border_.size();
  const double corner = std::max(0.0, corner_.at(gamma));
  for (std::size_t i = updates; i < matrix_.order; ++i) {
    const std::span<double> row = matrix_.row(i);
    for (std::size_t j = 0; j < updates; ++j) row[j] = border_[j].at(gamma);
    std::ranges::fill(row.subspan(updates), corner);
  }
  return matrix_;
}

}  // namespace souk
