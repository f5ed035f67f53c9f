#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/data/dataset.hpp"
#include "sim/data/dataset_reader.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk {

/// The scaling that `data` chooses for the features of a graph: of columns, or of rows; nothing is filled in. Throws
/// InputError where it is one of images.
Scaling fit_graph_scaling(const scenario::Data& data, const Graph& graph);

/// A data set of nodes in memory of its own, for who shares it with nobody.
class OwnGraph {
 public:
  /// Throws InputError, also where the samples of the data set are no nodes.
  OwnGraph(const scenario::Data& data, std::uint64_t seed);
  const Graph& graph() const { return graph_; }
  const Dataset& train() const { return train_; }
  const Dataset& test() const { return test_; }
  double bytes() const;

 private:
  Dataset read(Split split, const Scaling& scaling);

  std::unique_ptr<DatasetReader> reader_;  ///< has the graph
  Graph graph_;
  std::array<std::vector<std::int32_t>, 2> labels_;  ///< [splits]
  Dataset train_, test_;
};

}  // namespace souk
