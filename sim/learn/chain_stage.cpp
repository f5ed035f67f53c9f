#include "sim/learn/chain_stage.hpp"

#include <algorithm>
#include <cstdint>

#include "sim/learn/affine_kernels.hpp"
#include "sim/learn/chain_kernels.hpp"
#include "sim/learn/conv_kernels.hpp"
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
    if (kernels::suits_dot_products(inputs_, outputs_) && values.samples <= few_samples) {
      kernels::apply_affine({.x = values.in,
                             .w = parameters + layer_.weight,
                             .bias = parameters + layer_.bias,
                             .y = values.out,
                             .samples = values.samples,
                             .inputs = inputs_,
                             .outputs = outputs_,
                             .relu = relu_});
      return;
    }
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
  /// More of them pay for copying the weights into the order of a general product.
  static constexpr std::size_t few_samples = 64;

  Layer layer_;
  bool relu_;
  std::size_t inputs_, outputs_;
  FloatBuffer bias_gradient_;
};

/// How the images of a stage lie in memory: channel by channel, as in data sets and before affine layers, or pixel by
/// pixel, as our convolutions read and write them.
struct Placement {
  bool planar_in = true, planar_out = true;
};

/// A convolution, image by image in the first-level caches: forward as tiles of sums in registers, backward through the
/// non-zeros of the output gradient alone, of which max pooling and ReLU leave an eighth or so.
class ConvStage final : public ChainStage {
 public:
  ConvStage(const Layer& layer, kernels::Finish how, const Extent& out, Placement placement)
      : ChainStage(layer.in, out),
        layer_(layer),
        how_(how),
        placement_(placement),
        shape_{.in = layer.in, .out = layer.out, .kernel = layer.kernel, .padding = layer.padding, .tiling = {}} {
    shape_.tiling = kernels::choose_tiling(shape_);
    const std::size_t channels = layer.out.channels, lists = out.pixels() * (how.pools ? 4 : 1);
    packed_forward_.reserve(shape_.kernel * shape_.row() * shape_.outputs());
    packed_backward_.reserve(channels * shape_.kernel * shape_.padded_row());
    packed_gradient_.reserve(packed_backward_.size());
    for (FloatBuffer* buffer : {&padded_, &d_padded_}) buffer->reserve(shape_.padded_image());
    for (FloatBuffer* buffer : {&bias_, &bias_gradient_}) buffer->reserve(shape_.outputs());
    for (FloatBuffer* buffer : {&image_, &d_image_}) buffer->reserve(std::max(layer.in.size(), out.size()));
    weight_gradient_.reserve(shape_.weights());
    z_.reserve(shape_.z_size());
    channel_entries_.resize(channels * (out.pixels() + 1));
    channel_counts_.resize(channels);
    pixel_entries_.resize(lists * channels);
    pixel_counts_.resize(lists);
  }

  void reserve(std::size_t samples) override {
    origin_.resize(std::max(origin_.size(), samples * out().size() + kernels::lanes));
  }

  void forward(const float* parameters, const StageValues& values) override {
    kernels::pack_forward(shape_, parameters + layer_.weight, packed_forward_.data());
    std::copy_n(parameters + layer_.bias, layer_.out.channels, bias_.data());
    for (std::size_t sample = 0; sample < values.samples; ++sample) {
      load(values, sample);
      kernels::convolve(shape_, padded_.data(), packed_forward_.data(), bias_.data(), z_.data());
      float* y = values.out + sample * out().size();
      float* image = placement_.planar_out ? image_.data() : y;
      kernels::finish(shape_, how_, z_.data(), image, origin_.data() + sample * out().size());
      if (placement_.planar_out) kernels::transpose(image, out().pixels(), out().channels, y);
    }
  }

