#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "sim/learn/float_buffer.hpp"

namespace souk::scenario {
class Training;
}

namespace souk {

/// The local optimiser of one client: PyTorch's SGD, Adam and AdamW, each step one pass over flat memory. The gradient
/// it applies is clip(gradient + mu (parameters - anchor)): FedProx (Li et al., "Federated Optimization in
/// Heterogeneous Networks", MLSys 2020), clipped by its global norm; weight decay comes after. Owns its state,
/// allocated once.
class Optimizer {
 public:
  Optimizer(const scenario::Training& training, std::size_t trainable);
  /// Forgets everything: a new client's turn.
  void restart();
  /// parameters [trainable] -= its step along `gradient`. `anchor` is the global model.
  void step(std::span<float> parameters, std::span<const float> gradient, std::span<const float> anchor,
            double learning_rate);
  /// Set if a step is parameters = (1 - rate * decay) parameters - rate * gradient: plain SGD, nothing else.
  std::optional<double> plain_weight_decay() const;

 private:
  enum class Kind : std::uint8_t { sgd, adam, adamw };
  struct Settings {
    Kind kind = Kind::sgd;
    bool nesterov = false;
    double momentum = 0.0, weight_decay = 0.0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double proximal_mu = 0.0, clip_norm = 0.0;
  };
  static Settings settings_of(const scenario::Training& training);

  Settings settings_;
  std::size_t trainable_;
  std::uint64_t steps_ = 0;
  FloatBuffer first_, second_;  ///< momentum or first moment; second moment
};

/// The L2 penalty of all parameters that is a part of what is minimised: that of AdamW is none.
double weight_decay_of_loss(const scenario::Training& training);

/// Euclidean norm of gradient + mu (parameters - anchor), accumulated in double in one fixed order.
double proximal_norm(std::span<const float> gradient, std::span<const float> parameters, std::span<const float> anchor,
                     float mu);

}  // namespace souk
