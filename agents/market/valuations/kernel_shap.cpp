#include <algorithm>
#include <cmath>
#include <numeric>

#include "agents/market/coalitions.hpp"
#include "agents/market/least_squares.hpp"
#include "agents/market/valuation.hpp"
#include "scenarios/valuations.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

/// A coalition S and its complement.
struct CoalitionPair {
  Coalition coalition;
  double weight = 1.0;
};

Coalition complement(Coalition coalition) {
  coalition.flip();
  return coalition;
}

std::size_t size_of(const Coalition& coalition) {
  return static_cast<std::size_t>(std::ranges::count(coalition, true));
}

/// The Shapley kernel of all coalitions of a size together, but for a factor n - 1.
double kernel_of_size(std::size_t n, std::size_t size) { return 1.0 / static_cast<double>(size * (n - size)); }

/// Of a single coalition of a size, but for the same factor.
double kernel_of_one(std::size_t n, std::size_t size) {
  double choices = 1.0;
  for (std::size_t k = 0; k < size; ++k) choices *= static_cast<double>(n - k) / static_cast<double>(k + 1);
  return kernel_of_size(n, size) / choices;
}

/// Every pair once: coalitions with the last update.
std::vector<CoalitionPair> all_pairs(std::size_t n) {
  std::vector<CoalitionPair> pairs;
  for (std::uint64_t set = 0; set + 1 < std::uint64_t{1} << (n - 1); ++set) {
    Coalition coalition(n, true);
    for (std::size_t i = 0; i + 1 < n; ++i) coalition[i] = (set >> i & 1U) != 0;
    pairs.push_back({coalition, kernel_of_one(n, size_of(coalition))});
  }
  return pairs;
}

/// Drawn in proportion to the kernel, so that all weigh the same.
CoalitionPair draw_pair(std::size_t n, Stream& random) {
  double all = 0.0;
  for (std::size_t size = 1; size < n; ++size) all += kernel_of_size(n, size);
  double left = random.uniform() * all;
  std::size_t size = 1;
  while (size + 1 < n && left >= kernel_of_size(n, size)) left -= kernel_of_size(n, size++);
  const std::vector<std::uint32_t> order = random_order(n, random);
  Coalition coalition(n, false);
  for (std::size_t k = 0; k < size; ++k) coalition[order[k]] = true;
  return {coalition};
}

/// One equation z . x = y for the values' deviations x from an equal split of v(N), which sum to 0. Taking a pair's two
/// equations together halves their difference; z is S's indicator less its mean, which keeps x's sum at 0.
struct Equation {
  std::vector<double> z;
  double y = 0.0;
  double weight = 1.0;
};

Equation equation_of(const CoalitionPair& pair, double difference, double of_all) {
  const auto n = static_cast<double>(pair.coalition.size());
  const auto size = static_cast<double>(size_of(pair.coalition));
  Equation equation{{}, 0.5 * (difference - (2.0 * size - n) * of_all / n), pair.weight};
  for (const bool member : pair.coalition) equation.z.push_back((member ? 1.0 : 0.0) - size / n);
  return equation;
}

/// Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017, Theorem 2, with pairs of
/// complements as in Covert and Lee, "Improving KernelSHAP", AISTATS 2021. Values always sum to v(N). Where there are
/// no more pairs than asked for, all are taken, and the values are exact. Standard errors are those of least squares
/// whose residuals differ in variance (White, Econometrica 1980), with the correction m / (m - n + 1) for m pairs.
class KernelShap final : public ValuationRule {
 public:
  explicit KernelShap(const scenario::KernelShap& config) : pairs_(config.pairs()) {}
  ValuationNeeds needs() const override { return {.worth = true, .most_updates = pairs_}; }
  double most_coalitions(std::size_t updates) const override {
    return std::min(2.0 * static_cast<double>(pairs_), std::exp2(static_cast<double>(updates)));
  }
  Valuation value(const ValuationInput& input) override {
    const std::size_t n = input.sellers.size();
    SOUK_REQUIRE(n <= pairs_, "market.kernel_shap.pairs = {}: must be at least the number of updates, {}", pairs_, n);
    const double of_all = worth_of_all(*input.worth, n);
    const bool exact = n - 1 < 32 && (std::uint64_t{1} << (n - 1)) - 1 <= pairs_;
    const std::vector<Equation> equations = ask(input, exact, of_all);
    const PseudoInverse inverse(normal_matrix(equations, n), 1e-12);
    Valuation valuation{solve(equations, inverse, n)};
    if (!exact) valuation.standard_errors = standard_errors(equations, inverse, valuation.values);
    for (double& value : valuation.values) value += of_all / static_cast<double>(n);
    return valuation;
  }

 private:
  std::vector<Equation> ask(const ValuationInput& input, bool exact, double of_all) const {
    const std::size_t n = input.sellers.size();
    std::vector<CoalitionPair> pairs = exact ? all_pairs(n) : std::vector<CoalitionPair>();
    while (!exact && pairs.size() < pairs_) pairs.push_back(draw_pair(n, input.random));
    std::vector<Coalition> asked;
    for (const CoalitionPair& pair : pairs) {
      asked.push_back(pair.coalition);
      asked.push_back(complement(pair.coalition));
    }
    const std::vector<double> worths = input.worth->of(asked);
    std::vector<Equation> equations;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      equations.push_back(equation_of(pairs[p], worths[2 * p] - worths[2 * p + 1], of_all));
    }
    return equations;
  }

  static SymmetricMatrix normal_matrix(const std::vector<Equation>& equations, std::size_t n) {
    SymmetricMatrix matrix = SymmetricMatrix::zeros(n);
    for (const Equation& equation : equations) {
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) matrix(i, j) += equation.weight * equation.z[i] * equation.z[j];
      }
    }
    return matrix;
  }

  static std::vector<double> solve(const std::vector<Equation>& equations, const PseudoInverse& inverse,
                                   std::size_t n) {
    std::vector<double> right(n, 0.0);
    for (const Equation& equation : equations) {
      for (std::size_t i = 0; i < n; ++i) right[i] += equation.weight * equation.z[i] * equation.y;
    }
    return inverse.times(right);
  }

  static std::vector<double> standard_errors(const std::vector<Equation>& equations, const PseudoInverse& inverse,
                                             std::span<const double> solution) {
    const std::size_t n = solution.size();
    std::vector<double> variances(n, 0.0);
    for (const Equation& equation : equations) {
      const double explained = std::inner_product(solution.begin(), solution.end(), equation.z.begin(), 0.0);
      const std::vector<double> influence = inverse.times(equation.z);
      for (std::size_t i = 0; i < n; ++i) variances[i] += std::pow((equation.y - explained) * influence[i], 2);
    }
    const auto pairs = static_cast<double>(equations.size());
    for (double& variance : variances) variance = std::sqrt(variance * pairs / (pairs - static_cast<double>(n - 1)));
    return variances;
  }

  std::size_t pairs_;
};

const Register<ValuationRule, KernelShap, scenario::KernelShap> register_kernel_shap;

}  // namespace
}  // namespace souk
