#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/privacy/mechanism.hpp"

namespace souk {

/// Which of two neighbouring data sets is the true one: that with the vector, which is then removed, or that without.
enum class Neighbour : std::uint8_t { remove, add };

/// How the privacy loss ln(P / Q) of a release is distributed under the truth P, on a grid of multiples of `step`.
/// Cells are split between their ends so that their masses under both P and Q stay: what it says of any epsilon is then
/// never too small (Doroshenko, Ghazi, Kamath, Kumar, Manurangsi, "Connect the Dots", 2022).
struct LossDistribution {
  double step = 0.0;
  std::int64_t first = 0;  ///< the loss of mass[i] is (first + i) * step
  std::vector<double> mass{};
  double beyond = 0.0;  ///< mass of larger losses, taken for infinite
};

/// Of a single release.
LossDistribution loss_distribution(double sampling, double noise, Neighbour direction, double step);

/// A distribution, so many times.
struct ComposedLoss {
  const LossDistribution* loss;
  std::uint64_t count;
};

/// Steps of the grid that the sum of these losses takes, all but a mass of 2e-14: what the transforms are long.
std::size_t grid_points(std::span<const ComposedLoss> losses);

/// The least epsilon >= 0 that goes with delta >= 1e-11, of the sum of these independent losses on one grid; infinite
/// where `beyond` alone is more than delta. Transforms of length grid_points.
double epsilon_of(std::span<const ComposedLoss> losses, double delta);

}  // namespace souk
