#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "agents/market/valuation.hpp"

namespace souk {

/// v(N) of n updates. Collective.
double worth_of_all(CoalitionWorth& worth, std::size_t n);

/// [permutations][n]: what each update adds to the worth of those before it in each permutation. A permutation is cut,
/// and the rest of it adds nothing, where |v(N) - v(prefix)| < tolerance. All permutations advance together, position
/// by position, so that many coalitions are asked for at once. Collective.
std::vector<std::vector<double>> marginals_along(CoalitionWorth& worth,
                                                 std::span<const std::vector<std::uint32_t>> permutations,
                                                 double of_all, double tolerance);

/// Mean and its standard error of each update's marginals, as permutations come in.
class MeanMarginals {
 public:
  explicit MeanMarginals(std::size_t n) : means_(n), squares_(n) {}
  void add(std::span<const double> marginals);
  std::span<const double> means() const { return means_; }
  std::uint64_t count() const { return count_; }
  /// Standard errors treat permutations as independent draws.
  Valuation valuation() const;

 private:
  std::uint64_t count_ = 0;
  std::vector<double> means_, squares_;  ///< sums of squared deviations from the mean
};

}  // namespace souk
