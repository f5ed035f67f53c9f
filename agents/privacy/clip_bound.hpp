#pragma once

#include <cstddef>

namespace souk::scenario {
class AdaptiveClip;
class Privacy;
}  // namespace souk::scenario

namespace souk {

class Archive;
class Stream;

/// How many updates of a round were within the bound as they were trained, and how many were longer.
struct UpdateLengths {
  std::size_t within = 0, longer = 0;
};

/// S, the length to which updates are shortened. Fixed; or on its way to a quantile of their lengths: Andrew, Thakkar,
/// McMahan, Ramaswamy, "Differentially Private Learning with Adaptive Clipping", NeurIPS 2021, Algorithm 1. Clients
/// tell by a bit whether they are within it, +1/2 or -1/2, so that one who comes or goes moves the sum by 1/2.
class ClipBound {
 public:
  /// `expected` updates in a round. Throws InputError where the noise on the count is too little for
  /// `noise_multiplier`.
  ClipBound(const scenario::Privacy& config, double expected);
  double length() const { return length_; }
  bool adapts() const { return adaptive_ != nullptr; }
  /// Standard deviation of the noise on the sum of updates, in bounds, with which that and the noise on the count
  /// together protect like one release under `noise_multiplier`: (sigma^-2 - (2 sigma_b)^-2)^(-1/2).
  double step_noise() const { return step_noise_; }
  /// Moves on after a round: S exp(-rate (share - quantile)), the share of those within it under noise, and from 0
  /// to 1.
  void follow(const UpdateLengths& lengths, Stream& random);
  void serialize(Archive& archive);

 private:
  const scenario::AdaptiveClip* adaptive_;  ///< null: S is fixed
  double expected_;
  double count_noise_ = 0.0;
  double step_noise_;
  double length_;
};

}  // namespace souk
