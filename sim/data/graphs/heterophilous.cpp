#include <algorithm>
#include <array>
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

struct Mask {
  const char* name;
  NodePart part;
};
constexpr std::array<Mask, 3> masks{
    {{"train_masks", NodePart::train}, {"val_masks", NodePart::validation}, {"test_masks", NodePart::test}}};
constexpr std::size_t splits_max = 1000;

void read_edges(GraphFile& file) {
  const IntegerArray edges = read_integers(file.path, "edges", 2);
  SOUK_REQUIRE(edges.shape[1] == 2, "{}: {} columns, must be two", edges.name, edges.shape[1]);
  file.edges.reserve(edges.shape[0]);
  for (std::size_t i = 0; i < edges.shape[0]; ++i) {
    const std::int64_t a = edges.at(i, 0), b = edges.at(i, 1);
    SOUK_REQUIRE(a >= 0 && std::cmp_less(a, file.nodes) && b >= 0 && std::cmp_less(b, file.nodes),
                 "{}: edge {} joins {} and {}, there are {} nodes", edges.name, i, a, b, file.nodes);
    file.edges.emplace_back(static_cast<NodeIndex>(a), static_cast<NodeIndex>(b));
  }
}

// The originals store masks in Fortran order: numpy.stack of columns.
void read_mask(const Mask& mask, GraphFile& file) {
  const IntegerArray array = read_integers(file.path, mask.name, 2);
  SOUK_REQUIRE(array.shape[1] == file.nodes && array.shape[0] <= splits_max,
               "{}: {} x {} values, must be a row of {} nodes for each split, at most {}", array.name, array.shape[0],
               array.shape[1], file.nodes, splits_max);
  if (file.splits.empty()) file.splits.assign(array.shape[0], std::vector<NodePart>(file.nodes, NodePart::none));
  SOUK_REQUIRE(file.splits.size() == array.shape[0], "{}: {} splits, train_masks has {}", array.name, array.shape[0],
               file.splits.size());
  for (std::size_t split = 0; split < file.splits.size(); ++split) {
    for (std::size_t v = 0; v < file.nodes; ++v) {
      if (array.at(split, v) == 0) continue;
      SOUK_REQUIRE(file.splits[split][v] == NodePart::none, "{}: split {}: node {} is in another part, too", array.name,
                   split, v);
      file.splits[split][v] = mask.part;
    }
  }
}

GraphFile read_heterophilous(const scenario::Heterophilous& config, const ReaderContext&) {
  GraphFile file;
  file.path = data_path("task.data.heterophilous.path", config.path());
  const IntegerArray labels = read_integers(file.path, "node_labels", 1);
  file.nodes = labels.values.size();
  SOUK_REQUIRE(file.nodes < std::numeric_limits<NodeIndex>::max(), "{}: {} nodes", file.path, file.nodes);
  take_labels(file, labels.values);
  read_edges(file);
  file.features = read_dense_features(file.path, "node_features", file.nodes);
  for (const Mask& mask : masks) read_mask(mask, file);
  return file;
}

std::optional<Recognised> recognise_heterophilous(const std::string& path, const RecognitionHints&) {
  if (!path.ends_with(".npz")) return std::nullopt;
  const std::vector<std::string> names = list_npy(path);
  const auto has = [&names](const char* name) { return std::ranges::binary_search(names, name); };
  if (!has("edges") || !has("node_features") || !has("node_labels") || !has("train_masks")) return std::nullopt;
  Recognised found = recognised_as("archive of the heterophilous benchmark");
  found.data->mutable_heterophilous()->set_path(path);
  found.remarks.push_back("split 0 of several: graph { published { number: 1 } } takes the next");
  return found;
}

const RegisterRecogniser heterophilous_recogniser(56, recognise_heterophilous);

const RegisterGraph<scenario::Heterophilous, read_heterophilous> register_heterophilous;

}  // namespace
}  // namespace souk
