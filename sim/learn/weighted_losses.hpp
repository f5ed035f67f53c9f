#pragma once

#include <memory>

#include "sim/learn/objective.hpp"

namespace souk {

/// A loss whose samples count as often as their targets say: losses, gradients and curvature of a sample times its
/// weight, the number of samples as it is. Without weights, the loss itself. What attention adds to a mini-batch is of
/// all its samples together, and has no weights.
class WeightedLosses final : public Objective {
 public:
  explicit WeightedLosses(std::unique_ptr<Objective> loss) : loss_(std::move(loss)) {}
  bool of_classes() const override { return loss_->of_classes(); }
  void losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
              std::span<double> out) const override;
  double gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                  std::size_t total) const override;
  void curvature(std::span<const float> outputs, std::size_t width, const Targets& targets, std::size_t total,
                 std::span<float> direction) const override;
  std::size_t attention_reduction() const override { return loss_->attention_reduction(); }
  double attention_gradient(std::span<float> attention, std::size_t channels, const Targets& targets) const override {
    return loss_->attention_gradient(attention, channels, targets);
  }
  void attention_curvature(std::span<const float> attention, std::size_t channels, const Targets& targets,
                           std::span<float> direction) const override {
    loss_->attention_curvature(attention, channels, targets, direction);
  }
  bool is_cross_entropy() const override { return loss_->is_cross_entropy(); }
  bool takes_shares() const override { return loss_->takes_shares(); }
  void share_slopes(std::span<const float> outputs, std::size_t width, std::size_t total,
                    std::span<float> direction) const override {
    loss_->share_slopes(outputs, width, total, direction);
  }

 private:
  std::unique_ptr<Objective> loss_;
};

}  // namespace souk
