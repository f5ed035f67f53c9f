#include "sim/serve/scaled_answers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/learn/graphs/graph_kernels.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {
namespace {

double activated(Activation activation, double x) {
  if (x > 0) return x;
  return activation == Activation::elu ? std::exp(x) - 1.0 : 0.0;
}

double factor(const std::vector<double>& factors, std::uint32_t node, double otherwise) {
  return factors.empty() ? otherwise : factors[node];
}

}  // namespace

bool ScaledAnswers::can_answer(const GraphArchitecture& network, const Graph& graph) {
  const ReceptiveField nothing(graph, FeatureScaling(), std::span<const NodeIndex>(), 0);
  return std::ranges::all_of(network.layers,
                             [&](const auto& layer) { return layer->linear_form(nothing, 0).has_value(); });
}

ScaledAnswers::ScaledAnswers(const GraphNetwork& network, const Graph& graph, std::vector<NodeIndex> nodes,
                             std::span<const std::uint32_t> places, std::span<const double> parameters,
                             KnownProducts<double>& known)
    : network_(network.architecture()),
      nodes_(std::move(nodes)),
      places_of_nodes_(places),
      parameters_(parameters),
      known_(known),
      field_(EditedGraph(graph), nodes_, 0, marks_),
      offsets_(network.offsets().begin(), network.offsets().end()),
      widths_(network.widths().begin(), network.widths().end()) {
  for (const auto& layer : network_.layers) forms_.push_back(layer->linear_form(field_, nodes_.size()).value());
  pass();
}

void ScaledAnswers::pass() {
  before_.resize(widths_.size());
  std::vector<double> in;
  std::vector<std::vector<double>> kept;
  for (std::size_t l = 0; l < widths_.size(); ++l) {
    before_[l].resize(nodes_.size() * widths_[l]);
    const NodeInput<double> input = l == 0 ? NodeInput<double>{.known = &known_, .sources = field_.sources().data()}
                                           : NodeInput<double>{.rows = in.data(), .width = widths_[l - 1]};
    network_.layers[l]->forward(LayerPass<double>{.field = field_,
                                                  .rows_in = nodes_.size(),
                                                  .rows_out = nodes_.size(),
                                                  .in = input,
                                                  .parameters = parameters_.data() + offsets_[l],
                                                  .out = before_[l].data(),
                                                  .kept = kept});
    if (l + 1 == widths_.size()) break;
    in = before_[l];
    for (double& x : in) x = activated(network_.activation, x);
  }
}

bool ScaledAnswers::has(NodeIndex node) const {
  return places_of_nodes_[node] < nodes_.size() && nodes_[places_of_nodes_[node]] == node;
}

void ScaledAnswers::logits(const EditedGraph& graph, std::span<const NodeIndex> targets, std::span<double> out) {
  SOUK_EXPECT(graph.is_only_scaled());
  const std::size_t layers = widths_.size(), classes = widths_.back();
  Change change;
  for (std::size_t l = 0; l < layers; ++l) {
    const LinearForm& form = forms_[l];
    Change products = l == 0 ? of_features(graph, form.weight) : of_rows(change, l);
    for (std::size_t hop = 0; hop < form.hops; ++hop) products = spread(products, form.edges, widths_[l]);
    if (form.own_weight) {
      Change own;
      if (l == 0) {
        own = of_features(graph, *form.own_weight);
      } else {
        multiply(change, widths_[l - 1], parameters_.data() + offsets_[l] + *form.own_weight, widths_[l], own);
      }
      add(products, own, widths_[l]);
    }
    change = std::move(products);
    if (l + 1 < layers) activate(change, l);
  }
  marks_.begin(nodes_.size());
  for (std::size_t i = 0; i < change.nodes.size(); ++i) marks_.put(change.nodes[i], static_cast<std::uint32_t>(i));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    SOUK_EXPECT(has(targets[i]));
    const std::uint32_t target = places_of_nodes_[targets[i]];
    const double* row = before_.back().data() + target * classes;
    const std::uint32_t place = marks_.of(target);
    for (std::size_t c = 0; c < classes; ++c) {
      out[i * classes + c] = place == NodePlaces::absent ? row[c] : row[c] + change.rows[place * classes + c];
    }
  }
}

