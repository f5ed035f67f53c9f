#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "scenarios/graphs.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/graphs/edge_privacy.hpp"
#include "sim/data/graphs/graph_file.hpp"

namespace souk {

GraphShape StoredGraph::shape() const {
  return {.nodes = edge_offsets.size() - 1,
          .edge_entries = neighbours.size(),
          .noisy_edges = !true_edge_offsets.empty(),
          .true_edge_entries = true_neighbours.size(),
          .feature_entries = features.columns.size(),
          .features = features.width,
          .validation_nodes = validation_nodes.size(),
          .weighted_features = !features.values.empty(),
          .own_nodes = own_nodes};
}

namespace {

/// Both directions of every edge, each once and in order, by counting sort: O(nodes + edges log degree).
void store_edges(GraphFile& file, StoredGraph& graph) {
  std::size_t loops = 0;
  std::vector<std::uint64_t> begin(file.nodes + 2);
  for (const auto& [a, b] : file.edges) {
    SOUK_EXPECT(a < file.nodes && b < file.nodes);
    if (a == b) {
      ++loops;
      continue;
    }
    ++begin[a + 2];
    ++begin[b + 2];
  }
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<NodeIndex> ends(begin.back());
  for (const auto& [a, b] : file.edges) {
    if (a == b) continue;
    ends[begin[a + 1]++] = b;
    ends[begin[b + 1]++] = a;
  }
  const std::size_t drawn = file.edges.size() - loops;
  file.edges = {};
  graph.edge_offsets.assign(1, 0);
  std::size_t kept = 0;
  for (std::size_t v = 0; v < file.nodes; ++v) {
    const auto first = ends.begin() + static_cast<std::ptrdiff_t>(begin[v]);
    const auto last = ends.begin() + static_cast<std::ptrdiff_t>(begin[v + 1]);
    std::sort(first, last);
    const auto unique_end = std::unique(first, last);
    kept = static_cast<std::size_t>(std::copy(first, unique_end, ends.begin() + static_cast<std::ptrdiff_t>(kept)) -
                                    ends.begin());
    graph.edge_offsets.push_back(kept);
  }
  ends.resize(kept);
  ends.shrink_to_fit();
  graph.neighbours = std::move(ends);
  if (loops > 0) {
    file.warnings.push_back(fmt::format("{}: {} edges from a node to itself are left out", file.path, loops));
  }
  if (const std::size_t repeated = drawn - kept / 2; repeated > 0) {
    file.warnings.push_back(fmt::format(
        "{}: {} of {} edges repeat another, or are its other direction, and are left out", file.path, repeated, drawn));
  }
}

NodeFeatures degrees(const StoredGraph& graph, std::uint32_t largest) {
  NodeFeatures features;
  features.width = largest + 2;
  for (std::size_t v = 0; v + 1 < graph.edge_offsets.size(); ++v) {
    const std::uint64_t degree = graph.edge_offsets[v + 1] - graph.edge_offsets[v];
    features.columns.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(degree, largest + 1)));
    features.offsets.push_back(v + 1);
  }
  return features;
}

NodeFeatures identities(std::size_t nodes) {
  NodeFeatures features;
  features.width = nodes;
  features.columns.resize(nodes);
  std::iota(features.columns.begin(), features.columns.end(), 0U);
  features.offsets.resize(nodes + 1);
  std::iota(features.offsets.begin(), features.offsets.end(), 0U);
  return features;
}

/// Ascending.
std::vector<NodeIndex> nodes_with_class(const GraphFile& file) {
  std::vector<NodeIndex> nodes;
  for (std::size_t v = 0; v < file.nodes; ++v) {
    if (file.labels[v] >= 0) nodes.push_back(static_cast<NodeIndex>(v));
  }
  return nodes;
}

/// The nodes with a class, in an order drawn by the seed.
std::vector<NodeIndex> shuffled_nodes(const GraphFile& file, std::uint64_t seed) {
  std::vector<NodeIndex> order = nodes_with_class(file);
  Stream(seed, streams::node_split()).shuffle(order);
  return order;
}

