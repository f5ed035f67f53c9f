#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>

#include "sim/learn/architecture.hpp"
#include "sim/learn/chain_kernels.hpp"
#include "sim/learn/chain_stage.hpp"
#include "sim/learn/float_buffer.hpp"
#include "sim/learn/layers/affine_kernels.hpp"
#include "sim/learn/layers/layer_tools.hpp"
#include "sim/learn/layers/layers.hpp"
#include "sim/params/row_sums.hpp"

namespace souk {
namespace {

using kernels::multiply;

class AffineStage final : public ChainStage {
 public:
  /// `weight`, `bias`: where they begin in the flat vector.
  AffineStage(const Layer& layer, std::size_t weight, std::size_t bias, bool relu)
      : ChainStage(layer.in(), layer.out()),
        weight_(weight),
        bias_(bias),
        relu_(relu),
        inputs_(layer.in().size()),
        outputs_(layer.out().size()),
        bias_gradient_(outputs_) {}

  void reserve(std::size_t) override {}

  // 2 samples inputs outputs flops; the weights are read once.
  void forward(const float* parameters, const StageValues& values) override {
    if (takes_dot_products(values.samples)) {
      apply_dot_products(parameters, parameters + bias_, values, relu_);
      return;
    }
    apply(parameters, values, 0.0F);
    const auto finish = relu_ ? kernels::add_bias_relu : kernels::add_bias;
    finish(values.out, parameters + bias_, values.samples, outputs_);
  }

  void backward(const float* parameters, const StageValues& values, float* d_out, float* d_in,
                const GradientSink& sink) override {
    if (relu_) kernels::mask_relu(d_out, values.out, values.samples * outputs_);
    if (d_in != nullptr) {
      multiply({.m = values.samples, .n = inputs_, .k = outputs_}, {.data = d_out, .stride = outputs_},
               {.data = parameters + weight_, .stride = inputs_}, d_in);
    }
    if (sink.parameters == nullptr) return;
    add_weight_gradient(values.samples, d_out, values.in, sink);
    add_bias_gradient(values.samples, d_out, sink);
  }

  bool knows_norms() const override { return true; }

  // Of one sample the gradient is g x^T for the weights and g for the biases: |g|^2 (|x|^2 + 1) in all.
  void add_squared_norms(const StageValues& values, const float* d_out, double* squares) const override {
    for (std::size_t s = 0; s < values.samples; ++s) {
      const float* g = d_out + s * outputs_;
      const float* x = values.in + s * inputs_;
      squares[s] += dot(g, g, outputs_) * (dot(x, x, inputs_) + 1.0);
    }
  }

  // Of W x + b along (V, c): V x + c + W x'. 4 samples inputs outputs flops, or half of that.
  void forward_tangent(const float* parameters, const StageValues& values, const StageTangents& tangents) override {
    const float* direction = tangents.direction;
    const StageValues still{.in = values.in, .out = tangents.out, .samples = values.samples};
    const StageValues moving{.in = tangents.in, .out = tangents.out, .samples = values.samples};
    if (takes_dot_products(values.samples)) {
      apply_dot_products(direction, direction + bias_, still, false);
      if (tangents.in != nullptr) apply_dot_products(parameters, nullptr, moving, false);
    } else {
      apply(direction, still, 0.0F);
      if (tangents.in != nullptr) apply(parameters, moving, 1.0F);
      kernels::add_bias(tangents.out, direction + bias_, values.samples, outputs_);
    }
    if (relu_) kernels::mask_relu(tangents.out, values.out, values.samples * outputs_);
  }

  // With gradient g and tangent g', g W becomes g' W + g V, and g^T x becomes g'^T x + g^T x'.
  void backward_tangent(const float* parameters, const StageValues& values, const StageTangents& tangents, float* d_out,
                        float* d_in, const GradientSink& sink) override {
    const std::size_t samples = values.samples;
    float* d_tangent = d_out + samples * outputs_;
    if (relu_) {
      kernels::mask_relu(d_out, values.out, samples * outputs_);
      kernels::mask_relu(d_tangent, values.out, samples * outputs_);
    }
    if (d_in != nullptr) {
      const std::size_t skipped = tangents.last ? samples : 0;
      multiply({.m = 2 * samples - skipped, .n = inputs_, .k = outputs_},
               {.data = d_out + skipped * outputs_, .stride = outputs_},
               {.data = parameters + weight_, .stride = inputs_}, d_in + skipped * inputs_);
      multiply({.m = samples, .n = inputs_, .k = outputs_, .beta = 1.0F}, {.data = d_out, .stride = outputs_},
               {.data = tangents.direction + weight_, .stride = inputs_}, d_in + samples * inputs_);
    }
    if (sink.parameters == nullptr) return;
    add_weight_gradient(samples, d_tangent, values.in, sink);
    if (tangents.in != nullptr) {
      add_weight_gradient(samples, d_out, tangents.in,
                          {.parameters = sink.parameters, .scale = sink.scale, .keep = 1.0F});
    }
    add_bias_gradient(samples, d_tangent, sink);
  }

