#include "sim/learn/torch_network.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

using torch::Tensor;

/// What batch normalisation does with its running statistics.
enum class RunningStatistics : std::uint8_t {
  update,  ///< normalises by the batch, and moves them towards it
  use,     ///< normalises by them
  leave    ///< normalises by the batch
};

torch::Device find_device(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  SOUK_REQUIRE(name == "cuda" || name.rfind("cuda:", 0) == 0, "device \"{}\": must be cpu, cuda or cuda:K", name);
  SOUK_REQUIRE(torch::cuda::is_available(),
               "device \"{}\": this LibTorch has no CUDA; use \"cpu\", or build against a LibTorch with it", name);
  const torch::Device device(name);
  SOUK_REQUIRE(!device.has_index() || static_cast<std::size_t>(device.index()) < torch::cuda::device_count(),
               "device \"{}\": this machine has {} CUDA devices", name, torch::cuda::device_count());
  return device;
}

/// A tensor over memory that outlives it; never written through where the memory is const.
Tensor view(std::span<const float> values, std::vector<std::int64_t> shape) {
  return torch::from_blob(const_cast<float*>(values.data()), shape, torch::kFloat32);
}

std::int64_t extent(std::size_t size) { return static_cast<std::int64_t>(size); }

class TorchNetwork final : public Network {
 public:
  TorchNetwork(const Architecture& architecture, const std::string& device)
      : architecture_(architecture),
        layers_(architecture.layers()),
        layout_(architecture.layout()),
        device_(find_device(device)) {}

  const ParameterLayout& layout() const override { return layout_; }
  const ModelShape& shape() const override { return architecture_.shape(); }
  double forward_flops() const override { return architecture_.forward_flops(); }
  /// In training every layer's output is kept for the way back, on which there are two gradients more, and those of
  /// the parameters; in tests two outputs at a time.
  Footprint footprint(std::size_t trained, std::size_t tested) const override {
    std::size_t all = 0, largest = 0;
    for (const Layer& layer : layers_) {
      const bool computes = layer.kind != LayerKind::save && layer.kind != LayerKind::swap;
      all += computes ? layer.out.size() : 0;
      largest = std::max(largest, layer.out.size());
    }
    Footprint footprint;
    footprint.at(Moment::training) =
        static_cast<double>((trained * (all + 2 * largest) + layout_.trainable()) * sizeof(float));
    footprint.at(Moment::testing) = static_cast<double>(tested * 3 * largest * sizeof(float));
    return footprint;
  }
  void initialise(Stream& random, std::span<float> parameters) const override {
    architecture_.initialise(random, parameters);
  }

  void logits(std::span<const float> parameters, const Batch& batch, std::span<float> out) override {
    SOUK_EXPECT(out.size() == batch.samples * static_cast<std::size_t>(shape().classes));
    const torch::NoGradGuard no_gradients;
    place(parameters);
    copy_out(forward(features(batch), RunningStatistics::use), out);
  }

  double gradient(std::span<float> parameters, const Batch& batch, std::span<float> gradient) override {
    SOUK_EXPECT(gradient.size() == layout_.trainable() && batch.samples > 0);
    place(parameters);
    const Tensor loss = cross_entropy(batch, RunningStatistics::update);
    copy_slots(torch::autograd::grad({loss}, trainable_), gradient);
    const std::size_t trainable = layout_.trainable();
    if (!device_.is_cpu()) copy_out(flat_.slice(0, extent(trainable)), parameters.subspan(trainable));
    return loss.item<double>();
  }

