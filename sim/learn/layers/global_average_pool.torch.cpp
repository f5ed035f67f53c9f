#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

class GlobalAveragePool final : public Layer {
 public:
  Extent place(Architecture&) override { return {.channels = in().channels}; }
  at::Tensor forward(const at::Tensor& value, TorchPass&) const override {
    return value.mean(std::vector<std::int64_t>{2, 3}, /*keepdim=*/true);
  }
};

}  // namespace

std::unique_ptr<Layer> layers::global_average_pool() { return std::make_unique<GlobalAveragePool>(); }

}  // namespace souk