/// Parts of the nodes in an order: the first share is for training, the next for validation, the rest for testing.
/// Refused where nothing is left for it; `field`: of the split, for the message.
std::vector<NodePart> deal_shares(std::span<const NodeIndex> order, std::size_t nodes, double train, double validation,
                                  const char* field) {
  SOUK_REQUIRE(train + validation < 1.0, "task.data: {}: train = {} and validation = {} leave nothing for testing",
               field, train, validation);
  const auto share = [&order](double part) {
    return static_cast<std::size_t>(std::floor(part * static_cast<double>(order.size())));
  };
  const std::size_t trained = share(train), validated = share(validation);
  std::vector<NodePart> parts(nodes, NodePart::none);
  for (std::size_t i = 0; i < order.size(); ++i) {
    parts[order[i]] = i < trained ? NodePart::train : i < trained + validated ? NodePart::validation : NodePart::test;
  }
  return parts;
}

std::vector<NodePart> random_split(const GraphFile& file, const scenario::RandomSplit& split, std::uint64_t seed) {
  return deal_shares(shuffled_nodes(file, split.seed() > 0 ? split.seed() : seed), file.nodes, split.train(),
                     split.validation(), "graph.split.random");
}

/// The nodes with a class, by the time of their first edge.
std::vector<NodePart> temporal_split(const GraphFile& file, const scenario::TemporalSplit& split) {
  SOUK_REQUIRE(!file.first_seen.empty(),
               "{}: graph.split.temporal: its edges have no times: choose another split, such as graph {{ random {{}} "
               "}}",
               file.path);
  SOUK_EXPECT(file.first_seen.size() == file.nodes);
  std::vector<NodeIndex> order = nodes_with_class(file);
  std::ranges::stable_sort(order, {}, [&file](NodeIndex v) { return file.first_seen[v]; });
  return deal_shares(order, file.nodes, split.train(), split.validation(), "graph.split.temporal");
}

std::vector<NodePart> per_class_split(const GraphFile& file, const scenario::PerClassSplit& split, std::uint64_t seed) {
  std::vector<std::size_t> wanted(file.class_names.size(), split.train());
  std::size_t validated = split.validation(), tested = split.test();
  std::vector<NodePart> parts(file.nodes, NodePart::none);
  std::vector<NodeIndex> rest;
  for (const NodeIndex v : shuffled_nodes(file, split.seed() > 0 ? split.seed() : seed)) {
    std::size_t& missing = wanted[static_cast<std::size_t>(file.labels[v])];
    if (missing > 0) {
      parts[v] = NodePart::train;
      --missing;
    } else {
      rest.push_back(v);
    }
  }
  for (std::size_t c = 0; c < wanted.size(); ++c) {
    SOUK_REQUIRE(wanted[c] == 0, "{}: class \"{}\" has {} nodes, and graph.split.per_class.train wants {}", file.path,
                 file.class_names[c], split.train() - wanted[c], split.train());
  }
  SOUK_REQUIRE(
      rest.size() >= validated + tested,
      "{}: {} nodes are left beside those for training, and graph.split.per_class wants {} for validation and {} "
      "for testing",
      file.path, rest.size(), validated, tested);
  for (std::size_t i = 0; i < validated + tested; ++i) {
    parts[rest[i]] = i < validated ? NodePart::validation : NodePart::test;
  }
  return parts;
}

std::vector<NodePart> published_split(const GraphFile& file, const scenario::PublishedSplit& split) {
  SOUK_REQUIRE(!file.splits.empty(),
               "{}: the files say nothing of which nodes are for training: choose graph.split, such as graph {{ random "
               "{{}} }}",
               file.path);
  SOUK_REQUIRE(split.number() < file.splits.size(),
               "{}: there are {} splits, numbered from 0: graph.published.number = {} is none of them", file.path,
               file.splits.size(), split.number());
  return file.splits[split.number()];
}

