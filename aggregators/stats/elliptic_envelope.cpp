#include "aggregators/stats/elliptic_envelope.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "aggregators/stats/cholesky.hpp"
#include "aggregators/stats/pca.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/random.hpp"
#include "sim/stats/distributions.hpp"
#include "sim/stats/order_statistics.hpp"

namespace souk {
namespace {

constexpr std::size_t starts = 100;
constexpr std::size_t finalists = 10;
constexpr int first_steps = 2;
constexpr int concentration_steps_max = 100;
constexpr std::size_t points_per_dimension = 5;
constexpr double negligible_variance = 1e-12;  // of a component, against the first

using Members = std::vector<std::size_t>;  // ascending

struct Scatter {
  std::vector<double> location;
  DenseMatrix covariance;  ///< divided by the number of members
};

/// Members whose covariance has this determinant.
struct Ellipsoid {
  Members members;
  double log_determinant = std::numeric_limits<double>::infinity();
};

Scatter scatter_of(const DenseMatrix& points, const Members& members) {
  const std::size_t m = points.columns;
  const double count = static_cast<double>(members.size());
  Scatter result{std::vector<double>(m), DenseMatrix(m, m)};
  for (const std::size_t i : members) {
    for (std::size_t c = 0; c < m; ++c) result.location[c] += points(i, c) / count;
  }
  std::vector<double> centred(m);
  for (const std::size_t i : members) {
    for (std::size_t c = 0; c < m; ++c) centred[c] = points(i, c) - result.location[c];
    for (std::size_t a = 0; a < m; ++a) {
      for (std::size_t b = 0; b <= a; ++b) result.covariance(a, b) += centred[a] * centred[b] / count;
    }
  }
  return result;
}

double mean_variance(const DenseMatrix& points) {
  Members all(points.rows);
  std::iota(all.begin(), all.end(), std::size_t{0});
  const DenseMatrix covariance = scatter_of(points, all).covariance;
  double sum = 0.0;
  for (std::size_t c = 0; c < points.columns; ++c) sum += covariance(c, c);
  return points.columns == 0 ? 0.0 : sum / static_cast<double>(points.columns);
}

/// The points minus their mean, on their first principal components if they have too many dimensions.
DenseMatrix reduced(const DenseMatrix& points) {
  const std::size_t dimensions = std::max<std::size_t>(1, points.rows / points_per_dimension);
  if (points.columns <= dimensions) return points;
  std::vector<double> mean(points.columns);
  for (std::size_t i = 0; i < points.rows; ++i) {
    for (std::size_t c = 0; c < points.columns; ++c) mean[c] += points(i, c) / static_cast<double>(points.rows);
  }
  SymmetricMatrix gram{points.rows, {}};
  for (std::size_t i = 0; i < points.rows; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = 0.0;
      for (std::size_t c = 0; c < points.columns; ++c) sum += (points(i, c) - mean[c]) * (points(j, c) - mean[c]);
      gram.lower.push_back(sum);
    }
  }
  const PrincipalComponents components = principal_components(gram, dimensions);
  std::size_t kept = 1;
  while (kept < dimensions && components.variances[kept] > negligible_variance * components.variances[0]) ++kept;
  DenseMatrix result(points.rows, kept);
  for (std::size_t i = 0; i < points.rows; ++i) {
    std::copy_n(components.coordinates.row(i).begin(), kept, result.row(i).begin());
  }
  return result;
}

class FastMcd {
 public:
  FastMcd(const DenseMatrix& points, std::size_t support, double scale)
      : points_(points), support_(support), scale_(scale) {}

  Members best(Stream& random) const {
    std::vector<Ellipsoid> candidates;
    for (std::size_t start = 0; start < starts; ++start) {
      candidates.push_back(concentrated({.members = random_members(random)}, first_steps));
    }
    std::stable_sort(candidates.begin(), candidates.end(), better);
    candidates.resize(finalists);
    for (Ellipsoid& candidate : candidates) candidate = concentrated(std::move(candidate), concentration_steps_max);
    return std::min_element(candidates.begin(), candidates.end(), better)->members;
  }

