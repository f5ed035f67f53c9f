#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/conv2d.h>

#include "sim/base/contract.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/chain_kernels.hpp"
#include "sim/learn/chain_stage.hpp"
#include "sim/learn/float_buffer.hpp"
#include "sim/learn/layers/conv_kernels.hpp"
#include "sim/learn/layers/layer_tools.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// A convolution, image by image in the first-level caches: forward as tiles of sums in registers, backward through the
/// non-zeros of the output gradient alone, of which max pooling and ReLU leave an eighth or so.
class ConvStage final : public ChainStage {
 public:
  /// Where weights and biases begin in the flat vector.
  struct Offsets {
    std::size_t weight, bias;
  };
  /// Whether images are read and written channel by channel, or else pixel by pixel, as the kernels do.
  struct Placement {
    bool planar_in, planar_out;
  };

  ConvStage(const kernels::ConvShape& shape, Offsets offsets, Finish how, const Extent& out, Placement placement)
      : ChainStage(shape.in, out), offsets_(offsets), how_(how), placement_(placement), shape_(shape) {
    shape_.tiling = kernels::choose_tiling(shape_);
    const std::size_t channels = shape_.out.channels, lists = out.pixels() * (how.pools ? 4 : 1);
    packed_forward_.reserve(shape_.kernel * shape_.row() * shape_.outputs());
    packed_backward_.reserve(channels * shape_.kernel * shape_.padded_row());
    packed_gradient_.reserve(packed_backward_.size());
    for (FloatBuffer* buffer : {&padded_, &d_padded_}) buffer->reserve(shape_.padded_image());
    for (FloatBuffer* buffer : {&bias_, &bias_gradient_, &unread_}) buffer->reserve(shape_.outputs());
    for (FloatBuffer* buffer : {&image_, &d_image_}) buffer->reserve(std::max(shape_.in.size(), out.size()));
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
    kernels::pack_forward(shape_, parameters + offsets_.weight, packed_forward_.data());
    std::copy_n(parameters + offsets_.bias, shape_.out.channels, bias_.data());
    for (std::size_t sample = 0; sample < values.samples; ++sample) {
      load(values.in, sample);
      kernels::convolve(shape_, padded_.data(), packed_forward_.data(), bias_.data(), z_.data());
      store(values.out, sample, [&](float* image) { kernels::finish(shape_, how_, z_.data(), image, origin(sample)); });
    }
  }

  void backward(const float* parameters, const StageValues& values, float* d_out, float* d_in,
                const GradientSink& sink) override {
    clear_gradients();
    if (d_in != nullptr) kernels::pack_backward(shape_, parameters + offsets_.weight, packed_backward_.data());
    for (std::size_t sample = 0; sample < values.samples; ++sample) {
      const Lists lists = list(d_out + sample * out().size(), sample, d_in != nullptr, bias_gradient_.data());
      add_weight_gradient(lists, values.in, sample);
      if (d_in == nullptr) continue;
      clear_input_gradient();
      add_input_gradient(lists, packed_backward_);
      store_input_gradient(d_in + sample * in().size());
    }
    write_gradients(sink);
  }

  // Of W * x + b along (V, c): V * x + c + W * x', at the places of the maxima alone.
  void forward_tangent(const float*, const StageValues& values, const StageTangents& tangents) override {
    packed_direction_.reserve(packed_forward_.size());
    kernels::pack_forward(shape_, tangents.direction + offsets_.weight, packed_direction_.data());
    std::copy_n(tangents.direction + offsets_.bias, shape_.out.channels, bias_.data());
    for (std::size_t sample = 0; sample < values.samples; ++sample) {
      load(values.in, sample);
      kernels::convolve(shape_, padded_.data(), packed_direction_.data(), bias_.data(), z_.data());
      if (tangents.in != nullptr) {
        load(tangents.in, sample);
        kernels::convolve(shape_, padded_.data(), packed_forward_.data(), nullptr, z_.data());
      }
      store(tangents.out, sample, [&](float* image) { kernels::pick(shape_, how_, z_.data(), origin(sample), image); });
    }
  }

