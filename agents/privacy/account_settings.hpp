#pragma once

#include <cstdint>
#include <string_view>

#include "scenarios/privacy.pb.h"
#include "sim/base/contract.hpp"
#include "sim/privacy/accountant.hpp"

namespace souk {

inline Accountant accountant_of(scenario::Privacy::Accountant chosen) {
  if (chosen == scenario::Privacy::RDP) return Accountant::renyi;
  return chosen == scenario::Privacy::GDP ? Accountant::gaussian_limit : Accountant::loss_distributions;
}

/// Below the least delta rounding errors of Fourier transforms hide it. `section`: whose accountant it is, for errors.
inline void require_delta(double delta, Accountant accountant, std::string_view section) {
  constexpr double least_delta = 1e-11;
  SOUK_REQUIRE(accountant != Accountant::loss_distributions || delta >= least_delta,
               "{}.delta = {}: the accountant PLD computes with no less than {}", section, delta, least_delta);
}

/// Of `most` releases, how many are `affordable(count)`; contract: the first is, and with any number every smaller one.
template <class Affordable>
std::uint64_t releases_within(std::uint64_t most, Affordable affordable) {
  if (affordable(most)) return most;
  std::uint64_t enough = 1, too_many = most;
  while (too_many - enough > 1) {
    const std::uint64_t middle = enough + (too_many - enough) / 2;
    (affordable(middle) ? enough : too_many) = middle;
  }
  return enough;
}

}  // namespace souk
