#include <memory>
#include <optional>

#include <ATen/core/Tensor.h>
#include <ATen/ops/leaky_relu.h>

#include "sim/learn/layers/element_stage.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

struct TwoLines {
  float negative;  ///< slope below 0
  float value(float x) const { return x > 0.0F ? x : negative * x; }
  float slope(float y) const { return y > 0.0F ? 1.0F : negative; }
  static float bend(float) { return 0.0F; }
};

class LeakyRelu final : public Layer {
 public:
  explicit LeakyRelu(double negative) : negative_(negative) {}
  Extent place(Architecture&) override { return in(); }
  at::Tensor forward(const at::Tensor& value, TorchPass&) const override { return at::leaky_relu(value, negative_); }
  std::unique_ptr<ChainStage> stage(ChainPlan&) const override {
    return std::make_unique<ElementStage<TwoLines>>(*this, TwoLines{static_cast<float>(negative_)});
  }
  std::optional<Inverse> inverse(double out) const override {
    const double slope = out > 0.0 ? 1.0 : negative_;
    return Inverse{.in = out / slope, .slope = slope};
  }

 private:
  double negative_;
};

}  // namespace

std::unique_ptr<Layer> layers::leaky_relu(double negative) { return std::make_unique<LeakyRelu>(negative); }

}  // namespace souk