  // With gradient g and tangent g': the input's is W^T g' + V^T g, the weights' g' x + g x'. Both are as sparse.
  void backward_tangent(const float* parameters, const StageValues& values, const StageTangents& tangents, float* d_out,
                        float* d_in, const GradientSink& sink) override {
    const bool weights = sink.parameters != nullptr;
    clear_gradients();
    if (d_in != nullptr) {
      packed_backward_direction_.reserve(packed_backward_.size());
      kernels::pack_backward(shape_, parameters + offsets_.weight, packed_backward_.data());
      kernels::pack_backward(shape_, tangents.direction + offsets_.weight, packed_backward_direction_.data());
    }
    float* d_tangent = d_out + values.samples * out().size();
    for (std::size_t sample = 0; sample < values.samples; ++sample) {
      if (d_in != nullptr || tangents.in != nullptr) {
        const Lists lists = list(d_out + sample * out().size(), sample, d_in != nullptr, unread_.data());
        if (tangents.in != nullptr && weights) add_weight_gradient(lists, tangents.in, sample);
        if (d_in != nullptr) {
          if (!tangents.last) {
            clear_input_gradient();
            add_input_gradient(lists, packed_backward_);
            store_input_gradient(d_in + sample * in().size());
          }
          clear_input_gradient();
          add_input_gradient(lists, packed_backward_direction_);
        }
      }
      const Lists lists = list(d_tangent + sample * out().size(), sample, d_in != nullptr, bias_gradient_.data());
      if (weights) add_weight_gradient(lists, values.in, sample);
      if (d_in == nullptr) continue;
      add_input_gradient(lists, packed_backward_);
      store_input_gradient(d_in + (values.samples + sample) * in().size());
    }
    if (weights) write_gradients(sink);
  }

 private:
  /// The non-zeros of one image's output gradient.
  struct Lists {
    kernels::NonzeroLists by_channel, by_pixel;
  };

  std::uint8_t* origin(std::size_t sample) { return origin_.data() + sample * out().size(); }

  /// One image of the output, written by `write` pixel by pixel.
  template <class Write>
  void store(float* images, std::size_t sample, const Write& write) {
    float* y = images + sample * out().size();
    float* image = placement_.planar_out ? image_.data() : y;
    write(image);
    if (placement_.planar_out) kernels::transpose(image, out().pixels(), out().channels, y);
  }

  /// Of dy [out], whose sums over pixels are added to `sums`.
  Lists list(float* dy, std::size_t sample, bool by_pixel, float* sums) {
    if (placement_.planar_out) {
      kernels::transpose(dy, out().channels, out().pixels(), image_.data());
      dy = image_.data();
    }
    const Lists lists{
        .by_channel = {channel_entries_.data(), channel_counts_.data(), out().pixels() + 1},
        .by_pixel = {by_pixel ? pixel_entries_.data() : nullptr, pixel_counts_.data(), shape_.out.channels}};
    kernels::mask_and_sum(out().pixels(), out().channels, origin(sample), dy, sums);
    kernels::collect(shape_, how_, dy, origin(sample), lists.by_channel, lists.by_pixel);
    return lists;
  }

  void clear_gradients() {
    std::fill_n(bias_gradient_.data(), shape_.out.channels, 0.0F);
    std::fill_n(packed_gradient_.data(), packed_gradient_.size(), 0.0F);
  }

  void add_weight_gradient(const Lists& lists, const float* images, std::size_t sample) {
    load(images, sample);
    kernels::add_weight_gradient(shape_, lists.by_channel, padded_.data(), packed_gradient_.data());
  }

  void write_gradients(const GradientSink& sink) {
    kernels::unpack_gradient(shape_, packed_gradient_.data(), weight_gradient_.data());
    kernels::blend(sink.scale, weight_gradient_.data(), sink.keep, sink.parameters + offsets_.weight, shape_.weights());
    kernels::blend(sink.scale, bias_gradient_.data(), sink.keep, sink.parameters + offsets_.bias, shape_.out.channels);
  }

  /// One image of the input, or of its tangents, into its frame.
  void load(const float* images, std::size_t sample) {
    const float* image = images + sample * in().size();
    if (placement_.planar_in && in().channels > 1) {
      kernels::transpose(image, in().channels, in().pixels(), d_image_.data());
      image = d_image_.data();
    }
    kernels::pad(shape_, image, padded_.data());
  }

  void clear_input_gradient() { std::fill_n(d_padded_.data(), shape_.padded_image(), 0.0F); }
  void add_input_gradient(const Lists& lists, const FloatBuffer& packed) {
    kernels::add_input_gradient(shape_, how_, lists.by_pixel, packed.data(), d_padded_.data());
  }
  void store_input_gradient(float* d_in) {
    if (placement_.planar_in) {
      kernels::crop(shape_, d_padded_.data(), d_image_.data());
      kernels::transpose(d_image_.data(), in().pixels(), in().channels, d_in);
    } else {
      kernels::crop(shape_, d_padded_.data(), d_in);
    }
  }

  Offsets offsets_;
  Finish how_;
  Placement placement_;
  kernels::ConvShape shape_;
  FloatBuffer packed_forward_, packed_backward_, packed_gradient_, weight_gradient_, bias_, bias_gradient_;
  FloatBuffer packed_direction_, packed_backward_direction_;  ///< as packed_forward_ and packed_backward_
  FloatBuffer unread_;                                        ///< sums that nobody asked for
  FloatBuffer padded_, d_padded_, image_, d_image_, z_;       ///< of one image
  std::vector<std::uint8_t> origin_;                          ///< [samples, out]
  std::vector<kernels::Nonzero> channel_entries_, pixel_entries_;
  std::vector<std::uint32_t> channel_counts_, pixel_counts_;
};

