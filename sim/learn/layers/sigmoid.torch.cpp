#include <cmath>
#include <memory>
#include <optional>

#include <ATen/core/Tensor.h>
#include <ATen/ops/sigmoid.h>

#include "sim/learn/layers/element_stage.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// y = 1 / (1 + exp(-x)): y' = y (1 - y), y'' = y' (1 - 2 y).
struct Logistic {
  static float value(float x) { return 1.0F / (1.0F + std::exp(-x)); }
  static float slope(float y) { return y * (1.0F - y); }
  static float bend(float y) { return 1.0F - 2.0F * y; }
};

class Sigmoid final : public Layer {
 public:
  Extent place(Architecture&) override { return in(); }
  at::Tensor forward(const at::Tensor& value, TorchPass&) const override { return at::sigmoid(value); }
  std::unique_ptr<ChainStage> stage(ChainPlan&) const override {
    return std::make_unique<ElementStage<Logistic>>(*this, Logistic{});
  }
  std::optional<Inverse> inverse(double out) const override {
    return Inverse{.in = std::log(out) - std::log1p(-out), .slope = out * (1.0 - out)};
  }
};

}  // namespace

std::unique_ptr<Layer> layers::sigmoid() { return std::make_unique<Sigmoid>(); }

}  // namespace souk
