#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/data/graphs/graph.hpp"

namespace souk {

/// What MUSAE's JSON says of nodes: of each the numbers of its features, in the order of the file.
struct JsonFeatures {
  std::vector<NodeIndex> nodes;           ///< each once
  std::vector<std::uint64_t> offsets{0};  ///< [nodes + 1]
  std::vector<std::uint32_t> columns;     ///< below graph_features_max
};

/// Reads {"NODE": [number, …], …}, gzip-compressed or not, as a stream. Throws InputError for what is no such JSON,
/// with its place, and for a node that is there twice, or is not below `nodes`.
JsonFeatures read_features_json(const std::string& path, std::size_t nodes);

}  // namespace souk
