#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace souk::scenario {
class Objective;
}

namespace souk {

/// What the outputs for some samples are compared with, [samples]: the class of each, or shares of all classes, or a
/// number.
struct Targets {
  std::span<const std::int32_t> classes{};
  std::span<const float> numbers{};
  std::span<const float> shares{};   ///< [samples, width] soft labels, each row of sum 1
  std::size_t width = 0;             ///< classes, where there are shares
  std::span<const float> weights{};  ///< [samples] how often each loss counts; empty: once

  /// Those of samples [first, first + count).
  Targets part(std::size_t first, std::size_t count) const {
    return {.classes = classes.empty() ? classes : classes.subspan(first, count),
            .numbers = numbers.empty() ? numbers : numbers.subspan(first, count),
            .shares = shares.empty() ? shares : shares.subspan(first * width, count * width),
            .width = width,
            .weights = weights.empty() ? weights : weights.subspan(first, count)};
  }
};

/// The loss that training minimises, as a function of a network's outputs [samples, width]. Its mean over samples is
/// the objective. One file per loss; each knows its first and second derivatives, so that any network can train on it.
class Objective {
 public:
  virtual ~Objective() = default;
  /// Whether targets are classes, and outputs logits of them; otherwise numbers, and outputs [samples, 1] predictions.
  virtual bool of_classes() const = 0;
  /// Losses of the samples, [samples].
  virtual void losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
                      std::span<double> out) const = 0;
  /// The sum of the losses, in the order of the samples. Outputs become its gradient with respect to them, divided by
  /// `total`: that of the mean, if these are some of `total` samples.
  virtual double gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                          std::size_t total) const = 0;
  /// `direction` [samples, width] becomes the Hessian of (sum of the losses) / total with respect to the outputs, times
  /// it.
  virtual void curvature(std::span<const float> outputs, std::size_t width, const Targets& targets, std::size_t total,
                         std::span<float> direction) const = 0;
  /// Whether networks compute the channel attention of their last convolution beside the outputs, and by how much it is
  /// squeezed on the way (channel_attention.hpp); 0: they do not.
  virtual std::size_t attention_reduction() const { return 0; }
  /// What the attention of a mini-batch, [samples, channels], adds to the mean of its losses. Attention becomes the
  /// gradient with respect to it.
  virtual double attention_gradient(std::span<float>, std::size_t, const Targets&) const { return 0.0; }
  /// `direction` [samples, channels] becomes the Hessian of that term, times it.
  virtual void attention_curvature(std::span<const float>, std::size_t, const Targets&, std::span<float>) const {}
  /// Whether it is the cross-entropy, for which LibTorch has an operator of its own.
  virtual bool is_cross_entropy() const { return false; }
  /// Whether targets may be shares of all classes.
  virtual bool takes_shares() const { return false; }
  /// `direction` [samples, width] becomes the derivative, along it, of the gradient of (sum of the losses) / total with
  /// respect to the shares. Contract: it takes shares.
  virtual void share_slopes(std::span<const float> /*outputs*/, std::size_t /*width*/, std::size_t /*total*/,
                            std::span<float> /*direction*/) const {}
};

/// The loss chosen in `config`, which takes weights of samples; where it chooses none, cross-entropy of classes or the
/// squared error of numbers. Throws InputError where the one chosen is of the other kind.
std::unique_ptr<Objective> make_objective(const scenario::Objective& config, bool of_classes);

}  // namespace souk
