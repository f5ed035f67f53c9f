// What residual blocks need: values put aside, and taken back.
#include <memory>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/base/contract.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

class Save final : public Layer {
 public:
  Extent place(Architecture& network) override {
    network.saved().push_back(in());
    return in();
  }
  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    pass.saved.push_back(value);
    return value;
  }
  TorchMemory torch_memory() const override { return {}; }
};

class Swap final : public Layer {
 public:
  Extent place(Architecture& network) override {
    SOUK_EXPECT(!network.saved().empty());
    return std::exchange(network.saved().back(), in());
  }
  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    return std::exchange(pass.saved.back(), value);
  }
  TorchMemory torch_memory() const override { return {}; }
};

class Add final : public Layer {
 public:
  Extent place(Architecture& network) override {
    SOUK_EXPECT(!network.saved().empty() && network.saved().back() == in());
    network.saved().pop_back();
    return in();
  }
  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    const at::Tensor sum = value.add(pass.saved.back());
    pass.saved.pop_back();
    return sum;
  }
};

}  // namespace

std::unique_ptr<Layer> layers::save() { return std::make_unique<Save>(); }
std::unique_ptr<Layer> layers::swap() { return std::make_unique<Swap>(); }
std::unique_ptr<Layer> layers::add() { return std::make_unique<Add>(); }

}  // namespace souk
