#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <ATen/core/Tensor.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/var_mean.h>

#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layer_tools.hpp"
#include "sim/learn/layers/layers.hpp"
#include "sim/learn/model.hpp"

namespace souk {
namespace {

class BatchNorm final : public Layer {
 public:
  explicit BatchNorm(std::string name) : name_(std::move(name)) {}

  Extent place(Architecture& network) override {
    weight_ = network.add_trainable(name_ + ".weight", {in().channels});
    bias_ = network.add_trainable(name_ + ".bias", {in().channels});
    running_mean_ = network.add_buffer(name_ + ".running_mean", {in().channels});
    running_variance_ = network.add_buffer(name_ + ".running_var", {in().channels});
    return in();
  }

  void initialise(Stream&, std::span<const std::span<float>> slots) const override {
    std::ranges::fill(slots[weight_], 1.0F);
    std::ranges::fill(slots[bias_], 0.0F);
    std::ranges::fill(slots[running_mean_], 0.0F);
    std::ranges::fill(slots[running_variance_], 1.0F);
  }

  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    if (pass.statistics == RunningStatistics::follow) follow(value, pass);
    const bool tracks = pass.statistics == RunningStatistics::update || pass.statistics == RunningStatistics::use;
    return at::batch_norm(
        value, pass.slots[weight_], pass.slots[bias_], tracks ? pass.slots[running_mean_] : at::Tensor(),
        tracks ? pass.slots[running_variance_] : at::Tensor(), pass.statistics != RunningStatistics::use,
        statistics_momentum, norm_epsilon, /*cudnn_enabled=*/true);
  }

 private:
  void follow(const at::Tensor& value, TorchPass& pass) const {
    const auto [variance, mean] = at::var_mean(value, {0, 2, 3}, /*unbiased=*/true);
    (*pass.moves)[running_mean_] = mean.sub(pass.slots[running_mean_]).mul(statistics_momentum);
    (*pass.moves)[running_variance_] = variance.sub(pass.slots[running_variance_]).mul(statistics_momentum);
  }

  std::string name_;
  std::size_t weight_ = 0, bias_ = 0, running_mean_ = 0, running_variance_ = 0;  ///< slots: [channels]
};

}  // namespace

std::unique_ptr<Layer> layers::batch_norm(std::string name) { return std::make_unique<BatchNorm>(std::move(name)); }

}  // namespace souk
