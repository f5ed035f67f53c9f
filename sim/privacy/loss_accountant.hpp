#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>

#include "sim/privacy/loss_distribution.hpp"
#include "sim/privacy/mechanism.hpp"

namespace souk {

/// Epsilon of whoever is removed, and of whoever is added.
struct BothEpsilons {
  double remove = 0.0, add = 0.0;
  double larger() const { return std::max(remove, add); }
};

/// Epsilon by distributions of the privacy loss, composed by Fourier transforms: tight up to the grid, and never too
/// small. Keeps the distributions of releases that it has met.
class LossAccountant {
 public:
  /// `step` of the grid.
  explicit LossAccountant(double step) : step_(step) {}
  /// On a grid that is fine enough for these: half its step would change epsilon by less than a thousandth, or take
  /// transforms of more than 2^20 points.
  static LossAccountant fit_for(Releases releases, double delta);
  double step() const { return step_; }
  /// delta is at least 1e-11: rounding errors of the transforms hide what is smaller.
  BothEpsilons epsilons(Releases releases, double delta);

 private:
  struct Known {
    double sampling, noise;
    LossDistribution remove, add;
  };
  const Known& losses_of(const SubsampledGaussian& release);
  std::vector<ComposedLoss> composition(Releases releases, Neighbour direction);
  std::size_t points(Releases releases);

  double step_;
  std::deque<Known> known_;
};

}  // namespace souk
