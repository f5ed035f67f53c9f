#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv1d.h>

#include "sim/base/contract.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layer_tools.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

class TextConv final : public Layer {
 public:
  TextConv(std::string name, std::size_t filters, std::vector<std::size_t> widths)
      : name_(std::move(name)), filters_(filters), widths_(std::move(widths)) {}

  Extent place(Architecture& network) override {
    SOUK_EXPECT(in().height == 1);
    for (const std::size_t width : widths_) {
      SOUK_REQUIRE(std::ranges::find(groups_, width, &Group::width) == groups_.end(),
                   "task.model.{}.widths: {} is given twice", network.name(), width);
      const std::string name = name_ + std::to_string(width);
      const std::size_t weight = network.add_trainable(name + ".weight", {filters_, in().channels, width});
      const std::size_t bias = network.add_trainable(name + ".bias", {filters_});
      groups_.push_back({.width = width, .weight = weight, .bias = bias});
    }
    return {.channels = filters_ * widths_.size()};
  }

  void initialise(Stream& random, std::span<const std::span<float>> slots) const override {
    for (const Group& group : groups_) {
      const std::size_t fan_in = in().channels * group.width;
      draw_uniform(fan_in, random, slots[group.weight]);
      draw_uniform(fan_in, random, slots[group.bias]);
    }
  }

  double forward_flops() const override {
    double flops = 0.0;
    for (const Group& group : groups_) {
      const std::size_t places = in().width + group.width - 1;
      flops += 2.0 * static_cast<double>(filters_ * in().channels * group.width * places);
    }
    return flops;
  }

  /// [samples, values, 1, length] to [samples, filters * widths].
  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    std::vector<at::Tensor> largest;
    for (const Group& group : groups_) {
      const at::Tensor over_time = at::conv1d(value.squeeze(2), pass.slots[group.weight], pass.slots[group.bias],
                                              /*stride=*/1, /*padding=*/to_signed(group.width) - 1);
      largest.push_back(std::get<0>(over_time.max(/*dim=*/2)));
    }
    return at::cat(largest, 1);
  }

 private:
  /// The filters of one width.
  struct Group {
    std::size_t width = 1;
    std::size_t weight = 0, bias = 0;  ///< slots: [filters, values, width], [filters]
  };

  std::string name_;
  std::size_t filters_;
  std::vector<std::size_t> widths_;
  std::vector<Group> groups_;  ///< in the order of their outputs
};

}  // namespace

std::unique_ptr<Layer> layers::text_conv(std::string name, std::size_t filters, std::vector<std::size_t> widths) {
  return std::make_unique<TextConv>(std::move(name), filters, std::move(widths));
}

}  // namespace souk
