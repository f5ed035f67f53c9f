#include <memory>

#include <ATen/core/Tensor.h>
#include <ATen/ops/relu.h>

#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

class Relu final : public Layer {
 public:
  Extent place(Architecture&) override { return in(); }
  at::Tensor forward(const at::Tensor& value, TorchPass&) const override { return at::relu(value); }
  Finish finish() const override { return {.relu = true}; }
};

}  // namespace

std::unique_ptr<Layer> layers::relu() { return std::make_unique<Relu>(); }

}  // namespace souk
