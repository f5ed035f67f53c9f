#include "sim/learn/graphs/receptive_field.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

constexpr std::uint32_t absent = std::numeric_limits<std::uint32_t>::max();  ///< too far away
constexpr std::uint32_t barred = absent - 1;                                 ///< not to be seen

std::uint32_t degree_of(const Graph& graph, std::size_t node) {
  return static_cast<std::uint32_t>(graph.edges.offsets[node + 1] - graph.edges.offsets[node]);
}

std::span<const std::uint32_t> columns_of(const SparseRows& rows, std::size_t row) {
  return rows.columns.subspan(rows.offsets[row], rows.offsets[row + 1] - rows.offsets[row]);
}

/// `count` of them, drawn without repeats, in the order of the draws; all, as they are, where there are no more.
void draw_first(std::vector<std::uint32_t>& values, std::size_t count, Stream& draws) {
  if (values.size() <= count) return;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t other = i + draws.below(static_cast<std::uint32_t>(values.size() - i));
    std::swap(values[i], values[other]);
  }
  values.resize(count);
}

}  // namespace

ReceptiveField::ReceptiveField(const Graph& graph, const FeatureScaling& scaling)
    : reach_{graph.nodes()}, edges_(graph.edges), features_(graph.features), scaling_(scaling) {
  degrees_.resize(graph.nodes());
  for (std::size_t v = 0; v < graph.nodes(); ++v) degrees_[v] = degree_of(graph, v);
}

ReceptiveField::ReceptiveField(const Graph& graph, const FeatureScaling& scaling, std::span<const NodeIndex> targets,
                               std::size_t hops, std::span<const NodeIndex> within) {
  find_nodes(graph, targets, hops, within);
  degrees_.reserve(nodes_.size());
  for (const NodeIndex node : nodes_) degrees_.push_back(count_neighbours(graph, node, !within.empty()));
  take_edges(graph);
  take_features(graph, scaling);
}

ReceptiveField::ReceptiveField(const Graph& graph, const FeatureScaling& scaling, std::span<const NodeIndex> targets,
                               std::span<const std::uint32_t> counts, Stream& draws,
                               std::span<const NodeIndex> within) {
  find_nodes(graph, targets, 0, within);
  std::vector<std::pair<NodeIndex, NodeIndex>> drawn;  // both directions
  std::vector<std::uint32_t> neighbours;
  for (std::size_t hop = 0, begin = 0; hop < counts.size(); ++hop) {
    const std::size_t end = nodes_.size();
    for (; begin < end; ++begin) {
      neighbours.clear();
      for (const std::uint32_t neighbour : columns_of(graph.edges, nodes_[begin])) {
        if (places_[neighbour] != barred) neighbours.push_back(neighbour);
      }
      draw_first(neighbours, counts[hop], draws);
      for (const std::uint32_t neighbour : neighbours) {
        drawn.emplace_back(nodes_[begin], neighbour);
        drawn.emplace_back(neighbour, nodes_[begin]);
        if (places_[neighbour] != absent) continue;
        places_[neighbour] = 0;
        nodes_.push_back(neighbour);
      }
    }
    std::sort(nodes_.begin() + static_cast<std::ptrdiff_t>(end), nodes_.end());
    reach_.push_back(nodes_.size());
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) places_[nodes_[i]] = static_cast<std::uint32_t>(i);
  std::ranges::sort(drawn);
  drawn.erase(std::ranges::unique(drawn).begin(), drawn.end());
  take_edges(drawn);
  take_features(graph, scaling);
}

void ReceptiveField::take_edges(const std::vector<std::pair<NodeIndex, NodeIndex>>& drawn) {
  edge_offsets_.assign(1, 0);
  for (const NodeIndex node : nodes_) {
    auto edge = std::ranges::lower_bound(drawn, std::pair(node, NodeIndex{0}));
    for (; edge != drawn.end() && edge->first == node; ++edge) neighbours_.push_back(places_[edge->second]);
    degrees_.push_back(static_cast<std::uint32_t>(neighbours_.size() - edge_offsets_.back()));
    edge_offsets_.push_back(neighbours_.size());
  }
  edges_ = {.offsets = edge_offsets_, .columns = neighbours_, .values = {}, .width = nodes_.size()};
}

std::uint32_t ReceptiveField::count_neighbours(const Graph& graph, NodeIndex node, bool restricted) const {
  if (!restricted) return degree_of(graph, node);
  return static_cast<std::uint32_t>(std::ranges::count_if(
      columns_of(graph.edges, node), [this](std::uint32_t neighbour) { return places_[neighbour] != barred; }));
}