  void backward(const float* parameters, const StageValues& values, float* d_out, float* d_in,
                const GradientSink& sink) override {
    std::fill_n(bias_gradient_.data(), layer_.out.channels, 0.0F);
    std::fill_n(packed_gradient_.data(), packed_gradient_.size(), 0.0F);
    if (d_in != nullptr) kernels::pack_backward(shape_, parameters + layer_.weight, packed_backward_.data());
    const kernels::NonzeroLists by_channel{channel_entries_.data(), channel_counts_.data(), out().pixels() + 1};
    const kernels::NonzeroLists by_pixel{d_in == nullptr ? nullptr : pixel_entries_.data(), pixel_counts_.data(),
                                         layer_.out.channels};
    for (std::size_t sample = 0; sample < values.samples; ++sample) {
      load(values, sample);
      const std::uint8_t* origin = origin_.data() + sample * out().size();
      float* dy = d_out + sample * out().size();
      if (placement_.planar_out) {
        kernels::transpose(dy, out().channels, out().pixels(), image_.data());
        dy = image_.data();
      }
      kernels::mask_and_sum(out().pixels(), out().channels, origin, dy, bias_gradient_.data());
      kernels::collect(shape_, how_, dy, origin, by_channel, by_pixel);
      kernels::add_weight_gradient(shape_, by_channel, padded_.data(), packed_gradient_.data());
      if (d_in != nullptr) store_input_gradient(by_pixel, d_in + sample * in().size());
    }
    kernels::unpack_gradient(shape_, packed_gradient_.data(), weight_gradient_.data());
    kernels::blend(sink.scale, weight_gradient_.data(), sink.keep, sink.parameters + layer_.weight, shape_.weights());
    kernels::blend(sink.scale, bias_gradient_.data(), sink.keep, sink.parameters + layer_.bias, layer_.out.channels);
  }

 private:
  /// One image of the input into its frame.
  void load(const StageValues& values, std::size_t sample) {
    const float* image = values.in + sample * in().size();
    if (placement_.planar_in && in().channels > 1) {
      kernels::transpose(image, in().channels, in().pixels(), d_image_.data());
      image = d_image_.data();
    }
    kernels::pad(shape_, image, padded_.data());
  }

  void store_input_gradient(const kernels::NonzeroLists& by_pixel, float* d_in) {
    std::fill_n(d_padded_.data(), shape_.padded_image(), 0.0F);
    kernels::add_input_gradient(shape_, how_, by_pixel, packed_backward_.data(), d_padded_.data());
    if (placement_.planar_in) {
      kernels::crop(shape_, d_padded_.data(), d_image_.data());
      kernels::transpose(d_image_.data(), in().pixels(), in().channels, d_in);
    } else {
      kernels::crop(shape_, d_padded_.data(), d_in);
    }
  }

  Layer layer_;
  kernels::Finish how_;
  Placement placement_;
  kernels::ConvShape shape_;
  FloatBuffer packed_forward_, packed_backward_, packed_gradient_, weight_gradient_, bias_, bias_gradient_;
  FloatBuffer padded_, d_padded_, image_, d_image_, z_;  ///< of one image
  std::vector<std::uint8_t> origin_;                     ///< [samples, out]
  std::vector<kernels::Nonzero> channel_entries_, pixel_entries_;
  std::vector<std::uint32_t> channel_counts_, pixel_counts_;
};

bool is_linear(const Layer& layer) {
  return layer.kind == LayerKind::affine || (layer.kind == LayerKind::conv2d && layer.stride == 1 && layer.has_bias);
}

}  // namespace

std::vector<std::unique_ptr<ChainStage>> make_chain_stages(const Architecture& architecture) {
  std::vector<std::unique_ptr<ChainStage>> stages;
  const std::vector<Layer> layers = architecture.layers();
  const auto is = [&](std::size_t i, LayerKind kind) { return i < layers.size() && layers[i].kind == kind; };
  bool planar = true;
  for (std::size_t i = 0; i < layers.size();) {
    const Layer& layer = layers[i++];
    if (!is_linear(layer)) return {};
    const bool relu = is(i, LayerKind::relu);
    if (relu) ++i;
    if (layer.kind == LayerKind::affine) {
      stages.push_back(std::make_unique<AffineStage>(layer, relu));
      continue;
    }
    const bool pools = is(i, LayerKind::max_pool) && layers[i].kernel == 2;
    if (pools) ++i;
    const Placement placement{.planar_in = planar, .planar_out = !is(i, LayerKind::conv2d)};
    stages.push_back(std::make_unique<ConvStage>(layer, kernels::Finish{.relu = relu, .pools = pools},
                                                 layers[i - 1].out, placement));
    planar = placement.planar_out;
  }
  return stages;
}

}  // namespace souk
