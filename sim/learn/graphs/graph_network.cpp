#include "sim/learn/graphs/graph_network.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

template <class T>
void activate(Activation activation, std::vector<T>& values) {
  for (T& x : values) {
    if (value_of(x) > 0) continue;
    x = activation == Activation::elu ? exponential(x) - T{1} : T{};
  }
}

/// `values`: after the activation. Of ELU below 0, exp(x) = value + 1.
template <class T>
void unwind_activation(Activation activation, const std::vector<T>& values, std::vector<T>& d) {
  for (std::size_t v = 0; v < d.size(); ++v) {
    if (value_of(values[v]) > 0) continue;
    d[v] = activation == Activation::elu ? d[v] * (values[v] + T{1}) : T{};
  }
}

/// What values are multiplied by: 0, or what makes up for those.
void draw_mask(double dropout, std::size_t size, Stream& random, std::vector<float>& mask) {
  mask.resize(size);
  const auto share = static_cast<float>(dropout), kept = static_cast<float>(1.0 / (1.0 - dropout));
  for (float& factor : mask) factor = random.uniform_float() < share ? 0.0F : kept;
}

template <class T>
void mask_values(const std::vector<float>& mask, std::vector<T>& values) {
  for (std::size_t v = 0; v < mask.size(); ++v) values[v] = T{static_cast<Scalar<T>>(mask[v])} * values[v];
}

}  // namespace

/// Of one pass forward and back, in numbers of one kind.
template <class T>
struct GraphNetwork::Work {
  struct Layer {
    std::vector<T> out;                ///< after the activation, but of the last layer; before what is dropped next
    std::vector<T> in;                 ///< what the layer reads, where something was dropped
    std::vector<float> mask;           ///< of what it reads; empty: nothing is dropped
    std::vector<std::vector<T>> kept;  ///< the layer's own
    std::size_t rows_in = 0, rows_out = 0;
  };
  std::vector<Layer> layers;
  std::vector<float> feature_values;  ///< of the field's entries, where some are dropped
  const ReceptiveField* field = nullptr;
  KnownProducts<T>* known = nullptr;  ///< of the field's sources, where it has some
  std::vector<T> parameters, d_out, d_in;

  NodeInput<T> input(std::size_t layer, std::size_t features, std::span<const std::size_t> widths) const {
    if (layer == 0 && known != nullptr) {
      return {.known = known, .sources = field->sources().data(), .width = features};
    }
    if (layer == 0) {
      return {.features = &field->features(),
              .feature_values = layers[0].mask.empty() ? nullptr : feature_values.data(),
              .scaling = &field->scaling(),
              .width = features};
    }
    const std::vector<T>& rows = layers[layer].mask.empty() ? layers[layer - 1].out : layers[layer].in;
    return {.rows = rows.data(), .width = widths[layer - 1]};
  }
};

struct GraphNetwork::Works {
  Work<float> single;
  Work<double> twice;
  Work<Dual<float>> dual;
};

GraphNetwork::GraphNetwork(GraphArchitecture architecture, const GraphModelShape& shape,
                           std::shared_ptr<const Objective> objective)
    : architecture_(std::move(architecture)),
      shape_(shape),
      objective_(std::move(objective)),
      works_(std::make_shared<Works>()) {
  check_objective();
  std::vector<Slot> slots;
  std::size_t width = shape.features, offset = 0, number = 0;
  for (const auto& layer : architecture_.layers) {
    width = layer->place(width);
    widths_.push_back(width);
    offsets_.push_back(offset);
    for (Slot& slot : layer->slots(fmt::format("layer{}", ++number))) {
      std::size_t size = 1;
      for (const std::int64_t extent : slot.shape) size *= static_cast<std::size_t>(extent);
      offset += size;
      slots.push_back(std::move(slot));
    }
  }
  SOUK_EXPECT(width == shape.classes);
  offsets_.push_back(offset);
  layout_ = std::make_unique<ParameterLayout>(std::move(slots));
  SOUK_EXPECT(layout_->dimension() == offset);
}

void GraphNetwork::check_objective() const {
  SOUK_REQUIRE(objective_->attention_reduction() == 0,
               "task.objective: asks for the channel attention of a convolution over images, which {} does not have",
               architecture_.name);
}

