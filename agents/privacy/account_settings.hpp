#pragma once

#include <cstdint>
#include <string_view>

#include "sim/privacy/accountant.hpp"

namespace souk {

/// Of a value of scenario::Privacy::Accountant.
Accountant accountant_named(int chosen);

/// Below the least delta rounding errors of Fourier transforms hide it. `section`: whose accountant it is, for errors.
/// Throws InputError.
void require_delta(double delta, Accountant accountant, std::string_view section);

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
