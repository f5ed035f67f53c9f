#include "sim/data/graphs/own_graph.hpp"

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/graphs/graph_file.hpp"

namespace souk {
namespace {

SparseRows edges_of_rows(const std::vector<std::uint64_t>& offsets, const std::vector<NodeIndex>& neighbours) {
  if (offsets.empty()) return {};
  return {.offsets = offsets, .columns = neighbours, .values = {}, .width = offsets.size() - 1};
}

Graph view_of(const StoredGraph& stored) {
  const NodeFeatures& features = stored.features;
  return {.edges = edges_of_rows(stored.edge_offsets, stored.neighbours),
          .true_edges = edges_of_rows(stored.true_edge_offsets, stored.true_neighbours),
          .features = {.offsets = features.offsets,
                       .columns = features.columns,
                       .values = features.values,
                       .width = features.width},
          .train_nodes = stored.train_nodes,
          .test_nodes = stored.test_nodes,
          .validation_nodes = stored.validation_nodes,
          .labels = stored.labels,
          .own_nodes = stored.own_nodes};
}

}  // namespace

Scaling fit_graph_scaling(const scenario::Data& data, const Graph& graph) {
  switch (data.scaling()) {
    case scenario::Data::RAW:
      return {};
    case scenario::Data::ROWS:
      return {.shift = {}, .scale = {}, .rows = true};
    case scenario::Data::UNIT:
      throw_input_error(
          "task.data.scaling = UNIT: divides the bytes of images, and the samples of the data set are nodes of a "
          "graph: take STANDARD, ROWS or RAW");
    case scenario::Data::STANDARD:
      break;
  }
  return fit_standard_scaling(graph);
}

OwnGraph::OwnGraph(const scenario::Data& data, std::uint64_t seed) : reader_(open_dataset(data, {.seed = seed})) {
  SOUK_REQUIRE(reader_->graph() != nullptr, "task.data: its samples are no nodes of a graph");
  graph_ = view_of(*reader_->graph());
  const Scaling scaling = fit_graph_scaling(data, graph_);
  train_ = read(Split::train, scaling);
  test_ = read(Split::test, scaling);
}

Dataset OwnGraph::read(Split split, const Scaling& scaling) {
  DatasetShape shape = reader_->shape(split);
  shape.groups = 0;  // nobody deals the nodes out
  std::vector<std::int32_t>& labels = labels_[split == Split::train ? 0 : 1];
  labels.resize(shape.samples);
  const DatasetBuffers buffers{.u8 = {}, .f32 = {}, .labels = labels, .groups = {}};
  reader_->read(split, {0, shape.samples}, buffers);
  return {shape, buffers, scaling};
}

double OwnGraph::bytes() const {
  const double entries = static_cast<double>(graph_.edges.entries() + graph_.true_edges.entries() +
                                             graph_.features.entries() + graph_.features.values.size());
  return 4.0 * entries + 32.0 * static_cast<double>(graph_.nodes());
}

}  // namespace souk
