#include "sim/learn/graphs/edge_slopes.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/learn/graphs/gcn.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {
namespace {

double dot_of(const double* a, const double* b, std::size_t size) {
  double sum = 0.0;
  for (std::size_t i = 0; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

void activate(Activation activation, std::vector<double>& values) {
  for (double& x : values) {
    if (x > 0.0) continue;
    x = activation == Activation::elu ? std::exp(x) - 1.0 : 0.0;
  }
}

/// `values`: after the activation.
void unwind_activation(Activation activation, const std::vector<double>& values, std::vector<double>& d) {
  for (std::size_t v = 0; v < d.size(); ++v) {
    if (values[v] <= 0.0) d[v] *= activation == Activation::elu ? values[v] + 1.0 : 0.0;
  }
}

/// out [rows, width] = S in: of all nodes of the field, so that S is its own transpose.
std::vector<double> spread(const EdgeFactors<double>& how, const ReceptiveField& field, std::size_t width,
                           const std::vector<double>& in) {
  const std::size_t rows = field.edges().rows();
  std::vector<double> out(rows * width);
  graph_parts::gather(how, field, rows, rows, width, in.data(), out.data());
  return out;
}

/// [rows, inputs] = d [rows, outputs] times the transpose of weight [inputs, outputs].
std::vector<double> times_transposed(const std::vector<double>& d, const std::vector<double>& weight,
                                     std::size_t inputs, std::size_t outputs) {
  std::vector<double> transposed(weight.size());
  for (std::size_t i = 0; i < inputs; ++i) {
    for (std::size_t o = 0; o < outputs; ++o) transposed[o * inputs + i] = weight[i * outputs + o];
  }
  const std::size_t rows = d.size() / outputs;
  std::vector<double> out(rows * inputs);
  kernels::multiply_dense(rows, outputs, inputs, d.data(), transposed.data(), out.data());
  return out;
}

}  // namespace

struct EdgeSlopes::Layer {
  std::size_t inputs = 0, outputs = 0;
  std::vector<double> weight;
  std::vector<std::vector<double>> values;  ///< [hops + 1] [rows, outputs] before, between and after products with S
  std::vector<double> out;                  ///< [rows, outputs] after the activation, but of the last layer
};

bool EdgeSlopes::has(const GraphArchitecture& network) {
  return std::ranges::all_of(network.layers, [](const auto& layer) { return layer->normalized_form().has_value(); });
}

EdgeSlopes::EdgeSlopes(const GraphNetwork& network, const Objective& objective, std::span<const float> parameters,
                       const ReceptiveField& field, std::span<const NodeIndex> nodes,
                       std::span<const std::int32_t> labels)
    : nodes_(nodes.begin(), nodes.end()), own_(nodes.size()) {
  SOUK_EXPECT(has(network.architecture()) && labels.size() == nodes.size());
  for (std::size_t v = 0; v < nodes.size(); ++v) {
    roots_.push_back(1.0 / std::sqrt(static_cast<double>(field.degrees()[v]) + 1.0));
  }
  const std::vector<Layer> layers = forward(network, parameters, field);
  std::vector<double> d_out = layers.back().out;
  std::vector<float> logits(d_out.begin(),
                            d_out.begin() + static_cast<std::ptrdiff_t>(nodes.size() * network.classes()));
  objective.gradient(logits, network.classes(), {.classes = labels}, nodes.size());
  std::ranges::fill(d_out, 0.0);
  std::ranges::copy(logits, d_out.begin());
  backward(network, field, layers, std::move(d_out));
}

std::vector<EdgeSlopes::Layer> EdgeSlopes::forward(const GraphNetwork& network, std::span<const float> parameters,
                                                   const ReceptiveField& field) const {
  const std::size_t rows = field.edges().rows();
  const EdgeFactors<double> how = gcn_weights<double>(GcnNormalization::symmetric, field, rows);
  std::vector<Layer> layers;
  for (std::size_t l = 0; l < network.widths().size(); ++l) {
    const NormalizedForm form = *network.architecture().layers[l]->normalized_form();
    Layer layer;
    layer.inputs = l == 0 ? field.features().width : network.widths()[l - 1];
    layer.outputs = network.widths()[l];
    const auto own = parameters.subspan(network.offsets()[l]);
    const auto weight = own.subspan(form.weight, layer.inputs * layer.outputs);
    layer.weight.assign(weight.begin(), weight.end());
    const NodeInput<double> in =
        l == 0 ? NodeInput<double>{.features = &field.features(), .scaling = &field.scaling(), .width = layer.inputs}
               : NodeInput<double>{.rows = layers.back().out.data(), .width = layer.inputs};
    layer.values.emplace_back(rows * layer.outputs);
    graph_parts::multiply(in, layer.weight.data(), rows, layer.outputs, layer.values.front().data());
    for (std::size_t hop = 0; hop < form.hops; ++hop) {
      layer.values.push_back(spread(how, field, layer.outputs, layer.values.back()));
    }
    layer.out = layer.values.back();
    const auto bias = own.subspan(form.bias, layer.outputs);
    graph_parts::add_bias(std::vector<double>(bias.begin(), bias.end()).data(), rows, layer.outputs, layer.out.data());
    if (l + 1 < network.widths().size()) activate(network.architecture().activation, layer.out);
    layers.push_back(std::move(layer));
  }
  return layers;
}

void EdgeSlopes::backward(const GraphNetwork& network, const ReceptiveField& field, const std::vector<Layer>& layers,
                          std::vector<double> d_out) {
  const EdgeFactors<double> how = gcn_weights<double>(GcnNormalization::symmetric, field, field.edges().rows());
  for (std::size_t l = layers.size(); l-- > 0;) {
    const Layer& layer = layers[l];
    for (std::size_t hop = layer.values.size() - 1; hop > 0; --hop) {
      std::vector<double> d_before = spread(how, field, layer.outputs, d_out);
      keep(layer.values[hop - 1], layer.values[hop], d_before, d_out, layer.outputs);
      d_out = std::move(d_before);
    }
    if (l == 0) return;
    d_out = times_transposed(d_out, layer.weight, layer.inputs, layer.outputs);
    unwind_activation(network.architecture().activation, layers[l - 1].out, d_out);
  }
}

void EdgeSlopes::keep(const std::vector<double>& before, const std::vector<double>& after,
                      const std::vector<double>& d_before, const std::vector<double>& d_after, std::size_t width) {
  const auto size = static_cast<std::ptrdiff_t>(nodes_.size() * width);
  for (std::size_t v = 0; v < nodes_.size(); ++v) {
    const std::size_t row = v * width;
    const double moved = dot_of(d_after.data() + row, after.data() + row, width) +
                         dot_of(d_before.data() + row, before.data() + row, width);
    own_[v] -= 0.5 * roots_[v] * roots_[v] * moved;
  }
  spreads_.push_back({.width = width,
                      .before = {before.begin(), before.begin() + size},
                      .d_after = {d_after.begin(), d_after.begin() + size}});
}

double EdgeSlopes::of(NodeIndex a, NodeIndex b) const {
  const auto place = [this](NodeIndex node) {
    return static_cast<std::size_t>(std::ranges::lower_bound(nodes_, node) - nodes_.begin());
  };
  const std::size_t u = place(std::min(a, b)), v = place(std::max(a, b));  // the same bits whichever comes first
  double sum = 0.0;
  for (const Spread& spread : spreads_) {
    const double* before = spread.before.data();
    const double* d_after = spread.d_after.data();
    const std::size_t width = spread.width;
    sum +=
        dot_of(d_after + u * width, before + v * width, width) + dot_of(d_after + v * width, before + u * width, width);
  }
  return roots_[u] * roots_[v] * sum + own_[u] + own_[v];
}

}  // namespace souk