std::vector<NodePart> split_of(const GraphFile& file, const scenario::GraphNodes& nodes, std::uint64_t seed) {
  switch (nodes.split_case()) {
    case scenario::GraphNodes::kRandom:
      return random_split(file, nodes.random(), seed);
    case scenario::GraphNodes::kPerClass:
      return per_class_split(file, nodes.per_class(), seed);
    case scenario::GraphNodes::kTemporal:
      return temporal_split(file, nodes.temporal());
    case scenario::GraphNodes::kPublished:
    case scenario::GraphNodes::SPLIT_NOT_SET:
      break;
  }
  return published_split(file, nodes.published());
}

class GraphReader final : public DatasetReader {
 public:
  GraphReader(GraphFile file, const scenario::GraphNodes& nodes, const ReaderContext& context)
      : file_(std::move(file)) {
    SOUK_EXPECT(file_.labels.size() == file_.nodes && file_.features.offsets.size() == file_.nodes + 1);
    const std::vector<NodePart> parts = split_of(file_, nodes, context.seed);
    take_units(parts);
    cut(graph_.train_nodes, context.train_limit);
    cut(graph_.test_nodes, context.test_limit);
    store_edges(file_, graph_);
    if (const auto privacy = make_edge_privacy(nodes)) perturb_edges(*privacy, file_.graph_ends, context.seed, graph_);
    take_features(nodes);
    graph_.own_nodes = nodes.sight() == scenario::GraphNodes::OWN_NODES;
    graph_.labels = std::move(file_.labels);
  }

  DatasetShape shape(Split split) override {
    DatasetShape shape;
    shape.samples = units(split).size();
    shape.sample_shape = {graph_.features.width, 1, 1};
    shape.class_names = file_.class_names;
    shape.graph = true;
    if (!file_.groups.empty()) shape.groups = 1U + *std::ranges::max_element(file_.groups);
    return shape;
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      const NodeIndex node = units(split)[row];
      out.labels[row - rows.begin] = graph_.labels[node];
      if (!out.groups.empty()) out.groups[row - rows.begin] = file_.groups[node];
    }
  }

  const StoredGraph* graph() const override { return &graph_; }
  std::vector<std::string> warnings() const override { return file_.warnings; }

 private:
  const std::vector<NodeIndex>& units(Split split) const {
    return split == Split::train ? graph_.train_nodes : graph_.test_nodes;
  }

  void take_units(const std::vector<NodePart>& parts) {
    for (std::size_t v = 0; v < file_.nodes; ++v) {
      if (parts[v] == NodePart::none) continue;
      SOUK_REQUIRE(file_.labels[v] >= 0, "{}: node {} is in the split and has no class", file_.path, v);
      std::vector<NodeIndex>& of_part = parts[v] == NodePart::train  ? graph_.train_nodes
                                        : parts[v] == NodePart::test ? graph_.test_nodes
                                                                     : graph_.validation_nodes;
      of_part.push_back(static_cast<NodeIndex>(v));
    }
  }

  static void cut(std::vector<NodeIndex>& nodes, std::size_t limit) {
    if (limit > 0 && nodes.size() > limit) nodes.resize(limit);
  }

  void take_features(const scenario::GraphNodes& nodes) {
    switch (nodes.features()) {
      case scenario::GraphNodes::OWN:
        SOUK_REQUIRE(file_.features.width > 0,
                     "{}: its nodes have no features: choose graph.features = DEGREE or IDENTITY", file_.path);
        graph_.features = std::move(file_.features);
        return;
      case scenario::GraphNodes::DEGREE:
        graph_.features = degrees(graph_, nodes.degree_max());
        return;
      case scenario::GraphNodes::IDENTITY:
        graph_.features = identities(file_.nodes);
        return;
    }
  }

  GraphFile file_;
  StoredGraph graph_;
};

}  // namespace

std::unique_ptr<DatasetReader> make_graph_reader(GraphFile file, const scenario::GraphNodes& nodes,
                                                 const ReaderContext& context) {
  return std::make_unique<GraphReader>(std::move(file), nodes, context);
}

}  // namespace souk
