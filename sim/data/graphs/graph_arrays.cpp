#include "sim/data/graphs/graph_arrays.hpp"

#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/memory.hpp"

namespace souk {
namespace {

// Where asking takes longer than reading.
constexpr double small_bytes = 64e6;

void require_room(const NpyArray& array, std::size_t value_bytes) {
  const double needed = static_cast<double>(array.values) * static_cast<double>(value_bytes);
  SOUK_REQUIRE(needed <= small_bytes || needed <= available_memory(), "{}: {} values need {}, this node has {} to give",
               array.name, array.values, bytes_text(needed), bytes_text(available_memory()));
}

void require_dimensions(const NpyArray& array, std::size_t dimensions) {
  SOUK_REQUIRE(array.shape.size() == dimensions, "{}: {} dimensions, must have {}", array.name, array.shape.size(),
               dimensions);
}

}  // namespace

IntegerArray read_integers(const std::string& path, const std::string& name, std::size_t dimensions) {
  NpyArray array = open_npy(path, name, ValueOrder::any);
  require_dimensions(array, dimensions);
  require_room(array, sizeof(std::int64_t));
  IntegerArray read{array.name, array.shape, std::vector<std::int64_t>(array.values), array.fortran};
  read_npy(array, std::span(read.values));
  finish_npy(array);
  return read;
}

std::vector<float> read_reals(const std::string& path, const std::string& name) {
  NpyArray array = open_npy(path, name);
  require_dimensions(array, 1);
  require_room(array, sizeof(float));
  std::vector<float> values(array.values);
  read_npy(array, std::span(values));
  finish_npy(array);
  return values;
}

CsrParts read_csr(const std::string& path, const std::string& prefix) {
  const IntegerArray shape = read_integers(path, prefix + "shape", 1);
  SOUK_REQUIRE(shape.values.size() == 2 && shape.values[0] > 0 && shape.values[1] > 0,
               "{}: must hold the two sizes of a matrix", shape.name);
  CsrParts matrix{.name = path + ": " + prefix + "*", .begin = {}, .columns = {}, .values = {}};
  matrix.rows = static_cast<std::size_t>(shape.values[0]);
  matrix.width = static_cast<std::size_t>(shape.values[1]);
  matrix.begin = read_integers(path, prefix + "indptr", 1).values;
  matrix.columns = read_integers(path, prefix + "indices", 1).values;
  matrix.values = read_reals(path, prefix + "data");
  return matrix;
}

NodeFeatures read_dense_features(const std::string& path, const std::string& name, std::size_t nodes) {
  NpyArray array = open_npy(path, name);
  require_dimensions(array, 2);
  SOUK_REQUIRE(array.shape[0] == nodes, "{}: {} rows for {} nodes", array.name, array.shape[0], nodes);
  SOUK_REQUIRE(array.shape[1] <= graph_features_max, "{}: {} columns, must be at most {}", array.name, array.shape[1],
               graph_features_max);
  require_room(array, sizeof(FeatureEntry));
  NodeFeatures features;
  features.width = array.shape[1];
  std::vector<float> row(features.width);
  std::vector<FeatureEntry> entries;
  for (std::size_t v = 0; v < nodes; ++v) {
    if (v % 1024 == 0) heartbeat::beat();
    read_npy(array, std::span(row));
    entries.clear();
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (row[column] != 0.0F) entries.push_back({static_cast<std::uint32_t>(column), row[column]});
    }
    add_node(features, entries);
  }
  finish_npy(array);
  drop_ones(features);
  return features;
}

}  // namespace souk
