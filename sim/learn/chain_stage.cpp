#include "sim/learn/chain_stage.hpp"

#include <algorithm>
#include <cstdint>

#include "sim/learn/chain_kernels.hpp"
#include "sim/learn/float_buffer.hpp"

namespace souk {
namespace {

using kernels::multiply;

class AffineStage final : public ChainStage {
 public:
  AffineStage(const Layer& layer, bool relu)
      : ChainStage(layer.in, layer.out),
        layer_(layer),
        relu_(relu),
        inputs_(layer.in.size()),
        outputs_(layer.out.size()),
        bias_gradient_(outputs_) {}

  void reserve(std::size_t) override {}

  // 2 samples inputs outputs flops; the weights are read once.
  void forward(const float* parameters, const StageValues& values) override {
    multiply({.m = values.samples, .n = outputs_, .k = inputs_}, {.data = values.in, .stride = inputs_},
             {.data = parameters + layer_.weight, .transposed = true, .stride = inputs_}, values.out);
    const auto finish = relu_ ? kernels::add_bias_relu : kernels::add_bias;
    finish(values.out, parameters + layer_.bias, values.samples, outputs_);
  }

  void backward(const float* parameters, const StageValues& values, float* d_out, float* d_in,
                const GradientSink& sink) override {
    if (relu_) kernels::mask_relu(d_out, values.out, values.samples * outputs_);
    if (d_in != nullptr) {
      multiply({.m = values.samples, .n = inputs_, .k = outputs_}, {.data = d_out, .stride = outputs_},
               {.data = parameters + layer_.weight, .stride = inputs_}, d_in);
    }
    multiply({.m = outputs_, .n = inputs_, .k = values.samples, .alpha = sink.scale, .beta = sink.keep},
             {.data = d_out, .transposed = true, .stride = outputs_}, {.data = values.in, .stride = inputs_},
             sink.parameters + layer_.weight);
    kernels::sum_rows(d_out, values.samples, outputs_, bias_gradient_.data());
    kernels::blend(sink.scale, bias_gradient_.data(), sink.keep, sink.parameters + layer_.bias, outputs_);
  }

 private:
  Layer layer_;
  bool relu_;
  std::size_t inputs_, outputs_;
  FloatBuffer bias_gradient_;
};

/// A convolution as a matrix product over the windows of a block of images, small enough for the second-level cache.
/// The windows are laid out again in the backward pass: cheaper than keeping them, kernel^2 times the images.
class ConvStage final : public ChainStage {
 public:
  ConvStage(const Layer& layer, bool relu, bool pools, const Extent& out)
      : ChainStage(layer.in, out),
        layer_(layer),
        pools_(pools),
        shape_{.in = layer.in, .out = layer.out, .kernel = layer.kernel, .padding = layer.padding},
        pooling_{.in = layer.out, .relu = relu},
        inside_(kernels::inside_mask(shape_)) {
    constexpr std::size_t columns_in_cache = 64 * 1024;  // floats
    block_ = std::max<std::size_t>(1, columns_in_cache / (shape_.window() * pixels()));
    padded_.reserve(block_ * shape_.padded_size());
    columns_.reserve(block_ * shape_.window() * pixels());
    z_.reserve(block_ * layer.out.size());
    weight_gradient_.reserve(weights());
    bias_gradient_.reserve(layer.out.channels);
  }

  void reserve(std::size_t samples) override {
    if (pools_ && winner_.size() < samples * out().size()) winner_.resize(samples * out().size());
  }

  void forward(const float* parameters, const StageValues& values) override {
    for (std::size_t first = 0; first < values.samples; first += block_) {
      const std::size_t count = std::min(block_, values.samples - first);
      const std::size_t columns = count * pixels();
      lay_out_windows(values.in + first * in().size(), count);
      multiply({.m = channels(), .n = columns, .k = shape_.window()},
               {.data = parameters + layer_.weight, .stride = shape_.window()},
               {.data = columns_.data(), .stride = columns}, z_.data());
      float* y = values.out + first * out().size();
      if (pools_) {
        kernels::finish_pooled(pooling_, z_.data(), parameters + layer_.bias, count, y,
                               winner_.data() + first * out().size());
      } else {
        kernels::finish(pooling_, z_.data(), parameters + layer_.bias, count, y);
      }
    }
  }

