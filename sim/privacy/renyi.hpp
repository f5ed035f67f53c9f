#pragma once

#include "sim/privacy/mechanism.hpp"

namespace souk {

/// Renyi divergence of order alpha > 1 of one release under removal of a vector, which is the larger direction:
/// Mironov, Talwar, Zhang, "Renyi Differential Privacy of the Sampled Gaussian Mechanism", 2019, section 3.3, with the
/// signs of fractional binomials. sigma and q as in SubsampledGaussian.
double renyi_divergence(double sampling, double noise, double alpha);

/// How a divergence becomes (epsilon, delta).
enum class RenyiConversion : std::uint8_t {
  /// eps_a + ln((a - 1) / a) - (ln delta + ln a) / (a - 1): Canonne, Kamath, Steinke, 2020, proposition 12.
  tight,
  /// eps_a + ln(1 / delta) / (a - 1): Mironov, "Renyi Differential Privacy", 2017, proposition 3. Of older tables.
  original,
};

struct RenyiEpsilon {
  double epsilon = 0.0;
  double order = 0.0;    ///< alpha that gives it
  bool at_edge = false;  ///< the smallest or largest order tried: another might have given less
};

/// The least over orders 1.1, 1.2 .. 10.9, 12, 13 .. 63, 64, 128, 256, 512. Never too small.
RenyiEpsilon renyi_epsilon(Releases releases, double delta, RenyiConversion conversion = RenyiConversion::tight);

}  // namespace souk
