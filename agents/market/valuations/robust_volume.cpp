#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "agents/market/valuation.hpp"
#include "scenarios/valuations.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/dense_matrix.hpp"
#include "sim/params/linear.hpp"
#include "sim/params/symmetric_eigen.hpp"

namespace souk {
namespace {

using Cube = std::vector<std::int64_t>;

/// Updates that fall into one cell.
struct Cluster {
  std::vector<double> sum;
  double count = 0.0;
};

/// Normal values, [d], by panel: the same for any number of ranks.
ColumnVector direction(const ValuationInput& input, std::uint64_t seed, std::size_t which) {
  ColumnVector vector(input.updates);
  for (const Panel& panel : input.updates.panels()) {
    Stream random(seed, streams::volume_direction(panel.index, input.round, which));
    for (float& value : vector.panel(panel)) value = static_cast<float>(random.normal());
  }
  return vector;
}

/// [n, dimensions] updates projected at random, of root mean square 1.
DenseMatrix projected(const ValuationInput& input, std::size_t dimensions) {
  const std::uint64_t seed = input.random.next_seed();
  DenseMatrix points(input.sellers.size(), dimensions);
  double squares = 0.0;
  for (std::size_t k = 0; k < dimensions; ++k) {
    const std::vector<double> along = dots(input.comm, input.updates, direction(input, seed, k));
    for (std::size_t i = 0; i < points.rows; ++i) {
      points(i, k) = along[i];
      squares += along[i] * along[i];
    }
  }
  const double scale = std::sqrt(squares / static_cast<double>(points.values.size()));
  for (double& value : points.values) value = scale > 0.0 ? value / scale : 0.0;
  return points;
}

/// sqrt(det(I + sum of m m^T)) over the clusters' means m.
double volume(const std::map<Cube, Cluster>& clusters, std::size_t dimensions) {
  SymmetricMatrix matrix = SymmetricMatrix::zeros(dimensions);
  for (std::size_t a = 0; a < dimensions; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      double& entry = matrix(a, b);
      entry = a == b ? 1.0 : 0.0;
      for (const auto& [cell, cluster] : clusters)
        entry += cluster.sum[a] * cluster.sum[b] / std::pow(cluster.count, 2);
    }
  }
  double logarithm = 0.0;
  for (const double value : symmetric_eigen(matrix).values) logarithm += std::log(value);
  return std::exp(0.5 * logarithm);
}

/// Xu, Wu, Foo, Low, "Validation Free and Replication Robust Volume-based Data Valuation", NeurIPS 2021, Definition 3,
/// with alpha = 1 / (10 cells) as in its reference code, and leave-one-out on top. Here updates are projected first,
/// and the Gram matrix has 1 added to its diagonal: rounds of fewer updates than dimensions have a volume, too.
class RobustVolume final : public ValuationRule {
 public:
  explicit RobustVolume(const scenario::RobustVolume& config)
      : dimensions_(config.dimensions()), cell_(config.cell()) {}
  ValuationNeeds needs() const override { return {}; }
  Valuation value(const ValuationInput& input) override {
    const DenseMatrix points = projected(input, dimensions_);
    const double of_all = robust_volume(points, std::nullopt);
    Valuation valuation;
    for (std::size_t i = 0; i < points.rows; ++i) valuation.values.push_back(of_all - robust_volume(points, i));
    return valuation;
  }

 private:
  double robust_volume(const DenseMatrix& points, std::optional<std::size_t> without) const {
    std::map<Cube, Cluster> clusters;
    for (std::size_t i = 0; i < points.rows; ++i) {
      if (i == without) continue;
      Cluster& cluster = clusters[cell_of(points.row(i))];
      cluster.sum.resize(points.columns);
      for (std::size_t k = 0; k < points.columns; ++k) cluster.sum[k] += points(i, k);
      cluster.count += 1.0;
    }
    double result = volume(clusters, points.columns);
    const double alpha = 0.1 / static_cast<double>(std::max<std::size_t>(1, clusters.size()));
    for (const auto& [cell, cluster] : clusters) result *= (1.0 - std::pow(alpha, cluster.count + 1.0)) / (1.0 - alpha);
    return result;
  }

  Cube cell_of(std::span<const double> point) const {
    Cube cell;
    for (const double value : point) cell.push_back(static_cast<std::int64_t>(std::floor(value / cell_)));
    return cell;
  }

  std::size_t dimensions_;
  double cell_;
};

const Register<ValuationRule, RobustVolume, scenario::RobustVolume> register_robust_volume;

}  // namespace
}  // namespace souk
