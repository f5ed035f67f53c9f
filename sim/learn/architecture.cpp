#include "sim/learn/architecture.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

std::string text(const Extent& extent) { return fmt::format("{}x{}x{}", extent.channels, extent.height, extent.width); }

/// Positions of a window of `kernel` in `extent` padded pixels, `stride` apart.
std::size_t positions(std::size_t extent, std::size_t kernel, std::size_t stride) {
  return (extent - kernel) / stride + 1;
}

Slot slot(const std::string& name, const std::vector<std::size_t>& shape, bool trainable) {
  return {.name = name, .shape = {shape.begin(), shape.end()}, .trainable = trainable};
}

std::size_t weights_of(const Layer& layer) {
  const std::size_t area = layer.kernel * layer.kernel;
  return layer.kind == LayerKind::affine ? layer.out.size() * layer.in.size()
                                         : layer.out.channels * layer.in.channels * area;
}

void fill(std::span<float> values, float value) { std::fill(values.begin(), values.end(), value); }

/// Values uniform within 1 / sqrt(fan_in), as PyTorch draws them.
void draw_uniform(std::size_t fan_in, Stream& random, std::span<float> values) {
  const float bound = 1.0F / std::sqrt(static_cast<float>(fan_in));
  for (float& value : values) value = bound * (2.0F * random.uniform_float() - 1.0F);
}

void initialise_linear(const Layer& layer, Stream& random, std::span<float> parameters) {
  const std::size_t weights = weights_of(layer);
  const std::size_t fan_in = weights / layer.out.channels;
  draw_uniform(fan_in, random, parameters.subspan(layer.weight, weights));
  if (layer.has_bias) draw_uniform(fan_in, random, parameters.subspan(layer.bias, layer.out.channels));
}

void initialise_text_conv(const Layer& layer, Stream& random, std::span<float> parameters) {
  const std::size_t filters = layer.out.channels / layer.text_filters.size();
  for (const TextFilters& of : layer.text_filters) {
    const std::size_t fan_in = layer.in.channels * of.width;
    draw_uniform(fan_in, random, parameters.subspan(of.weight, filters * fan_in));
    draw_uniform(fan_in, random, parameters.subspan(of.bias, filters));
  }
}

/// As Kim's code draws words of which it knows no vector. PyTorch's normal values of variance 1 drown what is learned
/// of rare words: after 20 rounds of scenarios/text/topics.textproto at noise 0.9, 78 instead of 84 % are right.
constexpr float embedding_bound = 0.25F;

/// `rows` are all tokens'; the first is that of padding.
void initialise_embedding(const Layer& layer, Stream& random, std::span<float> rows) {
  const std::size_t values = layer.out.channels;
  fill(rows.first(values), 0.0F);
  for (float& value : rows.subspan(values)) value = embedding_bound * (2.0F * random.uniform_float() - 1.0F);
}

void initialise_norm(const Layer& layer, std::span<float> parameters) {
  fill(parameters.subspan(layer.weight, layer.out.channels), 1.0F);
  fill(parameters.subspan(layer.bias, layer.out.channels), 0.0F);
  if (layer.kind != LayerKind::batch_norm) return;
  fill(parameters.subspan(layer.running_mean, layer.out.channels), 0.0F);
  fill(parameters.subspan(layer.running_variance, layer.out.channels), 1.0F);
}

/// Tokens and quantities are both numbers, so that no shape tells them apart.
void check_input(const scenario::Model& model, const ModelFamily& family, const ModelShape& shape) {
  const bool tokens = shape.vocabulary > 0;
  if (tokens == family.reads_tokens()) return;
  const auto* chosen = model.GetReflection()->GetOneofFieldDescriptor(model, model.GetDescriptor()->oneof_decl(0));
  const std::string field = "task.model." + chosen->name();
  SOUK_REQUIRE(!tokens, "{}: reads quantities, and the samples of the data set are texts: choose text_cnn", field);
  const auto [channels, height, width] = shape.input;
  throw_input_error("{}: reads texts, and the samples of the data set are {}", field,
                    height * width == 1 ? fmt::format("rows of {} values", channels)
                                        : fmt::format("images of {} (channels, height, width)",
                                                      text({.channels = channels, .height = height, .width = width})));
}

}  // namespace

