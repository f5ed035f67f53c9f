#include "agents/market/reward_shares.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/contract.hpp"

namespace souk {

std::vector<double> reward_shares(double beta, std::span<const double> values) {
  SOUK_EXPECT(beta > 0.0);
  std::vector<double> shares;
  double largest = 0.0;
  for (const double value : values) {
    shares.push_back(std::tanh(beta * std::max(0.0, value)));
    largest = std::max(largest, shares.back());
  }
  if (largest > 0.0) {
    for (double& share : shares) share /= largest;
  }
  return shares;
}

}  // namespace souk
