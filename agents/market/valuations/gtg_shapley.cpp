#include <algorithm>
#include <cmath>
#include <deque>

#include "agents/market/coalitions.hpp"
#include "agents/market/valuation.hpp"
#include "scenarios/valuations.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

/// Liu, Chen, Yu, Liu, Cui, "GTG-Shapley", ACM TIST 2022, Algorithm 1, with the test of convergence of FedML's code.
/// Those that come first are dealt in a random order, so that values are unbiased even where the last turn is cut
/// short. Turns make values more exact than their standard errors say.
class GtgShapley final : public ValuationRule {
 public:
  explicit GtgShapley(const scenario::GtgShapley& config)
      : round_tolerance_(config.round_tolerance()),
        tolerance_(config.tolerance()),
        window_(config.window()),
        convergence_(config.convergence()),
        min_permutations_(config.min_permutations()),
        max_permutations_(config.max_permutations()) {}
  ValuationNeeds needs() const override { return {.worth = true}; }
  double most_coalitions(std::size_t updates) const override {
    return std::min(static_cast<double>(max_permutations_ * updates), std::exp2(static_cast<double>(updates)));
  }
  Valuation value(const ValuationInput& input) override {
    const std::size_t n = input.sellers.size();
    MeanMarginals mean(n);
    const double of_all = worth_of_all(*input.worth, n);
    if (std::abs(of_all) <= round_tolerance_) return mean.valuation();
    std::deque<std::vector<double>> last_means;
    while (mean.count() < max_permutations_ && !(mean.count() > min_permutations_ && settled(last_means))) {
      const std::uint64_t left = max_permutations_ - mean.count();
      for (const auto& marginals : marginals_along(*input.worth, turn(n, left, input.random), of_all, tolerance_)) {
        mean.add(marginals);
        last_means.emplace_back(mean.means().begin(), mean.means().end());
        if (last_means.size() > window_) last_means.pop_front();
      }
    }
    return mean.valuation();
  }

 private:
  /// One permutation for each update, which comes first in it; no more than `most` of them.
  static std::vector<std::vector<std::uint32_t>> turn(std::size_t n, std::uint64_t most, Stream& random) {
    std::vector<std::uint32_t> firsts = random_order(n, random);
    firsts.resize(std::min<std::uint64_t>(n, most));
    std::vector<std::vector<std::uint32_t>> orders;
    for (const std::uint32_t first : firsts) {
      orders.push_back(random_order(n, random));
      std::ranges::rotate(orders.back().begin(), std::ranges::find(orders.back(), first),
                          std::next(std::ranges::find(orders.back(), first)));
    }
    return orders;
  }

  /// Whether none of the means is far from the newest, relatively and on average over the updates.
  bool settled(const std::deque<std::vector<double>>& means) const {
    return std::ranges::all_of(means, [&](const std::vector<double>& earlier) {
      double change = 0.0;
      for (std::size_t i = 0; i < earlier.size(); ++i) {
        change += std::abs(earlier[i] - means.back()[i]) / (std::abs(means.back()[i]) + 1e-12);
      }
      return change <= convergence_ * static_cast<double>(earlier.size());
    });
  }

  double round_tolerance_, tolerance_;
  std::size_t window_;
  double convergence_;
  std::uint64_t min_permutations_, max_permutations_;
};

const Register<ValuationRule, GtgShapley, scenario::GtgShapley> register_gtg_shapley;

}  // namespace
}  // namespace souk
