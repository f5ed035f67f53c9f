#include "agents/market/coalitions.hpp"

#include <cmath>

namespace souk {

double worth_of_all(CoalitionWorth& worth, std::size_t n) {
  const Coalition everyone(n, true);
  return worth.of(std::span(&everyone, 1)).front();
}

std::vector<std::vector<double>> marginals_along(CoalitionWorth& worth,
                                                 std::span<const std::vector<std::uint32_t>> permutations,
                                                 double of_all, double tolerance) {
  if (permutations.empty()) return {};
  const std::size_t n = permutations.front().size();
  std::vector<std::vector<double>> marginals(permutations.size(), std::vector<double>(n, 0.0));
  std::vector<Coalition> prefixes(permutations.size(), Coalition(n, false));
  std::vector<double> reached(permutations.size(), 0.0);
  for (std::size_t position = 0; position < n; ++position) {
    std::vector<std::size_t> going;
    std::vector<Coalition> asked;
    for (std::size_t p = 0; p < permutations.size(); ++p) {
      if (std::abs(of_all - reached[p]) < tolerance) continue;
      prefixes[p][permutations[p][position]] = true;
      going.push_back(p);
      asked.push_back(prefixes[p]);
    }
    if (going.empty()) break;
    const std::vector<double> worths = worth.of(asked);
    for (std::size_t k = 0; k < going.size(); ++k) {
      const std::size_t p = going[k];
      marginals[p][permutations[p][position]] = worths[k] - reached[p];
      reached[p] = worths[k];
    }
  }
  return marginals;
}

void MeanMarginals::add(std::span<const double> marginals) {
  ++count_;
  for (std::size_t i = 0; i < marginals.size(); ++i) {
    const double before = marginals[i] - means_[i];
    means_[i] += before / static_cast<double>(count_);
    squares_[i] += before * (marginals[i] - means_[i]);
  }
}

Valuation MeanMarginals::valuation() const {
  Valuation valuation{means_, std::vector<double>(means_.size(), 0.0)};
  const auto count = static_cast<double>(count_);
  for (std::size_t i = 0; count_ > 1 && i < means_.size(); ++i) {
    valuation.standard_errors[i] = std::sqrt(squares_[i] / (count - 1.0) / count);
  }
  return valuation;
}

}  // namespace souk