  void backward(const float* parameters, const StageValues& values, float* d_out, float* d_in,
                const GradientSink& sink) override {
    std::fill_n(bias_gradient_.data(), channels(), 0.0F);
    for (std::size_t first = 0; first < values.samples; first += block_) {
      const std::size_t count = std::min(block_, values.samples - first);
      const std::size_t columns = count * pixels();
      unfinish(values, d_out, first, count);
      lay_out_windows(values.in + first * in().size(), count);
      multiply({.m = channels(), .n = shape_.window(), .k = columns, .beta = first == 0 ? 0.0F : 1.0F},
               {.data = z_.data(), .stride = columns}, {.data = columns_.data(), .transposed = true, .stride = columns},
               weight_gradient_.data());
      if (d_in == nullptr) continue;
      multiply({.m = shape_.window(), .n = columns, .k = channels()},
               {.data = parameters + layer_.weight, .transposed = true, .stride = shape_.window()},
               {.data = z_.data(), .stride = columns}, columns_.data());
      kernels::col2im(shape_, inside_.data(), columns_.data(), count, d_in + first * in().size());
    }
    kernels::blend(sink.scale, weight_gradient_.data(), sink.keep, sink.parameters + layer_.weight, weights());
    kernels::blend(sink.scale, bias_gradient_.data(), sink.keep, sink.parameters + layer_.bias, channels());
  }

 private:
  std::size_t pixels() const { return layer_.out.pixels(); }
  std::size_t channels() const { return layer_.out.channels; }
  std::size_t weights() const { return channels() * shape_.window(); }

  void lay_out_windows(const float* images, std::size_t count) {
    kernels::pad(shape_, images, count, padded_.data());
    kernels::im2col(shape_, padded_.data(), count, columns_.data());
  }

  void unfinish(const StageValues& values, float* d_out, std::size_t first, std::size_t count) {
    const std::size_t begin = first * out().size();
    if (pools_) {
      kernels::unfinish_pooled(pooling_, d_out + begin, values.out + begin, winner_.data() + begin, count, z_.data(),
                               bias_gradient_.data());
    } else {
      kernels::unfinish(pooling_, d_out + begin, values.out + begin, count, z_.data(), bias_gradient_.data());
    }
  }

  Layer layer_;
  bool pools_;
  kernels::ConvShape shape_;
  kernels::Pooling pooling_;
  std::vector<std::int32_t> inside_;
  std::size_t block_ = 1;  ///< images per product
  FloatBuffer padded_, columns_, z_, weight_gradient_, bias_gradient_;
  std::vector<std::uint8_t> winner_;
};

bool is_linear(const Layer& layer) {
  return layer.kind == LayerKind::affine || (layer.kind == LayerKind::conv2d && layer.stride == 1 && layer.has_bias);
}

}  // namespace

std::vector<std::unique_ptr<ChainStage>> make_chain_stages(const Architecture& architecture) {
  std::vector<std::unique_ptr<ChainStage>> stages;
  const std::vector<Layer> layers = architecture.layers();
  for (std::size_t i = 0; i < layers.size();) {
    const Layer& layer = layers[i++];
    if (!is_linear(layer)) return {};
    const bool relu = i < layers.size() && layers[i].kind == LayerKind::relu && ++i != 0;
    if (layer.kind == LayerKind::affine) {
      stages.push_back(std::make_unique<AffineStage>(layer, relu));
      continue;
    }
    const bool pools = i < layers.size() && layers[i].kind == LayerKind::max_pool && layers[i].kernel == 2 && ++i != 0;
    stages.push_back(std::make_unique<ConvStage>(layer, relu, pools, pools ? layers[i - 1].out : layer.out));
  }
  return stages;
}

}  // namespace souk
