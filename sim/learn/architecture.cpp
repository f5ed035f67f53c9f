#include "sim/learn/architecture.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/channel_attention.hpp"

namespace souk {
namespace {

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
                                                      Extent{channels, height, width}.text()));
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

void Architecture::take(std::unique_ptr<Layer> layer) {
  layer->in_ = value_;
  layer->out_ = layer->place(*this);
  value_ = layer->out_;
  layers_.push_back(std::move(layer));
  const bool attended = shape_.attention_reduction > 0 && layers_.size() == shape_.attention_behind;
  if (attended) take(make_channel_attention("attention", shape_.attention_reduction));
}

std::size_t Architecture::add_slot(const std::string& name, const std::vector<std::size_t>& shape, bool trainable) {
  SOUK_EXPECT(std::ranges::find(slots_, name, &Slot::name) == slots_.end());
  slots_.push_back({.name = name, .shape = {shape.begin(), shape.end()}, .trainable = trainable});
  return slots_.size() - 1;
}

std::size_t Architecture::add_trainable(const std::string& name, const std::vector<std::size_t>& shape) {
  return add_slot(name, shape, true);
}

std::size_t Architecture::add_buffer(const std::string& name, const std::vector<std::size_t>& shape) {
  return add_slot(name, shape, false);
}

std::vector<Slot> Architecture::slots() const {
  const ParameterLayout places = layout();
  std::vector<Slot> slots;
  for (const Slot& slot : slots_) slots.push_back(places.slot(slot.name));
  return slots;
}

void Architecture::initialise(Stream& random, std::span<float> parameters) const {
  SOUK_EXPECT(parameters.size() == layout().dimension());
  std::vector<std::span<float>> values;
  for (const Slot& slot : slots()) values.push_back(parameters.subspan(slot.offset, slot.size));
  for (const auto& layer : layers_) layer->initialise(random, values);
}

double Architecture::forward_flops() const {
  double flops = 0.0;
  for (const auto& layer : layers_) flops += layer->forward_flops();
  return flops;
}

Architecture make_architecture(const scenario::Model& model, const ModelShape& shape) {
  const auto& registry = PluginRegistry<ModelFamily>::instance();
  const auto* network = model.GetReflection()->GetOneofFieldDescriptor(model, model.GetDescriptor()->oneof_decl(0));
  SOUK_REQUIRE(network == nullptr || registry.has(network->name()),
               "task.model.{}: reads the nodes of a graph, and the data set is none: choose one of {}", network->name(),
               fmt::join(registry.names(), ", "));
  const auto family = registry.create(model, "network");
  check_input(model, *family, shape);
  Architecture architecture = family->build(shape);
  SOUK_EXPECT(architecture.out() == Extent{shape.outputs()});
  return architecture;
}

Architecture make_attentive_architecture(const scenario::Model& model, const ModelShape& shape, std::size_t reduction) {
  const Architecture plain = make_architecture(model, shape);
  const auto layers = plain.layers();
  const auto last =
      std::find_if(layers.rbegin(), layers.rend(), [](const auto& layer) { return layer->makes_feature_maps(); });
  SOUK_REQUIRE(last != layers.rend(),
               "task.objective: asks for the channel attention of a convolution, and the network {} has none",
               plain.name());
  ModelShape attentive = shape;
  attentive.attention_behind = static_cast<std::size_t>(layers.rend() - last);
  attentive.attention_reduction = reduction;
  return make_architecture(model, attentive);
}

}  // namespace souk