void GraphNetwork::initialise(Stream& random, std::span<float> parameters) const {
  std::ranges::fill(parameters, 0.0F);
  for (std::size_t l = 0; l < architecture_.layers.size(); ++l) {
    architecture_.layers[l]->initialise(random, parameters.subspan(offsets_[l], offsets_[l + 1] - offsets_[l]));
  }
}

std::size_t GraphNetwork::hops() const {
  std::size_t hops = 0;
  for (const auto& layer : architecture_.layers) hops += layer->hops();
  return hops;
}

double GraphNetwork::forward_flops(const LayerSize& size) const {
  double flops = 0.0;
  LayerSize of_layer = size;
  of_layer.reads_features = true;
  for (const auto& layer : architecture_.layers) {
    flops += layer->forward_flops(of_layer);
    of_layer.reads_features = false;
  }
  return flops;
}

double GraphNetwork::working_bytes(const LayerSize& size) const {
  double values = 0.0;
  for (const std::size_t width : widths_) values += 5.0 * size.nodes * static_cast<double>(width);
  return values * sizeof(float) + size.feature_entries * sizeof(float);
}

template <class T>
void GraphNetwork::forward(Work<T>& work, const T* parameters, const ReceptiveField& field, std::size_t nodes,
                           Stream* dropout) {
  const std::size_t count = architecture_.layers.size();
  const bool drops = dropout != nullptr && architecture_.dropout > 0.0;
  work.layers.resize(count);
  work.field = &field;
  std::size_t ahead = hops();
  for (std::size_t l = 0; l < count; ++l) {
    typename Work<T>::Layer& layer = work.layers[l];
    layer.rows_in = l == 0 ? std::max(nodes, field.reach(ahead)) : work.layers[l - 1].rows_out;
    ahead -= architecture_.layers[l]->hops();
    layer.rows_out = ahead == 0 ? nodes : std::max(nodes, field.reach(ahead));
    layer.mask.clear();
    if (drops && l == 0) {
      const SparseRows& features = field.features();
      draw_mask(architecture_.dropout, features.offsets[layer.rows_in], *dropout, layer.mask);
      work.feature_values = layer.mask;
      for (std::size_t e = 0; !features.values.empty() && e < layer.mask.size(); ++e) {
        work.feature_values[e] *= features.values[e];
      }
    } else if (drops) {
      layer.in = work.layers[l - 1].out;
      draw_mask(architecture_.dropout, layer.in.size(), *dropout, layer.mask);
      mask_values(layer.mask, layer.in);
    }
    layer.out.resize(layer.rows_out * widths_[l]);
    architecture_.layers[l]->forward(LayerPass<T>{.field = field,
                                                  .rows_in = layer.rows_in,
                                                  .rows_out = layer.rows_out,
                                                  .in = work.input(l, shape_.features, widths_),
                                                  .parameters = parameters + offsets_[l],
                                                  .out = layer.out.data(),
                                                  .kept = layer.kept,
                                                  .dropout = drops ? dropout : nullptr});
    if (l + 1 < count) activate(architecture_.activation, layer.out);
  }
}

template <class T>
void GraphNetwork::backward(Work<T>& work, const T* parameters, std::vector<T>& d_logits, T* gradient) {
  std::fill_n(gradient, layout_->dimension(), T{});
  std::vector<T>& d_out = d_logits;
  for (std::size_t l = architecture_.layers.size(); l-- > 0;) {
    typename Work<T>::Layer& layer = work.layers[l];
    const LayerPass<T> pass{.field = *work.field,
                            .rows_in = layer.rows_in,
                            .rows_out = layer.rows_out,
                            .in = work.input(l, shape_.features, widths_),
                            .parameters = parameters + offsets_[l],
                            .out = layer.out.data(),
                            .kept = layer.kept};
    if (l > 0) work.d_in.resize(layer.rows_in * widths_[l - 1]);
    architecture_.layers[l]->backward(LayerReturn<T>{.pass = pass,
                                                     .d_out = d_out.data(),
                                                     .d_parameters = gradient + offsets_[l],
                                                     .d_in = l > 0 ? work.d_in.data() : nullptr});
    if (l == 0) return;
    mask_values(layer.mask, work.d_in);
    unwind_activation(architecture_.activation, work.layers[l - 1].out, work.d_in);
    std::swap(d_out, work.d_in);
  }
}

