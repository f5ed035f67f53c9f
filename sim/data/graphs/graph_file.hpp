#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/data/dataset_format.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk::scenario {
class GraphNodes;
}

namespace souk {

/// What a node is for.
enum class NodePart : std::uint8_t { none, train, validation, test };

/// The features of nodes as a file gives them, node after node.
struct NodeFeatures {
  std::vector<std::uint64_t> offsets{0};  ///< [nodes + 1]
  std::vector<std::uint32_t> columns;     ///< [entries] ascending and different within a node
  std::vector<float> values;              ///< [entries] finite; empty: all are 1
  std::size_t width = 0;                  ///< 0: the files have no features
};

/// A graph as its files have it, checked to be within its own bounds and otherwise as it is: directed or not, with
/// loops and repeated edges.
struct GraphFile {
  std::string path;  ///< for messages
  std::size_t nodes = 0;
  std::vector<Edge> edges;
  NodeFeatures features;
  std::vector<std::int32_t> labels;           ///< [nodes] classes; -1: none is known
  std::vector<std::string> class_names;       ///< at least two
  std::vector<std::vector<NodePart>> splits;  ///< each [nodes]; none: the files name no split
  std::vector<std::uint32_t> groups;          ///< [nodes] natural groups from 0; empty: the files name none
  std::vector<double> first_seen;       ///< [nodes] time of a node's first edge, finite; empty: edges have no times
  std::vector<std::size_t> graph_ends;  ///< the first node behind each of several graphs that no edge joins; empty: one
  std::vector<std::string> warnings;
};

/// A graph ready to be learned from: undirected, split, with the features that were asked for.
struct StoredGraph {
  std::vector<std::uint64_t> edge_offsets;  ///< [nodes + 1]
  std::vector<NodeIndex> neighbours;        ///< [2 edges]
  /// The edges before noise was put on them, likewise; empty: there is no noise.
  std::vector<std::uint64_t> true_edge_offsets;
  std::vector<NodeIndex> true_neighbours;
  NodeFeatures features;
  std::vector<NodeIndex> train_nodes, test_nodes, validation_nodes;
  bool own_nodes = false;            ///< as Graph has it
  std::vector<std::int32_t> labels;  ///< [nodes] classes, of nodes in no split, too; -1: none is known

  GraphShape shape() const;
};

/// The reader of a graph's units. Takes the split and the features that `nodes` chooses. Throws InputError where the
/// files do not have them, and where a split is without nodes.
std::unique_ptr<DatasetReader> make_graph_reader(GraphFile file, const scenario::GraphNodes& nodes,
                                                 const ReaderContext& context);

/// The format of graphs that one function reads from its message.
template <class Config, GraphFile (*read)(const Config& config, const ReaderContext& context)>
class GraphFormat final : public DatasetFormat {
 public:
  explicit GraphFormat(const Config& config) : config_(config) {}
  std::unique_ptr<DatasetReader> open(const ReaderContext& context) const override {
    return make_graph_reader(read(config_, context), config_.graph(), context);
  }

 private:
  Config config_;
};

/// `const RegisterGraph<scenario::Planetoid, read_planetoid> register_planetoid;` at the end of planetoid.cpp.
template <class Config, GraphFile (*read)(const Config& config, const ReaderContext& context)>
using RegisterGraph = Register<DatasetFormat, GraphFormat<Config, read>, Config>;

}  // namespace souk