/// Positions of a window of `kernel` in `extent` padded pixels, `stride` apart.
std::size_t positions(std::size_t extent, std::size_t kernel, std::size_t stride) {
  return (extent - kernel) / stride + 1;
}

class Conv2d final : public Layer {
 public:
  Conv2d(std::string name, const Conv& conv) : name_(std::move(name)), conv_(conv) {}

  Extent place(Architecture& network) override {
    const std::size_t kernel = conv_.kernel;
    const Extent padded{in().channels, in().height + 2 * conv_.padding, in().width + 2 * conv_.padding};
    SOUK_REQUIRE(padded.height >= kernel && padded.width >= kernel,
                 "{}: {} slides a {}x{} window over {} values (padding included): the images are too small; the input "
                 "is {}",
                 network.name(), name_, kernel, kernel, padded.text(), network.in().text());
    weight_ = network.add_trainable(name_ + ".weight", {conv_.channels, in().channels, kernel, kernel});
    if (conv_.bias) bias_ = network.add_trainable(name_ + ".bias", {conv_.channels});
    return {.channels = conv_.channels,
            .height = positions(padded.height, kernel, conv_.stride),
            .width = positions(padded.width, kernel, conv_.stride)};
  }

  void initialise(Stream& random, std::span<const std::span<float>> slots) const override {
    draw_uniform(window(), random, slots[weight_]);
    if (conv_.bias) draw_uniform(window(), random, slots[bias_]);
  }

  double forward_flops() const override { return 2.0 * static_cast<double>(window() * out().size()); }

  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    return at::conv2d(value, pass.slots[weight_], conv_.bias ? pass.slots[bias_] : at::Tensor(),
                      to_signed(conv_.stride), to_signed(conv_.padding));
  }

  /// LibTorch unfolds the inputs, of the whole batch, into columns.
  TorchMemory torch_memory() const override {
    return {.kept = out().size(), .unfolded = conv_.kernel == 1 ? 0 : window() * out().pixels()};
  }

  std::optional<LinearSlots> linear_slots() const override {
    return LinearSlots{.weight = weight_, .bias = conv_.bias ? std::optional(bias_) : std::nullopt};
  }

  void for_each_product(const std::function<void(const WeightedInput&)>& show) const override {
    for (std::size_t o = 0; o < out().size(); ++o) {
      const std::size_t filter = o / out().pixels(), pixel = o % out().pixels();
      const std::size_t top = pixel / out().width * conv_.stride, left = pixel % out().width * conv_.stride;
      for (std::size_t w = 0; w < window(); ++w) {
        const std::size_t channel = w / (conv_.kernel * conv_.kernel);
        const std::size_t row = top + w / conv_.kernel % conv_.kernel, column = left + w % conv_.kernel;  // padded
        if (row < conv_.padding || row >= conv_.padding + in().height) continue;
        if (column < conv_.padding || column >= conv_.padding + in().width) continue;
        const std::size_t read = (channel * in().height + row - conv_.padding) * in().width + column - conv_.padding;
        show({.output = static_cast<std::uint32_t>(o),
              .weight = static_cast<std::uint32_t>(filter * window() + w),
              .input = static_cast<std::uint32_t>(read)});
      }
    }
  }

  std::unique_ptr<ChainStage> stage(ChainPlan& plan) const override {
    if (conv_.stride != 1 || !conv_.bias) return nullptr;
    const bool planar_in = !plan.by_pixel;
    const bool relu = plan.take({.relu = true});
    const bool pools = plan.take({.pools = true});
    plan.by_pixel = plan.pixels_wanted();
    return std::make_unique<ConvStage>(
        kernels::ConvShape{.in = in(), .out = out(), .kernel = conv_.kernel, .padding = conv_.padding, .tiling = {}},
        ConvStage::Offsets{.weight = plan.offset(weight_), .bias = plan.offset(bias_)},
        Finish{.relu = relu, .pools = pools}, plan.out(),
        ConvStage::Placement{.planar_in = planar_in, .planar_out = !plan.by_pixel});
  }
  bool reads_pixels() const override { return true; }
  bool makes_feature_maps() const override { return true; }

 private:
  /// Inputs of one output.
  std::size_t window() const { return in().channels * conv_.kernel * conv_.kernel; }

  std::string name_;
  Conv conv_;
  std::size_t weight_ = 0, bias_ = 0;  ///< slots: [out channels, in channels, kernel, kernel], [out channels]
};

}  // namespace

std::unique_ptr<Layer> layers::conv2d(std::string name, const Conv& conv) {
  return std::make_unique<Conv2d>(std::move(name), conv);
}

}  // namespace souk