Architecture::Architecture(std::string name, const ModelShape& shape)
    : name_(std::move(name)), shape_(shape), value_{shape.input[0], shape.input[1], shape.input[2]} {
  SOUK_REQUIRE(
      value_.size() > 0 && (shape.classes == 0 || shape.classes >= 2),
      "{}: needs samples of at least one feature, and at least 2 classes or numbers to predict; the data set has "
      "{} features and {} classes",
      name_, value_.size(), shape.classes);
}

Layer& Architecture::append(LayerKind kind, const Extent& out) {
  Layer& layer = layers_.emplace_back();
  layer.kind = kind;
  layer.in = value_;
  layer.out = value_ = out;
  return layer;
}

std::size_t Architecture::add_trainable(const std::string& name, const std::vector<std::size_t>& shape) {
  const std::size_t offset = trainable_;
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  slots_.push_back(slot(name, shape, true));
  trainable_ += size;
  return offset;
}

std::size_t Architecture::add_buffer(const std::string& name, std::size_t size) {
  slots_.push_back(slot(name, {size}, false));
  return std::exchange(buffers_, buffers_ + size);
}

Architecture& Architecture::affine(const std::string& name, std::size_t outputs) {
  const std::size_t inputs = value_.size();
  Layer& layer = append(LayerKind::affine, {.channels = outputs});
  layer.weight = add_trainable(name + ".weight", {outputs, inputs});
  layer.bias = add_trainable(name + ".bias", {outputs});
  layer.has_bias = true;
  return *this;
}

Architecture& Architecture::conv2d(const std::string& name, const Conv& conv) {
  const Extent padded{value_.channels, value_.height + 2 * conv.padding, value_.width + 2 * conv.padding};
  SOUK_REQUIRE(padded.height >= conv.kernel && padded.width >= conv.kernel,
               "{}: {} slides a {}x{} window over {} values (padding included): the images are too small; the input is "
               "{}",
               name_, name, conv.kernel, conv.kernel, text(padded),
               text({shape_.input[0], shape_.input[1], shape_.input[2]}));
  const std::size_t channels = value_.channels;
  Layer& layer = append(LayerKind::conv2d, {.channels = conv.channels,
                                            .height = positions(padded.height, conv.kernel, conv.stride),
                                            .width = positions(padded.width, conv.kernel, conv.stride)});
  layer.kernel = conv.kernel;
  layer.stride = conv.stride;
  layer.padding = conv.padding;
  layer.weight = add_trainable(name + ".weight", {conv.channels, channels, conv.kernel, conv.kernel});
  layer.has_bias = conv.bias;
  if (conv.bias) layer.bias = add_trainable(name + ".bias", {conv.channels});
  return *this;
}

Architecture& Architecture::relu() {
  append(LayerKind::relu, value_);
  return *this;
}

Architecture& Architecture::max_pool(std::size_t kernel) {
  SOUK_REQUIRE(value_.height >= kernel && value_.width >= kernel,
               "{}: {}x{} max pooling of {} values: the images are too small; the input is {}", name_, kernel, kernel,
               text(value_), text({shape_.input[0], shape_.input[1], shape_.input[2]}));
  append(LayerKind::max_pool,
         {.channels = value_.channels, .height = value_.height / kernel, .width = value_.width / kernel})
      .kernel = kernel;
  return *this;
}

Architecture& Architecture::global_average_pool() {
  append(LayerKind::global_average_pool, {.channels = value_.channels});
  return *this;
}

Layer& Architecture::append_norm(LayerKind kind, const std::string& name) {
  Layer& layer = append(kind, value_);
  layer.weight = add_trainable(name + ".weight", {value_.channels});
  layer.bias = add_trainable(name + ".bias", {value_.channels});
  layer.has_bias = true;
  return layer;
}

Architecture& Architecture::group_norm(const std::string& name, std::size_t groups) {
  SOUK_REQUIRE(groups >= 1 && value_.channels % groups == 0,
               "{}: groups = {} must divide the {} channels that {} normalises", name_, groups, value_.channels, name);
  append_norm(LayerKind::group_norm, name).groups = groups;
  return *this;
}