void ReceptiveField::find_nodes(const Graph& graph, std::span<const NodeIndex> targets, std::size_t hops,
                                std::span<const NodeIndex> within) {
  places_.assign(graph.nodes(), within.empty() ? absent : barred);
  for (const NodeIndex node : within) places_[node] = absent;
  const auto enter = [this](NodeIndex node) {
    if (places_[node] != absent) return false;
    places_[node] = 0;
    nodes_.push_back(node);
    return true;
  };
  for (const NodeIndex node : targets) SOUK_EXPECT(enter(node));
  reach_.push_back(nodes_.size());
  for (std::size_t hop = 1, begin = 0; hop <= hops; ++hop) {
    const std::size_t end = nodes_.size();
    for (; begin < end; ++begin) {
      for (const std::uint32_t neighbour : columns_of(graph.edges, nodes_[begin])) enter(neighbour);
    }
    std::sort(nodes_.begin() + static_cast<std::ptrdiff_t>(end), nodes_.end());
    reach_.push_back(nodes_.size());
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) places_[nodes_[i]] = static_cast<std::uint32_t>(i);
}

void ReceptiveField::take_edges(const Graph& graph) {
  edge_offsets_.assign(1, 0);
  for (const NodeIndex node : nodes_) {
    for (const std::uint32_t neighbour : columns_of(graph.edges, node)) {
      if (places_[neighbour] < barred) neighbours_.push_back(places_[neighbour]);
    }
    edge_offsets_.push_back(neighbours_.size());
  }
  edges_ = {.offsets = edge_offsets_, .columns = neighbours_, .values = {}, .width = nodes_.size()};
}

void ReceptiveField::take_features(const Graph& graph, const FeatureScaling& scaling) {
  const SparseRows& all = graph.features;
  feature_offsets_.assign(1, 0);
  for (const NodeIndex node : nodes_) {
    const auto columns = columns_of(all, node);
    feature_columns_.insert(feature_columns_.end(), columns.begin(), columns.end());
    if (!all.values.empty()) {
      const auto values = all.values.subspan(all.offsets[node], columns.size());
      feature_values_.insert(feature_values_.end(), values.begin(), values.end());
    }
    if (!scaling.row_factors.empty()) row_factors_.push_back(scaling.row_factors[node]);
    feature_offsets_.push_back(feature_columns_.size());
  }
  features_ = {.offsets = feature_offsets_, .columns = feature_columns_, .values = feature_values_, .width = all.width};
  scaling_ = {.shift = scaling.shift, .scale = scaling.scale, .row_factors = row_factors_};
}

ReceptiveField::ReceptiveField(const EditedGraph& graph, std::span<const NodeIndex> targets, std::size_t hops,
                               NodePlaces& places) {
  places.begin(graph.nodes());
  const auto enter = [&](NodeIndex node) {
    if (places.of(node) != NodePlaces::absent) return false;
    places.put(node, 0);
    nodes_.push_back(node);
    return true;
  };
  for (const NodeIndex node : targets) SOUK_EXPECT(enter(node));
  reach_.push_back(nodes_.size());
  for (std::size_t hop = 1, begin = 0; hop <= hops; ++hop) {
    const std::size_t end = nodes_.size();
    for (; begin < end; ++begin) {
      for (const NodeIndex neighbour : graph.neighbours(nodes_[begin])) enter(neighbour);
    }
    std::sort(nodes_.begin() + static_cast<std::ptrdiff_t>(end), nodes_.end());
    reach_.push_back(nodes_.size());
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) places.put(nodes_[i], static_cast<std::uint32_t>(i));
  // Nodes at the rim are read and not computed: nobody asks for their edges.
  const std::size_t computed = hops == 0 ? nodes_.size() : reach_[hops - 1];
  edge_offsets_.assign(1, 0);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::span<const NodeIndex> neighbours = graph.neighbours(nodes_[i]);
    degrees_.push_back(static_cast<std::uint32_t>(neighbours.size()));
    sources_.push_back(graph.source(nodes_[i]));
    if (i < computed) {
      for (const NodeIndex neighbour : neighbours) {
        if (const std::uint32_t place = places.of(neighbour); place != NodePlaces::absent) {
          neighbours_.push_back(place);
        }
      }
    }
    edge_offsets_.push_back(neighbours_.size());
  }
  edges_ = {.offsets = edge_offsets_, .columns = neighbours_, .values = {}, .width = nodes_.size()};
}

void NodePlaces::begin(std::size_t nodes) {
  if (marks_.size() < nodes) {
    marks_.resize(nodes, 0);
    places_.resize(nodes);
  }
  if (++mark_ != 0) return;
  std::ranges::fill(marks_, 0);
  mark_ = 1;
}

std::vector<float> factors_of_rows(const SparseRows& features) {
  std::vector<float> factors(features.rows(), 1.0F);
  for (std::size_t v = 0; v < features.rows(); ++v) {
    double sum = 0.0;
    for (std::uint64_t e = features.offsets[v]; e < features.offsets[v + 1]; ++e) {
      sum += features.values.empty() ? 1.0 : std::abs(static_cast<double>(features.values[e]));
    }
    if (sum > 0.0) factors[v] = static_cast<float>(1.0 / sum);
  }
  return factors;
}

double ReceptiveField::bytes() const {
  return static_cast<double>(8 * (edge_offsets_.size() + feature_offsets_.size()) +
                             4 * (degrees_.size() + nodes_.size() + places_.size() + neighbours_.size() +
                                  feature_columns_.size() + feature_values_.size() + row_factors_.size()));
}

}  // namespace souk
