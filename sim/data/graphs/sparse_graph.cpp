#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/graphs/graph_arrays.hpp"
#include "sim/data/recognition.hpp"

namespace souk {
namespace {

// gnn-benchmark writes adj_data, SparseGraph's own writer adj_matrix.data.
std::optional<std::string> prefix_of(const std::vector<std::string>& names, const std::string& matrix) {
  for (const std::string& prefix : {matrix + "_", matrix + "_matrix."}) {
    if (std::ranges::binary_search(names, prefix + "indptr")) return prefix;
  }
  return std::nullopt;
}

void read_edges(const std::string& path, const std::string& prefix, GraphFile& file) {
  const CsrParts matrix = read_csr(path, prefix);
  SOUK_REQUIRE(matrix.rows == matrix.width && matrix.rows < std::numeric_limits<NodeIndex>::max(),
               "{}: {} rows and {} columns, must be one of each for every node", matrix.name, matrix.rows,
               matrix.width);
  check_csr(matrix, matrix.rows);
  file.nodes = matrix.rows;
  std::size_t weighted = 0;
  for (std::size_t v = 0; v < matrix.rows; ++v) {
    for (auto i = static_cast<std::size_t>(matrix.begin[v]); std::cmp_less(i, matrix.begin[v + 1]); ++i) {
      if (matrix.values[i] == 0.0F) continue;
      weighted += matrix.values[i] == 1.0F ? 0 : 1;
      file.edges.emplace_back(static_cast<NodeIndex>(v), static_cast<NodeIndex>(matrix.columns[i]));
    }
  }
  if (weighted > 0) {
    file.warnings.push_back(fmt::format("{}: {} edges have a weight other than 1, which is left out", path, weighted));
  }
}

void read_features(const std::string& path, const std::string& prefix, GraphFile& file) {
  const CsrParts matrix = read_csr(path, prefix);
  SOUK_REQUIRE(matrix.rows == file.nodes, "{}: {} rows for {} nodes", matrix.name, matrix.rows, file.nodes);
  check_csr(matrix);
  file.features.width = matrix.width;
  std::vector<FeatureEntry> entries;
  std::size_t repeated = 0;
  for (std::size_t v = 0; v < matrix.rows; ++v) {
    copy_row(matrix, v, entries);
    repeated += add_node(file.features, entries);
  }
  SOUK_REQUIRE(repeated == 0, "{}: {} entries are there twice", matrix.name, repeated);
  drop_ones(file.features);
}

// Names of nodes, classes and attributes, which may be pickled, are never opened.
GraphFile read_sparse_graph(const scenario::SparseGraph& config, const ReaderContext&) {
  GraphFile file;
  file.path = data_path("task.data.sparse_graph.path", config.path());
  const std::vector<std::string> names = list_npy(file.path);
  const auto edges = prefix_of(names, "adj"), features = prefix_of(names, "attr");
  SOUK_REQUIRE(edges.has_value(), "{}: has neither adj_indptr nor adj_matrix.indptr: it is no SparseGraph; it has: {}",
               file.path, fmt::format("{}", fmt::join(names, ", ")));
  read_edges(file.path, *edges, file);
  if (features) {
    read_features(file.path, *features, file);
  } else if (std::ranges::binary_search(names, "attr_matrix")) {
    file.features = read_dense_features(file.path, "attr_matrix", file.nodes);
  } else {
    file.features.offsets.assign(file.nodes + 1, 0);
  }
  const IntegerArray labels = read_integers(file.path, "labels", 1);
  SOUK_REQUIRE(labels.values.size() == file.nodes, "{}: {} labels for {} nodes", labels.name, labels.values.size(),
               file.nodes);
  take_labels(file, labels.values);
  return file;
}

std::optional<Recognised> recognise_sparse_graph(const std::string& path, const RecognitionHints&) {
  if (!path.ends_with(".npz")) return std::nullopt;
  const std::vector<std::string> names = list_npy(path);
  if (!prefix_of(names, "adj")) return std::nullopt;
  Recognised found = recognised_as("SparseGraph archive");
  scenario::SparseGraph& graph = *found.data->mutable_sparse_graph();
  graph.set_path(path);
  graph.mutable_graph()->mutable_random();
  const bool bare = !prefix_of(names, "attr") && !std::ranges::binary_search(names, "attr_matrix");
  if (bare) graph.mutable_graph()->set_features(scenario::GraphNodes::DEGREE);
  found.remarks.push_back("the archive names no split: graph { random {} } draws one, graph { per_class {} } another");
  return found;
}

const RegisterRecogniser sparse_graph_recogniser(55, recognise_sparse_graph);

const RegisterGraph<scenario::SparseGraph, read_sparse_graph> register_sparse_graph;

}  // namespace
}  // namespace souk
