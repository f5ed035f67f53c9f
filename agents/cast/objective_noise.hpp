#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/learn/task.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// The linear term b^T theta / N in what clients minimise, b ~ N(0, sigma^2 I), N the units that they train on. It
/// hides what one step leaves of the forgotten. Chaudhuri, Monteleoni, Sarwate, "Differentially Private Empirical Risk
/// Minimization", JMLR 2011; Guo et al., "Certified Data Removal from Machine Learning Models", ICML 2020.
class ObjectiveNoise {
 public:
  /// Throws InputError where the noise hides nothing: the objective is not strongly convex.
  ObjectiveNoise(const scenario::Scenario& scenario, const Task& task);
  bool is_there() const { return sigma_ > 0.0; }
  double sigma() const { return sigma_; }
  /// Draws b of the training of this number, 0 the first.
  void draw(std::uint32_t training);
  /// Number of the training whose b it is.
  std::uint32_t training() const { return training_; }
  /// N.
  void spread_over(std::size_t units);
  /// b, [trainable]; empty: there is none.
  std::span<const float> values() const { return values_; }
  /// b / N, what is added to every gradient.
  std::span<const float> slope() const { return slope_; }

 private:
  std::uint64_t seed_;
  double sigma_;
  std::uint32_t training_ = 0;
  std::size_t units_ = 0;
  std::vector<float> values_, slope_;
};

}  // namespace souk