  std::vector<double> distances(const Members& members, double& log_determinant) const {
    const Scatter scatter = scatter_of(points_, members);
    const Cholesky factor = Cholesky::regularized(scatter.covariance, scale_);
    log_determinant = factor.log_determinant();
    std::vector<double> result;
    std::vector<double> centred(points_.columns);
    for (std::size_t i = 0; i < points_.rows; ++i) {
      for (std::size_t c = 0; c < centred.size(); ++c) centred[c] = points_(i, c) - scatter.location[c];
      result.push_back(factor.inverse_form(centred));
    }
    return result;
  }

 private:
  static bool better(const Ellipsoid& a, const Ellipsoid& b) { return a.log_determinant < b.log_determinant; }

  /// As few as span a covariance: so few are most likely to be free of outliers.
  Members random_members(Stream& random) const {
    std::vector<std::uint32_t> order(points_.rows);
    std::iota(order.begin(), order.end(), 0U);
    random.shuffle(order);
    const std::size_t count = std::min(points_.rows, points_.columns + 1);
    Members members(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    std::sort(members.begin(), members.end());
    return members;
  }

  /// C-steps: the nearest points by the distances that the members define become the members.
  Ellipsoid concentrated(Ellipsoid candidate, int steps) const {
    for (int step = 0; step < steps; ++step) {
      heartbeat::beat();
      Members nearest = nearest_points(distances(candidate.members, candidate.log_determinant));
      if (nearest == candidate.members) break;
      candidate.members = std::move(nearest);
    }
    distances(candidate.members, candidate.log_determinant);
    return candidate;
  }

  Members nearest_points(const std::vector<double>& distances) const {
    Members order(distances.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return distances[a] < distances[b]; });
    order.resize(support_);
    std::sort(order.begin(), order.end());
    return order;
  }

  const DenseMatrix& points_;
  std::size_t support_;
  double scale_;  ///< of variances
};

std::size_t support_size(const std::optional<double>& fraction, std::size_t n, std::size_t m) {
  const std::size_t wanted =
      fraction ? static_cast<std::size_t>(*fraction * static_cast<double>(n)) : (n + m + 2) / 2;  // rounded up
  return std::clamp<std::size_t>(wanted, 1, n);
}

/// The points not farther than normal ones would be, were the middle one where theirs is.
Members inliers(const std::vector<double>& distances, double dimensions) {
  const double limit =
      median(distances) * chi_squared_quantile(0.975, dimensions) / chi_squared_quantile(0.5, dimensions);
  Members members;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    if (distances[i] <= limit) members.push_back(i);
  }
  return members;
}

}  // namespace

EllipticEnvelope elliptic_envelope(const DenseMatrix& points, const EllipticEnvelopeSettings& settings,
                                   Stream& random) {
  SOUK_EXPECT(points.rows >= 1 && settings.contamination >= 0.0 && settings.contamination <= 0.5);
  const DenseMatrix place = reduced(points);
  const double scale = mean_variance(place);
  if (scale == 0.0) return {std::vector<double>(points.rows, 0.0), {}};

  const FastMcd mcd(place, support_size(settings.support_fraction, place.rows, place.columns), scale);
  double log_determinant = 0.0;
  const std::vector<double> raw = mcd.distances(mcd.best(random), log_determinant);
  EllipticEnvelope result;
  result.squared_distances = mcd.distances(inliers(raw, static_cast<double>(place.columns)), log_determinant);
  const double limit = quantile(result.squared_distances, 1.0 - settings.contamination);
  for (std::size_t i = 0; i < points.rows; ++i) {
    if (result.squared_distances[i] > limit) result.outliers.push_back(i);
  }
  return result;
}

}  // namespace souk
