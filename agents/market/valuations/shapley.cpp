#include <bit>
#include <cmath>
#include <cstdint>

#include "agents/market/valuation.hpp"
#include "scenarios/valuations.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

constexpr std::size_t most_updates = 12;

/// [n] |S|! (n - |S| - 1)! / n! for each |S|, without factorials: 1 / (n * (n - 1 choose |S|)).
std::vector<double> size_weights(std::size_t n) {
  std::vector<double> weights;
  double choices = 1.0;
  for (std::size_t size = 0; size < n; ++size) {
    weights.push_back(1.0 / (static_cast<double>(n) * choices));
    choices *= static_cast<double>(n - 1 - size) / static_cast<double>(size + 1);
  }
  return weights;
}

/// Shapley, "A value for n-person games", 1953, by its definition.
class Shapley final : public ValuationRule {
 public:
  explicit Shapley(const scenario::Shapley&) {}
  ValuationNeeds needs() const override { return {.worth = true, .most_updates = most_updates}; }
  double most_coalitions(std::size_t updates) const override { return std::exp2(static_cast<double>(updates)); }
  Valuation value(const ValuationInput& input) override {
    const std::size_t n = input.sellers.size();
    SOUK_REQUIRE(n <= most_updates,
                 "market.shapley: a round with {} updates has 2^{} coalitions; it takes no more than {} updates", n, n,
                 most_updates);
    std::vector<Coalition> coalitions;  // bit i of its index says whether i is in it
    for (std::uint32_t set = 0; set < (1U << n); ++set) {
      coalitions.emplace_back(n);
      for (std::size_t i = 0; i < n; ++i) coalitions.back()[i] = (set >> i & 1U) != 0;
    }
    const std::vector<double> worths = input.worth->of(coalitions);
    const std::vector<double> weights = size_weights(n);
    Valuation valuation{std::vector<double>(n, 0.0)};
    for (std::uint32_t set = 0; set < (1U << n); ++set) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t with = set | 1U << i;
        if (with == set) continue;
        valuation.values[i] += weights[static_cast<std::size_t>(std::popcount(set))] * (worths[with] - worths[set]);
      }
    }
    return valuation;
  }
};

const Register<ValuationRule, Shapley, scenario::Shapley> register_shapley;

}  // namespace
}  // namespace souk
