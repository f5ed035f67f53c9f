#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace souk {

/// Steps of Adam in double. Kingma, Ba, "Adam", ICLR 2015, Algorithm 1, with the constants that they recommend.
class AdamSteps {
 public:
  AdamSteps(std::size_t dimension, double learning_rate)
      : learning_rate_(learning_rate), first_(dimension, 0.0), second_(dimension, 0.0) {}

  /// Both [dimension].
  void step(std::span<const double> gradient, std::span<double> x) {
    constexpr double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    power1_ *= beta1;
    power2_ *= beta2;
    for (std::size_t i = 0; i < x.size(); ++i) {
      first_[i] = beta1 * first_[i] + (1.0 - beta1) * gradient[i];
      second_[i] = beta2 * second_[i] + (1.0 - beta2) * gradient[i] * gradient[i];
      x[i] -= learning_rate_ * first_[i] / (1.0 - power1_) / (std::sqrt(second_[i] / (1.0 - power2_)) + epsilon);
    }
  }

 private:
  double learning_rate_, power1_ = 1.0, power2_ = 1.0;
  std::vector<double> first_, second_;
};

}  // namespace souk
