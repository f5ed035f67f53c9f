#pragma once

#include <cstdint>

#include "sim/privacy/mechanism.hpp"

namespace souk {

/// How epsilon is computed.
enum class Accountant : std::uint8_t { loss_distributions, renyi, gaussian_limit };

/// Of all releases, at delta in [1e-11, 1).
double epsilon_by(Accountant accountant, Releases releases, double delta);

/// The least noise multiplier, to 1e-4, with which `releases`, whatever noise they name, stay within epsilon. Throws
/// InputError where none between 1e-2 and 1e4 is right.
double noise_for(double epsilon, Accountant accountant, Releases releases, double delta);

}  // namespace souk
