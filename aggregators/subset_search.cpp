#include "aggregators/subset_search.hpp"

#include "sim/base/contract.hpp"

namespace souk {

double subsets(std::size_t n, std::size_t k) {
  double count = 1.0;
  for (std::size_t i = 1; i <= k; ++i) count *= static_cast<double>(n - k + i) / static_cast<double>(i);
  return count;
}

void require_few_subsets(std::string_view rule, double count, double most) {
  SOUK_REQUIRE(count <= most,
               "aggregator.{}.max_subsets = {:g}: the exact search may have to look at {:.3g} subsets; search: GREEDY "
               "finds a good one quickly, without the guarantee",
               rule, most, count);
}

}  // namespace souk
