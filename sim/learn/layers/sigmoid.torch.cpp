#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>

#include <ATen/core/Tensor.h>
#include <ATen/ops/sigmoid.h>

#include "sim/learn/chain_stage.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// y = 1 / (1 + exp(-x)): y' = y (1 - y), y'' = y' (1 - 2 y).
class SigmoidStage final : public ChainStage {
 public:
  explicit SigmoidStage(const Layer& layer) : ChainStage(layer.in(), layer.out()), size_(layer.in().size()) {}

  void reserve(std::size_t) override {}

  void forward(const float*, const StageValues& values) override {
    for (std::size_t i = 0; i < values.samples * size_; ++i) values.out[i] = 1.0F / (1.0F + std::exp(-values.in[i]));
  }

  void backward(const float*, const StageValues& values, float* d_out, float* d_in, const GradientSink&) override {
    if (d_in == nullptr) return;
    for (std::size_t i = 0; i < values.samples * size_; ++i) d_in[i] = d_out[i] * slope(values.out[i]);
  }

  bool knows_norms() const override { return true; }  // there are no parameters

  void forward_tangent(const float*, const StageValues& values, const StageTangents& tangents) override {
    const std::size_t count = values.samples * size_;
    if (tangents.in == nullptr) {
      std::fill_n(tangents.out, count, 0.0F);
      return;
    }
    for (std::size_t i = 0; i < count; ++i) tangents.out[i] = slope(values.out[i]) * tangents.in[i];
  }

  // Of g y': g' y' + g y'' x', where y' x' is what forward_tangent has written.
  void backward_tangent(const float*, const StageValues& values, const StageTangents& tangents, float* d_out,
                        float* d_in, const GradientSink&) override {
    if (d_in == nullptr) return;
    const std::size_t count = values.samples * size_;
    for (std::size_t i = 0; i < count; ++i) {
      const float y = values.out[i];
      d_in[i] = d_out[i] * slope(y);
      d_in[count + i] = d_out[count + i] * slope(y) + d_out[i] * (1.0F - 2.0F * y) * tangents.out[i];
    }
  }

 private:
  static float slope(float y) { return y * (1.0F - y); }

  std::size_t size_;
};

class Sigmoid final : public Layer {
 public:
  Extent place(Architecture&) override { return in(); }
  at::Tensor forward(const at::Tensor& value, TorchPass&) const override { return at::sigmoid(value); }
  std::unique_ptr<ChainStage> stage(ChainPlan&) const override { return std::make_unique<SigmoidStage>(*this); }
};

}  // namespace

std::unique_ptr<Layer> layers::sigmoid() { return std::make_unique<Sigmoid>(); }

}  // namespace souk
