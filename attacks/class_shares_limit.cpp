#include "attacks/class_shares_limit.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "attacks/class_cosines.hpp"
#include "sim/params/symmetric_eigen.hpp"

namespace souk {
namespace {

/// Slopes of the cosines, [m][classes], without what all shares have in common: these always sum to 1.
std::vector<std::vector<double>> slopes_of(const ClassCosines& cosines, std::size_t classes) {
  std::vector<std::vector<double>> slopes;
  for (std::size_t j = 0; j < cosines.values().size(); ++j) {
    std::vector<double>& slope = slopes.emplace_back(classes, 0.0);
    cosines.add_gradient(j, 1.0, slope);
    const double mean = std::accumulate(slope.begin(), slope.end(), 0.0) / static_cast<double>(classes);
    for (double& value : slope) value -= mean;
  }
  return slopes;
}

void add_square(std::span<const double> vector, double weight, SymmetricMatrix& sum) {
  for (std::size_t a = 0; a < vector.size(); ++a) {
    for (std::size_t b = 0; b <= a; ++b) sum(a, b) += weight * vector[a] * vector[b];
  }
}

/// A round's scores are known up to a factor: along the scores themselves nothing is learned.
void add_scores(const ClassCosines& cosines, const ScoreNoise& noise, SymmetricMatrix& information) {
  const std::size_t classes = information.order;
  const std::vector<std::vector<double>> slopes = slopes_of(cosines, classes);
  const double weight = 1.0 / (noise.deviation * noise.deviation);
  std::vector<double> along(classes, 0.0);
  for (std::size_t j = 0; j < slopes.size(); ++j) {
    add_square(slopes[j], weight, information);
    for (std::size_t c = 0; c < classes; ++c) along[c] += cosines.values()[j] * slopes[j][c];
  }
  const double square = dot(cosines.values(), cosines.values());
  if (square > 0.0) add_square(along, -weight / square, information);
}

void add_sales(const ClassCosines& cosines, const ScoreNoise& noise, SymmetricMatrix& information) {
  const std::vector<std::vector<double>> slopes = slopes_of(cosines, information.order);
  const double sure = 1.0 - 2.0 * noise.turned;
  for (std::size_t j = 0; j < slopes.size(); ++j) {
    const double z = (cosines.values()[j] - noise.threshold) / noise.deviation;
    const double above = 0.5 * std::erfc(-z / std::numbers::sqrt2), below = 0.5 * std::erfc(z / std::numbers::sqrt2);
    const double sold = noise.turned + sure * above, unsold = noise.turned + sure * below;
    if (sold * unsold == 0.0) continue;  // certain either way
    const double density = std::exp(-0.5 * z * z) * 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2;
    const double by_cosine = sure * density / noise.deviation;
    add_square(slopes[j], by_cosine * by_cosine / (sold * unsold), information);
  }
}

}  // namespace

std::optional<double> class_share_limit(std::span<const ScoredRound> rounds, std::span<const double> shares,
                                        const ScoreNoise& noise) {
  if (std::ranges::any_of(rounds, [](const ScoredRound& round) { return round.outcomes.empty(); })) return std::nullopt;
  const std::size_t classes = shares.size();
  SymmetricMatrix information = SymmetricMatrix::zeros(classes);
  for (const ScoredRound& round : rounds) {
    const ClassCosines cosines(round, shares);
    noise.sales ? add_sales(cosines, noise, information) : add_scores(cosines, noise, information);
  }
  // One eigenvalue is 0, of the direction in which all shares grow; of the others none may be.
  const SymmetricEigen eigen = symmetric_eigen(information);
  const double largest = eigen.values.front(), least = eigen.values[classes - 2];
  if (!(least > 1e-10 * largest)) return std::nullopt;
  double sum = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    double variance = 0.0;
    for (std::size_t k = 0; k + 1 < classes; ++k) {
      variance += eigen.vectors(k, c) * eigen.vectors(k, c) / eigen.values[k];
    }
    sum += std::sqrt(variance);
  }
  return 0.5 * std::sqrt(2.0 / std::numbers::pi) * sum;
}

}  // namespace souk