  // The gradient of (gradient . direction): one more backward pass.
  void hessian_vector(std::span<const float> parameters, const Batch& batch, std::span<const float> direction,
                      std::span<float> out) override {
    SOUK_EXPECT(direction.size() == layout_.trainable() && out.size() == layout_.trainable() && batch.samples > 0);
    place(parameters);
    const auto gradients = torch::autograd::grad({cross_entropy(batch, RunningStatistics::leave)}, trainable_, {},
                                                 /*retain_graph=*/true, /*create_graph=*/true);
    const Tensor along = view(direction, {extent(direction.size())}).to(device_);
    Tensor slope = torch::zeros({}, device_);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const Slot& slot = layout_.slots()[i];
      slope = slope + (gradients[i].reshape(-1) * along.narrow(0, extent(slot.offset), extent(slot.size))).sum();
    }
    auto products = torch::autograd::grad({slope}, trainable_, {}, /*retain_graph=*/false, /*create_graph=*/false,
                                          /*allow_unused=*/true);
    for (std::size_t i = 0; i < products.size(); ++i) {
      if (!products[i].defined()) products[i] = torch::zeros_like(trainable_[i]);  // the gradient does not depend on it
    }
    copy_slots(products, out);
  }

 private:
  /// Makes flat_ and trainable_ views of the parameters, or of their copy on the device.
  void place(std::span<const float> parameters) {
    SOUK_EXPECT(parameters.size() == layout_.dimension());
    flat_ = view(parameters, {extent(parameters.size())}).to(device_);
    trainable_.clear();
    for (const Slot& slot : layout_.slots()) {
      if (!slot.trainable) continue;
      const Tensor values = flat_.narrow(0, extent(slot.offset), extent(slot.size)).view(slot.shape);
      trainable_.push_back(values.detach().requires_grad_(true));
    }
  }

  Tensor features(const Batch& batch) const {
    const auto& input = shape().input;
    return view(batch.features, {extent(batch.samples), extent(input[0]), extent(input[1]), extent(input[2])})
        .to(device_);
  }

  Tensor cross_entropy(const Batch& batch, RunningStatistics statistics) {
    const Tensor labels =
        torch::from_blob(const_cast<std::int32_t*>(batch.labels.data()), {extent(batch.samples)}, torch::kInt32)
            .to(device_, torch::kInt64);
    return torch::nn::functional::cross_entropy(forward(features(batch), statistics), labels);
  }

  Tensor forward(Tensor value, RunningStatistics statistics) const {
    std::vector<Tensor> stack;
    std::size_t next = 0;  // layers use the trainable slots in their order
    for (const Layer& layer : layers_) {
      switch (layer.kind) {
        case LayerKind::save:
          stack.push_back(value);
          break;
        case LayerKind::swap:
          std::swap(stack.back(), value);
          break;
        case LayerKind::add:
          value = value + stack.back();
          stack.pop_back();
          break;
        case LayerKind::text_conv:
          value = text_conv(layer, value, next);
          break;
        default:
          value = apply(layer, value, next, statistics);
      }
    }
    return value;
  }

  Tensor apply(const Layer& layer, const Tensor& value, std::size_t& next, RunningStatistics statistics) const {
    switch (layer.kind) {
      case LayerKind::relu:
        return torch::relu(value);
      case LayerKind::max_pool:
        return torch::max_pool2d(value, extent(layer.kernel));
      case LayerKind::global_average_pool:
        return value.mean(std::vector<std::int64_t>{2, 3}, /*keepdim=*/true);
      default:
        break;
    }
    const Tensor& weight = trainable_[next++];
    const Tensor bias = layer.has_bias ? trainable_[next++] : Tensor();
    switch (layer.kind) {
      case LayerKind::embedding:
        return embedding(value, weight);
      case LayerKind::affine:
        return torch::linear(value.flatten(1), weight, bias);
      case LayerKind::conv2d:
        return torch::conv2d(value, weight, bias, extent(layer.stride), extent(layer.padding));
      case LayerKind::group_norm:
        return torch::group_norm(value, extent(layer.groups), weight, bias, norm_epsilon);
      default:
        return batch_norm(layer, value, weight, bias, statistics);
    }
  }

  /// [samples, length, 1, 1] to [samples, values, 1, length]. Inputs that are no tokens, such as noise, are taken for
  /// the nearest below. Zeros for token 0 whatever its row holds, which an attacker may have written.
  Tensor embedding(const Tensor& value, const Tensor& weight) const {
    const Tensor tokens = torch::nan_to_num(value.flatten(1), 0.0).clamp(0, extent(shape().vocabulary) - 1).floor();
    const Tensor is_word = (tokens > 0).to(torch::kFloat32).unsqueeze(2);
    const Tensor rows = torch::embedding(weight, tokens.to(torch::kInt64)) * is_word;
    return rows.transpose(1, 2).unsqueeze(2);
  }

  /// [samples, values, 1, length] to [samples, filters * widths].
  Tensor text_conv(const Layer& layer, const Tensor& value, std::size_t& next) const {
    std::vector<Tensor> largest;
    for (const TextFilters& of : layer.text_filters) {
      const Tensor& weight = trainable_[next++];
      const Tensor& bias = trainable_[next++];
      const Tensor over_time = torch::conv1d(value.squeeze(2), weight, bias, /*stride=*/1, extent(of.width) - 1);
      largest.push_back(std::get<0>(over_time.max(/*dim=*/2)));
    }
    return torch::cat(largest, 1);
  }

  Tensor batch_norm(const Layer& layer, const Tensor& value, const Tensor& weight, const Tensor& bias,
                    RunningStatistics statistics) const {
    const bool tracks = statistics != RunningStatistics::leave;
    const auto buffer = [&](std::size_t offset) {
      return tracks ? flat_.narrow(0, extent(offset), extent(layer.out.channels)) : Tensor();
    };
    return torch::batch_norm(value, weight, bias, buffer(layer.running_mean), buffer(layer.running_variance),
                             statistics != RunningStatistics::use, batch_norm_momentum, norm_epsilon,
                             /*cudnn_enabled=*/true);
  }

  static void copy_out(const Tensor& values, std::span<float> out) {
    const Tensor here = values.detach().to(torch::kCPU).contiguous();
    SOUK_EXPECT(static_cast<std::size_t>(here.numel()) == out.size());
    std::copy_n(here.data_ptr<float>(), out.size(), out.data());
  }

  void copy_slots(const std::vector<Tensor>& values, std::span<float> out) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Slot& slot = layout_.slots()[i];
      copy_out(values[i], out.subspan(slot.offset, slot.size));
    }
  }

  Architecture architecture_;
  std::vector<Layer> layers_;
  ParameterLayout layout_;
  torch::Device device_;
  Tensor flat_;                    ///< all parameters
  std::vector<Tensor> trainable_;  ///< one leaf per trainable slot, in slot order
};

}  // namespace

std::unique_ptr<Network> make_torch_network(const Architecture& architecture, const std::string& device) {
  return std::make_unique<TorchNetwork>(architecture, device);
}

}  // namespace souk
