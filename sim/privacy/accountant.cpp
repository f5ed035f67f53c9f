#include "sim/privacy/accountant.hpp"

#include "sim/base/contract.hpp"
#include "sim/privacy/gaussian_dp.hpp"
#include "sim/privacy/loss_accountant.hpp"
#include "sim/privacy/renyi.hpp"

namespace souk {

double epsilon_by(Accountant accountant, Releases releases, double delta) {
  switch (accountant) {
    case Accountant::renyi:
      return renyi_epsilon(releases, delta).epsilon;
    case Accountant::gaussian_limit:
      return gdp_epsilon(gdp_mu(releases), delta);
    default:
      return LossAccountant::fit_for(releases, delta).epsilons(releases, delta).larger();
  }
}

double noise_for(double epsilon, Accountant accountant, Releases releases, double delta) {
  const auto enough = [&](double noise) {
    std::vector<SubsampledGaussian> with(releases.begin(), releases.end());
    for (SubsampledGaussian& release : with) release.noise = noise;
    return epsilon_by(accountant, with, delta) <= epsilon;
  };
  constexpr double least = 1e-2, most = 1e4, precision = 1e-4;
  double low = least, high = 1.0;
  while (high < most && !enough(high)) {
    low = high;
    high *= 2.0;
  }
  SOUK_REQUIRE(high < most, "epsilon = {}: no noise multiplier up to {} is enough", epsilon, most);
  while (high - low > precision) {
    const double middle = 0.5 * (low + high);
    (enough(middle) ? high : low) = middle;
  }
  SOUK_REQUIRE(low > least, "epsilon = {}: a noise multiplier of {} is more than enough", epsilon, least);
  return high;
}

}  // namespace souk