Architecture& Architecture::batch_norm(const std::string& name) {
  Layer& layer = append_norm(LayerKind::batch_norm, name);
  layer.running_mean = add_buffer(name + ".running_mean", value_.channels);
  layer.running_variance = add_buffer(name + ".running_var", value_.channels);
  return *this;
}

Architecture& Architecture::embedding(const std::string& name, std::size_t values) {
  SOUK_EXPECT(shape_.vocabulary > 0 && value_.pixels() == 1);
  append(LayerKind::embedding, {.channels = values, .width = value_.channels}).weight =
      add_trainable(name + ".weight", {shape_.vocabulary, values});
  return *this;
}

Architecture& Architecture::text_conv(const std::string& name, std::size_t filters,
                                      const std::vector<std::size_t>& widths) {
  SOUK_EXPECT(value_.height == 1);
  const std::size_t values = value_.channels;
  Layer& layer = append(LayerKind::text_conv, {.channels = filters * widths.size()});
  for (const std::size_t width : widths) {
    SOUK_REQUIRE(std::ranges::find(layer.text_filters, width, &TextFilters::width) == layer.text_filters.end(),
                 "task.model.{}.widths: {} is given twice", name_, width);
    const std::string slot_name = name + std::to_string(width);
    const std::size_t weight = add_trainable(slot_name + ".weight", {filters, values, width});
    const std::size_t bias = add_trainable(slot_name + ".bias", {filters});
    layer.text_filters.push_back({.width = width, .weight = weight, .bias = bias});
  }
  return *this;
}

Architecture& Architecture::save() {
  stack_.push_back(value_);
  append(LayerKind::save, value_);
  return *this;
}

Architecture& Architecture::swap() {
  SOUK_EXPECT(!stack_.empty());
  const Extent top = std::exchange(stack_.back(), value_);
  append(LayerKind::swap, top);
  return *this;
}

Architecture& Architecture::add() {
  SOUK_EXPECT(!stack_.empty() && stack_.back() == value_);
  stack_.pop_back();
  append(LayerKind::add, value_);
  return *this;
}

std::vector<Layer> Architecture::layers() const {
  std::vector<Layer> layers = layers_;
  for (Layer& layer : layers) {
    if (layer.kind != LayerKind::batch_norm) continue;
    layer.running_mean += trainable_;
    layer.running_variance += trainable_;
  }
  return layers;
}

void Architecture::initialise(Stream& random, std::span<float> parameters) const {
  SOUK_EXPECT(parameters.size() == trainable_ + buffers_);
  for (const Layer& layer : layers()) {
    switch (layer.kind) {
      case LayerKind::affine:
      case LayerKind::conv2d:
        initialise_linear(layer, random, parameters);
        break;
      case LayerKind::embedding:
        initialise_embedding(layer, random, parameters.subspan(layer.weight, shape_.vocabulary * layer.out.channels));
        break;
      case LayerKind::text_conv:
        initialise_text_conv(layer, random, parameters);
        break;
      case LayerKind::group_norm:
      case LayerKind::batch_norm:
        initialise_norm(layer, parameters);
        break;
      default:
        break;
    }
  }
}

double Architecture::forward_flops() const {
  double flops = 0.0;
  for (const Layer& layer : layers_) {
    for (const TextFilters& of : layer.text_filters) {
      const std::size_t places = layer.in.width + of.width - 1,
                        filters = layer.out.channels / layer.text_filters.size();
      flops += 2.0 * static_cast<double>(filters * layer.in.channels * of.width * places);
    }
    if (layer.kind != LayerKind::affine && layer.kind != LayerKind::conv2d) continue;
    flops += 2.0 * static_cast<double>(weights_of(layer) * layer.out.pixels());
  }
  return flops;
}

Architecture make_architecture(const scenario::Model& model, const ModelShape& shape) {
  const auto family = PluginRegistry<ModelFamily>::instance().create(model, "network");
  check_input(model, *family, shape);
  Architecture architecture = family->build(shape);
  SOUK_EXPECT(architecture.out() == Extent{shape.outputs()});
  return architecture;
}

}  // namespace souk
