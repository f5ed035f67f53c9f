#include "sim/serve/scaled_answers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/multiversion.hpp"
#include "sim/learn/graphs/graph_kernels.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {
namespace {

// A loop for each activation, without a choice inside: compilers take several values at a time.

double rectified_linear(double x) { return x > 0 ? x : 0.0; }
double exponential_linear(double x) { return x > 0 ? x : std::exp(x) - 1.0; }

SOUK_MULTIVERSION void rectify_all(std::span<const double> in, std::span<double> out) {
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = rectified_linear(in[i]);
}

/// By how much activated values move where others move by `row`, which becomes that.
SOUK_MULTIVERSION void rectify_change(std::size_t width, const double* before, double* row) {
  for (std::size_t c = 0; c < width; ++c) row[c] = rectified_linear(before[c] + row[c]) - rectified_linear(before[c]);
}

SOUK_MULTIVERSION void add_scaled(std::size_t width, double factor, const double* row, double* sums) {
  for (std::size_t c = 0; c < width; ++c) sums[c] += factor * row[c];
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
    in.resize(before_[l].size());
    if (network_.activation == Activation::elu) {
      std::ranges::transform(before_[l], in.begin(), exponential_linear);
    } else {
      rectify_all(before_[l], in);
    }
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
      add_scaled(width, factor(edges.at, to, 1.0) * sent, row, sums);
    }
    if (kept == 0.0) continue;
    add_scaled(width, kept, row, row_of(out, from, width));
  }
  return out;
}

void ScaledAnswers::add(Change& to, const Change& more, std::size_t width) {
  marks_.begin(nodes_.size());
  for (std::size_t i = 0; i < to.nodes.size(); ++i) marks_.put(to.nodes[i], static_cast<std::uint32_t>(i));
  for (std::size_t i = 0; i < more.nodes.size(); ++i) {
    add_scaled(width, 1.0, more.rows.data() + i * width, row_of(to, more.nodes[i], width));
  }
}

void ScaledAnswers::activate(Change& change, std::size_t layer) const {
  const std::size_t width = widths_[layer];
  for (std::size_t i = 0; i < change.nodes.size(); ++i) {
    const double* before = before_[layer].data() + change.nodes[i] * width;
    double* row = change.rows.data() + i * width;
    if (network_.activation != Activation::elu) {
      rectify_change(width, before, row);
      continue;
    }
    for (std::size_t c = 0; c < width; ++c)
      row[c] = exponential_linear(before[c] + row[c]) - exponential_linear(before[c]);
  }
}

}  // namespace souk
