#include "agents/privacy/account_settings.hpp"

#include "scenarios/privacy.pb.h"
#include "sim/base/contract.hpp"

namespace souk {

Accountant accountant_named(int chosen) {
  if (chosen == scenario::Privacy::RDP) return Accountant::renyi;
  return chosen == scenario::Privacy::GDP ? Accountant::gaussian_limit : Accountant::loss_distributions;
}

void require_delta(double delta, Accountant accountant, std::string_view section) {
  constexpr double least_delta = 1e-11;
  SOUK_REQUIRE(accountant != Accountant::loss_distributions || delta >= least_delta,
               "{}.delta = {}: the accountant PLD computes with no less than {}", section, delta, least_delta);
}

}  // namespace souk
