#include "attacks/alie_z.hpp"

#include <algorithm>

#include "sim/stats/normal_distribution.hpp"

namespace souk {

double alie_z(std::size_t n, std::size_t m) {
  const std::size_t honest = n - std::min(n, m);
  const std::size_t majority = n / 2 + 1;
  const std::size_t supporters = majority > m ? majority - m : 1;
  if (honest <= supporters) return 0.0;
  return normal_quantile(static_cast<double>(honest - supporters) / static_cast<double>(honest));
}

}  // namespace souk