 private:
  /// More of them pay for copying the weights into the order of a general product.
  static constexpr std::size_t few_samples = 64;

  bool takes_dot_products(std::size_t samples) const {
    return kernels::suits_dot_products(inputs_, outputs_) && samples <= few_samples;
  }

  /// out = in W^T + bias, or out += in W^T without bias, W of `flat`.
  void apply_dot_products(const float* flat, const float* bias, const StageValues& values, bool relu) const {
    kernels::apply_affine({.x = values.in,
                           .w = flat + weight_,
                           .bias = bias,
                           .y = values.out,
                           .samples = values.samples,
                           .inputs = inputs_,
                           .outputs = outputs_,
                           .relu = relu});
  }

  /// out = in W^T + keep out, W of `flat`.
  void apply(const float* flat, const StageValues& values, float keep) const {
    multiply({.m = values.samples, .n = outputs_, .k = inputs_, .beta = keep}, {.data = values.in, .stride = inputs_},
             {.data = flat + weight_, .transposed = true, .stride = inputs_}, values.out);
  }

  void add_weight_gradient(std::size_t samples, const float* d_out, const float* in, const GradientSink& sink) const {
    multiply({.m = outputs_, .n = inputs_, .k = samples, .alpha = sink.scale, .beta = sink.keep},
             {.data = d_out, .transposed = true, .stride = outputs_}, {.data = in, .stride = inputs_},
             sink.parameters + weight_);
  }

  void add_bias_gradient(std::size_t samples, const float* d_out, const GradientSink& sink) {
    kernels::sum_rows(d_out, samples, outputs_, bias_gradient_.data());
    kernels::blend(sink.scale, bias_gradient_.data(), sink.keep, sink.parameters + bias_, outputs_);
  }

  std::size_t weight_, bias_;
  bool relu_;
  std::size_t inputs_, outputs_;
  FloatBuffer bias_gradient_;
};

class Affine final : public Layer {
 public:
  Affine(std::string name, std::size_t outputs) : name_(std::move(name)), outputs_(outputs) {}

  Extent place(Architecture& network) override {
    weight_ = network.add_trainable(name_ + ".weight", {outputs_, in().size()});
    bias_ = network.add_trainable(name_ + ".bias", {outputs_});
    return {.channels = outputs_};
  }

  void initialise(Stream& random, std::span<const std::span<float>> slots) const override {
    draw_uniform(in().size(), random, slots[weight_]);
    draw_uniform(in().size(), random, slots[bias_]);
  }

  double forward_flops() const override { return 2.0 * static_cast<double>(in().size() * outputs_); }

  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    return at::linear(value.flatten(1), pass.slots[weight_], pass.slots[bias_]);
  }

  std::optional<LinearSlots> linear_slots() const override { return LinearSlots{.weight = weight_, .bias = bias_}; }

  void for_each_product(const std::function<void(const WeightedInput&)>& show) const override {
    const auto inputs = static_cast<std::uint32_t>(in().size());
    for (std::uint32_t o = 0; o < outputs_; ++o) {
      for (std::uint32_t i = 0; i < inputs; ++i) show({.output = o, .weight = o * inputs + i, .input = i});
    }
  }

  std::unique_ptr<ChainStage> stage(ChainPlan& plan) const override {
    const bool relu = plan.take({.relu = true});
    return std::make_unique<AffineStage>(*this, plan.offset(weight_), plan.offset(bias_), relu);
  }

 private:
  std::string name_;
  std::size_t outputs_;
  std::size_t weight_ = 0, bias_ = 0;  ///< slots: [outputs, inputs], [outputs]
};

}  // namespace

std::unique_ptr<Layer> layers::affine(std::string name, std::size_t outputs) {
  return std::make_unique<Affine>(std::move(name), outputs);
}

}  // namespace souk
