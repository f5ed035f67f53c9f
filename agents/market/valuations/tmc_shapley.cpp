#include <algorithm>
#include <cmath>

#include "agents/market/coalitions.hpp"
#include "agents/market/valuation.hpp"
#include "scenarios/valuations.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

constexpr std::size_t together = 64;  // permutations that advance in step

/// Ghorbani and Zou, "Data Shapley", ICML 2019, Algorithm 1, with a fixed number of permutations. Truncation shifts a
/// value by less than tolerance * |v(N)|; standard errors do not know of it.
class TmcShapley final : public ValuationRule {
 public:
  explicit TmcShapley(const scenario::TmcShapley& config)
      : permutations_(config.permutations()), tolerance_(config.tolerance()) {}
  ValuationNeeds needs() const override { return {.worth = true}; }
  double most_coalitions(std::size_t updates) const override {
    return std::min(static_cast<double>(permutations_ * updates), std::exp2(static_cast<double>(updates)));
  }
  Valuation value(const ValuationInput& input) override {
    const std::size_t n = input.sellers.size();
    const double of_all = worth_of_all(*input.worth, n);
    MeanMarginals mean(n);
    while (mean.count() < permutations_) {
      const std::uint64_t left = permutations_ - mean.count();
      std::vector<std::vector<std::uint32_t>> orders;
      for (std::size_t p = 0; p < std::min<std::uint64_t>(together, left); ++p) {
        orders.push_back(random_order(n, input.random));
      }
      for (const auto& marginals : marginals_along(*input.worth, orders, of_all, tolerance_ * std::abs(of_all))) {
        mean.add(marginals);
      }
    }
    return mean.valuation();
  }

 private:
  std::uint64_t permutations_;
  double tolerance_;
};

const Register<ValuationRule, TmcShapley, scenario::TmcShapley> register_tmc_shapley;

}  // namespace
}  // namespace souk
