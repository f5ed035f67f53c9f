#pragma once

#include "sim/learn/objective.hpp"

namespace souk {

/// Losses of numbers, which are functions of the error e = prediction - target.
class ErrorLoss : public Objective {
 public:
  bool of_classes() const final { return false; }
  void losses(std::span<const float> outputs, std::size_t, const Targets& targets, std::span<double> out) const final {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = loss(error(outputs, targets, i));
  }
  double gradient(std::span<float> outputs, std::size_t, const Targets& targets, std::size_t total) const final {
    double sum = 0.0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const double e = error(outputs, targets, i);
      sum += loss(e);
      outputs[i] = static_cast<float>(slope(e) / static_cast<double>(total));
    }
    return sum;
  }
  void curvature(std::span<const float> outputs, std::size_t, const Targets& targets, std::size_t total,
                 std::span<float> direction) const final {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      direction[i] = static_cast<float>(bend(error(outputs, targets, i)) * static_cast<double>(direction[i]) /
                                        static_cast<double>(total));
    }
  }

 protected:
  virtual double loss(double error) const = 0;
  virtual double slope(double error) const = 0;  ///< first derivative
  virtual double bend(double error) const = 0;   ///< second derivative

 private:
  static double error(std::span<const float> outputs, const Targets& targets, std::size_t i) {
    return static_cast<double>(outputs[i]) - static_cast<double>(targets.numbers[i]);
  }
};

}  // namespace souk
