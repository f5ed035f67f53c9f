#include <cstddef>
#include <memory>

#include <ATen/core/Tensor.h>
#include <ATen/ops/max_pool2d.h>

#include "sim/base/contract.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layer_tools.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

class MaxPool final : public Layer {
 public:
  explicit MaxPool(std::size_t kernel) : kernel_(kernel) {}

  Extent place(Architecture& network) override {
    SOUK_REQUIRE(in().height >= kernel_ && in().width >= kernel_,
                 "{}: {}x{} max pooling of {} values: the images are too small; the input is {}", network.name(),
                 kernel_, kernel_, in().text(), network.in().text());
    return {.channels = in().channels, .height = in().height / kernel_, .width = in().width / kernel_};
  }

  at::Tensor forward(const at::Tensor& value, TorchPass&) const override {
    return at::max_pool2d(value, to_signed(kernel_));
  }

  Finish finish() const override { return {.pools = kernel_ == 2}; }

 private:
  std::size_t kernel_;
};

}  // namespace

std::unique_ptr<Layer> layers::max_pool(std::size_t kernel) { return std::make_unique<MaxPool>(kernel); }

}  // namespace souk
