#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scenarios/scenario.pb.h"
#include "scenarios/service.pb.h"
#include "sim/data/graphs/edited_graph.hpp"
#include "sim/serve/served_network.hpp"
#include "sim/serve/session.hpp"
#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::fixtures {

inline constexpr std::size_t served_classes = 3;

/// A small graph, and an untrained network that answers about its nodes.
struct SmallService {
  explicit SmallService(const std::string& model, std::size_t nodes = 40, bool in_double = true, Scaling scaling = {})
      : small(nodes, 9, true), task(parse<scenario::Task>("model { " + model + " }")) {
    labels.assign(nodes, 0);
    for (std::size_t v = 0; v < nodes; ++v) labels[v] = static_cast<std::int32_t>(v % served_classes);
    for (NodeIndex v = 0; v < nodes; ++v) all_nodes.push_back(v);
    small.graph.train_nodes = small.graph.test_nodes = all_nodes;
    small.graph.labels = labels;
    const DatasetShape shape{
        .samples = nodes, .sample_shape = {9, 1, 1}, .class_names = {"a", "b", "c"}, .graph = true};
    data = Dataset(shape, {.u8 = {}, .f32 = {}, .labels = labels, .groups = {}}, std::move(scaling));
    network = make_served_network(task, data, small.graph, in_double);
    GraphNetwork same = graph_network(model, 9, served_classes);
    parameters = normal_values(same.layout().dimension(), 3);
    network->take(parameters);
  }
  std::vector<double> logits(const EditedGraph& graph, const std::vector<NodeIndex>& targets) const {
    std::vector<double> out(targets.size() * served_classes);
    network->logits(graph, targets, out);
    return out;
  }

  SmallGraph small;
  scenario::Task task;
  std::vector<std::int32_t> labels;
  std::vector<NodeIndex> all_nodes;
  Dataset data;
  std::unique_ptr<ServedNetwork> network;
  std::vector<float> parameters;
};

/// An edited graph written out as a graph of its own, features multiplied by their factors.
struct WrittenOut {
  explicit WrittenOut(const EditedGraph& edited) {
    const Graph& first = edited.first();
    for (NodeIndex v = 0; v < edited.nodes(); ++v) {
      const auto row = edited.neighbours(v);
      neighbours.insert(neighbours.end(), row.begin(), row.end());
      edge_offsets.push_back(neighbours.size());
      const NodeSource source = edited.source(v);
      for (std::uint64_t e = first.features.offsets[source.row]; e < first.features.offsets[source.row + 1]; ++e) {
        columns.push_back(first.features.columns[e]);
        values.push_back(static_cast<float>(source.factor) * first.features.values[e]);
      }
      feature_offsets.push_back(columns.size());
    }
    graph = {
        .edges = {.offsets = edge_offsets, .columns = neighbours, .values = {}, .width = edited.nodes()},
        .features = {.offsets = feature_offsets, .columns = columns, .values = values, .width = first.features.width},
        .train_nodes = {},
        .test_nodes = {},
        .labels = {}};
  }
  WrittenOut(const WrittenOut&) = delete;
  WrittenOut& operator=(const WrittenOut&) = delete;

  std::vector<std::uint64_t> edge_offsets{0}, feature_offsets{0};
  std::vector<std::uint32_t> neighbours, columns;
  std::vector<float> values;
  Graph graph;
};

/// Rights of whoever may do anything.
inline constexpr Rights all_rights{Right::read_own,       Right::read_any,   Right::write_own,     Right::write_any,
                                   Right::register_nodes, Right::connect,    Right::know_features, Right::know_edges,
                                   Right::know_model,     Right::know_design};

}  // namespace souk::fixtures
