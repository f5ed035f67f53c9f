#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <ATen/core/Tensor.h>
#include <ATen/ops/group_norm.h>

#include "sim/base/contract.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layer_tools.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

class GroupNorm final : public Layer {
 public:
  GroupNorm(std::string name, std::size_t groups) : name_(std::move(name)), groups_(groups) {}

  Extent place(Architecture& network) override {
    SOUK_REQUIRE(groups_ >= 1 && in().channels % groups_ == 0,
                 "{}: groups = {} must divide the {} channels that {} normalises", network.name(), groups_,
                 in().channels, name_);
    weight_ = network.add_trainable(name_ + ".weight", {in().channels});
    bias_ = network.add_trainable(name_ + ".bias", {in().channels});
    return in();
  }

  void initialise(Stream&, std::span<const std::span<float>> slots) const override {
    std::ranges::fill(slots[weight_], 1.0F);
    std::ranges::fill(slots[bias_], 0.0F);
  }

  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    return at::group_norm(value, to_signed(groups_), pass.slots[weight_], pass.slots[bias_], norm_epsilon);
  }

 private:
  std::string name_;
  std::size_t groups_;
  std::size_t weight_ = 0, bias_ = 0;  ///< slots: [channels]
};

}  // namespace

std::unique_ptr<Layer> layers::group_norm(std::string name, std::size_t groups) {
  return std::make_unique<GroupNorm>(std::move(name), groups);
}

}  // namespace souk