void GraphNetwork::outputs(std::span<const float> parameters, const ReceptiveField& field, std::size_t nodes,
                           std::span<float> logits) {
  SOUK_EXPECT(parameters.size() == layout_->dimension() && logits.size() == nodes * shape_.classes);
  forward(works_->single, parameters.data(), field, nodes, nullptr);
  std::ranges::copy(works_->single.layers.back().out, logits.begin());
}

void GraphNetwork::outputs(std::span<const double> parameters, const ReceptiveField& field, std::size_t nodes,
                           std::span<double> logits) {
  SOUK_EXPECT(parameters.size() == layout_->dimension() && logits.size() == nodes * shape_.classes);
  forward(works_->twice, parameters.data(), field, nodes, nullptr);
  std::ranges::copy(works_->twice.layers.back().out, logits.begin());
}

template <>
void GraphNetwork::outputs(std::span<const float> parameters, const ReceptiveField& field, std::size_t nodes,
                           KnownProducts<float>& known, std::span<float> logits) {
  works_->single.known = &known;
  outputs(parameters, field, nodes, logits);
  works_->single.known = nullptr;
}

template <>
void GraphNetwork::outputs(std::span<const double> parameters, const ReceptiveField& field, std::size_t nodes,
                           KnownProducts<double>& known, std::span<double> logits) {
  works_->twice.known = &known;
  outputs(parameters, field, nodes, logits);
  works_->twice.known = nullptr;
}

double GraphNetwork::gradient(std::span<const float> parameters, const ReceptiveField& field,
                              std::span<const std::int32_t> labels, std::span<float> gradient, Stream* dropout) {
  SOUK_EXPECT(parameters.size() == layout_->dimension() && gradient.size() == layout_->trainable());
  Work<float>& work = works_->single;
  const std::size_t nodes = labels.size();
  forward(work, parameters.data(), field, nodes, dropout);
  work.d_out = work.layers.back().out;
  const double sum = objective_->gradient(work.d_out, shape_.classes, {.classes = labels}, nodes);
  backward(work, parameters.data(), work.d_out, gradient.data());
  return sum / static_cast<double>(nodes);
}

void GraphNetwork::hessian_vector(std::span<const float> parameters, const ReceptiveField& field,
                                  std::span<const std::int32_t> labels, std::span<const float> direction,
                                  std::span<float> out) {
  SOUK_EXPECT(direction.size() == layout_->trainable() && out.size() == direction.size());
  Work<Dual<float>>& work = works_->dual;
  work.parameters.resize(parameters.size());
  for (std::size_t v = 0; v < parameters.size(); ++v) work.parameters[v] = {parameters[v], direction[v]};
  forward(work, work.parameters.data(), field, labels.size(), nullptr);
  const std::vector<Dual<float>>& logits = work.layers.back().out;
  std::vector<float> values(logits.size()), slopes(logits.size());
  for (std::size_t v = 0; v < logits.size(); ++v) values[v] = logits[v].value, slopes[v] = logits[v].slope;
  const Targets targets{.classes = labels};
  objective_->curvature(values, shape_.classes, targets, labels.size(), slopes);
  objective_->gradient(values, shape_.classes, targets, labels.size());
  work.d_out.resize(logits.size());
  for (std::size_t v = 0; v < logits.size(); ++v) work.d_out[v] = {values[v], slopes[v]};
  std::vector<Dual<float>> gradient(layout_->dimension());
  backward(work, work.parameters.data(), work.d_out, gradient.data());
  for (std::size_t v = 0; v < out.size(); ++v) out[v] = gradient[v].slope;
}

GraphNetwork make_graph_network(const scenario::Model& model, const Dataset& train,
                                std::shared_ptr<const Objective> objective) {
  const GraphModelShape shape{.features = train.features(), .classes = static_cast<std::size_t>(train.classes())};
  return {make_graph_architecture(model, shape), shape, std::move(objective)};
}

GraphArchitecture make_graph_architecture(const scenario::Model& model, const GraphModelShape& shape) {
  const auto& registry = PluginRegistry<GraphModelFamily>::instance();
  const auto* chosen = model.GetReflection()->GetOneofFieldDescriptor(model, model.GetDescriptor()->oneof_decl(0));
  SOUK_REQUIRE(chosen == nullptr || registry.has(chosen->name()),
               "task.model.{}: reads rows, and the samples of the data set are nodes of a graph: choose one of {}",
               chosen->name(), fmt::join(registry.names(), ", "));
  return registry.create(model, "network")->build(shape);
}

}  // namespace souk
