#include "aggregators/subset_search.hpp"

#include <limits>

#include "aggregators/rule_tools.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {

double subsets(std::size_t n, std::size_t k) {
  double count = 1.0;
  for (std::size_t i = 1; i <= k; ++i) count *= static_cast<double>(n - k + i) / static_cast<double>(i);
  return count;
}

void require_few_subsets(std::string_view rule, double count, double most) {
  SOUK_REQUIRE(count <= most,
               "aggregator.{}.max_subsets = {:g}: the exact search may have to look at {:.3g} subsets; search: GREEDY "
               "finds a good one quickly",
               rule, most, count);
}

std::vector<std::size_t> best_neighbourhood(const SymmetricMatrix& squared_distances, std::size_t size,
                                            const std::function<double(std::span<const std::size_t>)>& measure) {
  std::vector<std::size_t> best;
  double least = std::numeric_limits<double>::infinity();
  std::vector<double> to_others(squared_distances.order);
  for (std::size_t i = 0; i < squared_distances.order; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j < squared_distances.order; ++j) to_others[j] = squared_distances(i, j);
    std::vector<std::size_t> nearest = smallest(to_others, size);
    const double value = measure(nearest);
    if (!best.empty() && value >= least) continue;
    least = value;
    best = std::move(nearest);
  }
  return best;
}

}  // namespace souk