ScaledAnswers::Change ScaledAnswers::of_features(const EditedGraph& graph, std::size_t weight) {
  const std::size_t width = widths_.front();
  Change change;
  for (const NodeIndex node : graph.scaled()) {
    if (!has(node)) continue;
    change.nodes.push_back(places_of_nodes_[node]);
    const NodeSource source = graph.source(node);
    const double* products = known_.of(parameters_.data() + weight, width, std::span(&source, 1));
    const double more = source.factor - 1.0;
    for (std::size_t c = 0; c < width; ++c) change.rows.push_back(more * products[node * width + c]);
  }
  return change;
}

void ScaledAnswers::multiply(const Change& in, std::size_t inputs, const double* weight, std::size_t outputs,
                             Change& out) {
  out.nodes = in.nodes;
  out.rows.resize(in.nodes.size() * outputs);
  kernels::multiply_dense(in.nodes.size(), inputs, outputs, in.rows.data(), weight, out.rows.data());
}

ScaledAnswers::Change ScaledAnswers::of_rows(const Change& in, std::size_t layer) const {
  Change out;
  multiply(in, widths_[layer - 1], parameters_.data() + offsets_[layer] + forms_[layer].weight, widths_[layer], out);
  return out;
}

double* ScaledAnswers::row_of(Change& change, std::uint32_t node, std::size_t width) {
  std::uint32_t place = marks_.of(node);
  if (place == NodePlaces::absent) {
    place = static_cast<std::uint32_t>(change.nodes.size());
    marks_.put(node, place);
    change.nodes.push_back(node);
    change.rows.resize(change.rows.size() + width, 0.0);
  }
  return change.rows.data() + place * width;
}

ScaledAnswers::Change ScaledAnswers::spread(const Change& in, const EdgeFactors<double>& edges, std::size_t width) {
  Change out;
  const SparseRows& all = field_.edges();
  marks_.begin(nodes_.size());
  for (std::size_t i = 0; i < in.nodes.size(); ++i) {
    const std::uint32_t from = in.nodes[i];
    const double* row = in.rows.data() + i * width;
    const double sent = factor(edges.from, from, 1.0), kept = factor(edges.own, from, 0.0);
    for (std::uint64_t e = all.offsets[from]; e < all.offsets[from + 1]; ++e) {
      const std::uint32_t to = all.columns[e];
      double* sums = row_of(out, to, width);
      const double weight = factor(edges.at, to, 1.0) * sent;
      for (std::size_t c = 0; c < width; ++c) sums[c] += weight * row[c];
    }
    if (kept == 0.0) continue;
    double* sums = row_of(out, from, width);
    for (std::size_t c = 0; c < width; ++c) sums[c] += kept * row[c];
  }
  return out;
}

void ScaledAnswers::add(Change& to, const Change& more, std::size_t width) {
  marks_.begin(nodes_.size());
  for (std::size_t i = 0; i < to.nodes.size(); ++i) marks_.put(to.nodes[i], static_cast<std::uint32_t>(i));
  for (std::size_t i = 0; i < more.nodes.size(); ++i) {
    double* sums = row_of(to, more.nodes[i], width);
    for (std::size_t c = 0; c < width; ++c) sums[c] += more.rows[i * width + c];
  }
}

void ScaledAnswers::activate(Change& change, std::size_t layer) const {
  const std::size_t width = widths_[layer];
  for (std::size_t i = 0; i < change.nodes.size(); ++i) {
    const double* before = before_[layer].data() + change.nodes[i] * width;
    double* row = change.rows.data() + i * width;
    for (std::size_t c = 0; c < width; ++c) {
      row[c] = activated(network_.activation, before[c] + row[c]) - activated(network_.activation, before[c]);
    }
  }
}

}  // namespace souk
