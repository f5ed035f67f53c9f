#include "sim/learn/channel_attention.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layer_tools.hpp"

namespace souk {
namespace {

/// Hu, Shen, Sun, "Squeeze-and-Excitation Networks", CVPR 2018, equations 2 and 3, without scaling the values by it.
class ChannelAttention final : public Layer {
 public:
  ChannelAttention(std::string name, std::size_t reduction) : name_(std::move(name)), reduction_(reduction) {}

  Extent place(Architecture& network) override {
    const std::size_t channels = in().channels;
    squeezed_ = std::max<std::size_t>(1, channels / reduction_);
    squeeze_ = network.add_trainable(name_ + ".squeeze.weight", {squeezed_, channels});
    excite_ = network.add_trainable(name_ + ".excite.weight", {channels, squeezed_});
    return in();
  }

  void initialise(Stream& random, std::span<const std::span<float>> slots) const override {
    draw_uniform(in().channels, random, slots[squeeze_]);
    draw_uniform(squeezed_, random, slots[excite_]);
  }

  double forward_flops() const override { return 4.0 * static_cast<double>(in().channels * squeezed_); }

  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    const at::Tensor means = value.mean(std::vector<std::int64_t>{2, 3});
    const at::Tensor squeezed = at::relu(at::linear(means, pass.slots[squeeze_]));
    pass.attention = at::linear(squeezed, pass.slots[excite_]).sigmoid();
    return value;
  }
  TorchMemory torch_memory() const override { return {.kept = 2 * in().channels + squeezed_}; }

 private:
  std::string name_;
  std::size_t reduction_;
  std::size_t squeezed_ = 1;
  std::size_t squeeze_ = 0, excite_ = 0;  ///< slots
};

}  // namespace

std::unique_ptr<Layer> make_channel_attention(std::string name, std::size_t reduction) {
  return std::make_unique<ChannelAttention>(std::move(name), reduction);
}

}  // namespace souk
