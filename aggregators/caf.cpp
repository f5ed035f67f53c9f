#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "aggregators/affine.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/symmetric_eigen.hpp"

namespace souk {
namespace {

/// Allouah, Guerraoui, Stephan, "Towards Trustworthy Federated Learning with Untrusted Participants", 2025,
/// Algorithm 2. The weighted covariance has the eigenvalues of the Gram matrix of sqrt(c_i) (x_i - mu), so all of it
/// runs on mutual distances.
class CovarianceAgnosticFilter final : public Aggregator {
 public:
  explicit CovarianceAgnosticFilter(const scenario::Caf& config) : f_("caf", config.f(), 2, 1) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }
  void check(const RoundSize& round) const override { f_.check(round); }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + 2.0 * scale.pairs() + scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    const double least = static_cast<double>(n) - 2.0 * static_cast<double>(f_.of(input));
    const SymmetricMatrix distances = squared_distances(input.comm, input.updates);
    std::vector<double> c(n, 1.0);
    std::vector<double> best = uniform_weights(n);
    double best_variance = std::numeric_limits<double>::infinity();
    while (std::accumulate(c.begin(), c.end(), 0.0) > least) {
      const std::vector<double> shares = shares_of(c);
      const auto [variance, projections] = top_direction(distances, shares);
      if (variance < best_variance) {
        best_variance = variance;
        best = shares;
      }
      if (!take_weight(projections, c)) break;
    }
    RuleOutput output = weighted_sum(input, best);
    output.diagnostics["variance"] = std::isfinite(best_variance) ? best_variance : 0.0;
    return output;
  }

 private:
  /// c_i (1 - t_i / max t), t the projections, of all updates as in the paper. A pass that takes less than a hundredth,
  /// because an update without weight lies far off, measures by those with weight instead: it takes the whole weight of
  /// one of them, so that there is an end. False where there is nothing to take.
  static bool take_weight(const std::vector<double>& t, std::vector<double>& c) {
    const auto left_by = [&](double most) {
      std::vector<double> left = c;
      for (std::size_t i = 0; i < c.size(); ++i) left[i] *= std::max(0.0, 1.0 - t[i] / most);
      return left;
    };
    const auto sum = [](const std::vector<double>& values) {
      return std::accumulate(values.begin(), values.end(), 0.0);
    };
    const double farthest = *std::max_element(t.begin(), t.end());
    double of_weighted = 0.0;
    for (std::size_t i = 0; i < c.size(); ++i) of_weighted = c[i] > 0.0 ? std::max(of_weighted, t[i]) : of_weighted;
    if (of_weighted == 0.0) return false;
    std::vector<double> left = left_by(farthest);
    if (sum(left) > 0.99 * sum(c)) left = left_by(of_weighted);
    c = std::move(left);
    return true;
  }

  struct Direction {
    double variance;                  ///< top eigenvalue of the weighted covariance
    std::vector<double> projections;  ///< squared, of every update minus the mean, on its eigenvector
  };

  static Direction top_direction(const SymmetricMatrix& distances, const std::vector<double>& shares) {
    const std::size_t n = shares.size();
    const SymmetricMatrix gram = gram_about_mean(distances, shares);
    SymmetricMatrix weighted = gram;
    double* entry = weighted.lower.data();
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) *entry++ *= std::sqrt(shares[i] * shares[j]);
    }
    const SymmetricEigen eigen = symmetric_eigen(weighted);
    const double variance = std::max(0.0, eigen.values.front());
    std::vector<double> projections(n, 0.0);
    if (variance == 0.0) return {0.0, projections};
    for (std::size_t i = 0; i < n; ++i) {  // v = sum of sqrt(s_j) u_j (x_j - mu) / sqrt(variance)
      double product = 0.0;
      for (std::size_t j = 0; j < n; ++j) product += gram(i, j) * std::sqrt(shares[j]) * eigen.vectors(0, j);
      projections[i] = product * product / variance;
    }
    return {variance, projections};
  }
  ToleratedF f_;
};

const Register<Aggregator, CovarianceAgnosticFilter, scenario::Caf> register_covariance_agnostic_filter;

}  // namespace
}  // namespace souk
