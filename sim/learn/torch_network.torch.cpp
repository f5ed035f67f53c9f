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
  TorchNetwork(const Architecture& architecture, const std::string& device, std::shared_ptr<const Objective> objective)
      : architecture_(architecture),
        objective_(std::move(objective)),
        layers_(architecture.layers()),
        layout_(architecture.layout()),
        device_(find_device(device)) {}

  const ParameterLayout& layout() const override { return layout_; }
  const ModelShape& shape() const override { return architecture_.shape(); }
  double forward_flops() const override { return architecture_.forward_flops(); }
  /// In training every layer's output is kept for the way back, on which there are two gradients more, and those of
  /// the parameters; in tests two outputs at a time. A convolution unfolds its inputs, of the whole batch, into
  /// columns. LibTorch itself takes 24 MB when it is first used.
  Footprint footprint(std::size_t trained, std::size_t tested) const override {
    std::size_t all = 0, largest = 0, columns = 0;
    for (const Layer& layer : layers_) {
      const bool computes = layer.kind != LayerKind::save && layer.kind != LayerKind::swap;
      all += computes ? layer.out.size() : 0;
      largest = std::max(largest, layer.out.size());
      if (layer.kind != LayerKind::conv2d || layer.kernel == 1) continue;
      columns = std::max(columns, layer.in.channels * layer.kernel * layer.kernel * layer.out.pixels());
    }
    Footprint footprint;
    footprint.held = 24e6;
    footprint.at(Moment::training) =
        static_cast<double>((trained * (all + 2 * largest + columns) + layout_.trainable()) * sizeof(float));
    footprint.at(Moment::testing) = static_cast<double>(tested * (3 * largest + columns) * sizeof(float));
    return footprint;
  }
  void initialise(Stream& random, std::span<float> parameters) const override {
    architecture_.initialise(random, parameters);
  }

  void outputs(std::span<const float> parameters, const Batch& batch, std::span<float> out) override {
    SOUK_EXPECT(out.size() == batch.samples * shape().outputs());
    const torch::NoGradGuard no_gradients;
    place(parameters);
    copy_out(forward(features(batch), RunningStatistics::use), out);
  }

  double gradient(std::span<float> parameters, const Batch& batch, std::span<float> gradient) override {
    SOUK_EXPECT(gradient.size() == layout_.trainable() && batch.samples > 0);
    place(parameters);
    const Tensor outputs = forward(features(batch), RunningStatistics::update);
    const double loss = backward(outputs, batch, gradient);
    const std::size_t trainable = layout_.trainable();
    if (!device_.is_cpu()) copy_out(flat_.slice(0, extent(trainable)), parameters.subspan(trainable));
    return loss;
  }

  // With outputs f, Jacobian J and loss L(f): H v = J^T L'' J v, plus the second derivatives of f weighted by L'.
  void hessian_vector(std::span<const float> parameters, const Batch& batch, std::span<const float> direction,
                      std::span<float> out) override {
    SOUK_EXPECT(direction.size() == layout_.trainable() && out.size() == layout_.trainable() && batch.samples > 0);
    place(parameters);
    const Tensor outputs = forward(features(batch), RunningStatistics::leave);
    // J^T w is linear in w, so that its derivative in w along v is J v.
    const Tensor weights = torch::zeros_like(outputs).requires_grad_(true);
    const Tensor pushed = derivative(dot(pulled(outputs, weights), direction), {weights}).front();
    const std::vector<float> answers = to_floats(outputs);
    std::vector<float> slope = answers, bend = to_floats(pushed);
    objective_->gradient(slope, shape().outputs(), batch.targets(), batch.samples);
    objective_->curvature(answers, shape().outputs(), batch.targets(), batch.samples, bend);
    const std::vector<Tensor> first = derivative(outputs, trainable_, like(outputs, bend));
    const std::vector<Tensor> second = derivative(dot(pulled(outputs, like(outputs, slope)), direction), trainable_);
    std::vector<Tensor> products;
    for (std::size_t i = 0; i < first.size(); ++i) products.push_back(first[i] + second[i]);
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

  /// The loss, and its gradient in the trainable values. Cross-entropy stays on the device, by LibTorch's operator.
  double backward(const Tensor& outputs, const Batch& batch, std::span<float> gradient) const {
    if (objective_->is_cross_entropy()) {
      const Tensor labels =
          torch::from_blob(const_cast<std::int32_t*>(batch.labels.data()), {extent(batch.samples)}, torch::kInt32)
              .to(device_, torch::kInt64);
      const Tensor loss = torch::nn::functional::cross_entropy(outputs, labels);
      copy_slots(torch::autograd::grad({loss}, trainable_), gradient);
      return loss.item<double>();
    }
    std::vector<float> values = to_floats(outputs);
    const double sum = objective_->gradient(values, shape().outputs(), batch.targets(), batch.samples);
    copy_slots(torch::autograd::grad({outputs}, trainable_, {like(outputs, values)}), gradient);
    return sum / static_cast<double>(batch.samples);
  }

  /// J^T weights, to be differentiated once more.
  std::vector<Tensor> pulled(const Tensor& outputs, const Tensor& weights) const {
    return torch::autograd::grad({outputs}, trainable_, {weights}, /*retain_graph=*/true, /*create_graph=*/true);
  }

  /// Values in slot order times a flat vector.
  Tensor dot(const std::vector<Tensor>& values, std::span<const float> flat) const {
    const Tensor along = view(flat, {extent(flat.size())}).to(device_);
    Tensor sum = torch::zeros({}, device_);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Slot& slot = layout_.slots()[i];
      sum = sum + (values[i].reshape(-1) * along.narrow(0, extent(slot.offset), extent(slot.size))).sum();
    }
    return sum;
  }

  /// Derivatives of `value`, zeros where it does not depend on one of `in`; `weights`: of each of its elements.
  static std::vector<Tensor> derivative(const Tensor& value, const std::vector<Tensor>& in,
                                        const Tensor& weights = {}) {
    const std::vector<Tensor> of_elements = weights.defined() ? std::vector<Tensor>{weights} : std::vector<Tensor>();
    std::vector<Tensor> result(in.size());
    if (value.requires_grad()) {
      result = torch::autograd::grad({value}, in, of_elements, /*retain_graph=*/true, /*create_graph=*/false,
                                     /*allow_unused=*/true);
    }
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!result[i].defined()) result[i] = torch::zeros_like(in[i]);
    }
    return result;
  }

  static std::vector<float> to_floats(const Tensor& values) {
    std::vector<float> floats(static_cast<std::size_t>(values.numel()));
    copy_out(values, floats);
    return floats;
  }

  /// A tensor of this shape, on the same device.
  Tensor like(const Tensor& shaped, std::span<const float> values) const {
    return view(values, shaped.sizes().vec()).to(device_);
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
  std::shared_ptr<const Objective> objective_;
  std::vector<Layer> layers_;
  ParameterLayout layout_;
  torch::Device device_;
  Tensor flat_;                    ///< all parameters
  std::vector<Tensor> trainable_;  ///< one leaf per trainable slot, in slot order
};

}  // namespace

std::unique_ptr<Network> make_torch_network(const Architecture& architecture, const std::string& device,
                                            std::shared_ptr<const Objective> objective) {
  return std::make_unique<TorchNetwork>(architecture, device, std::move(objective));
}

}  // namespace souk
