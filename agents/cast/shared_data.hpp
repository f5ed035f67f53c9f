#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sim/comm/comm.hpp"
#include "sim/data/dataset.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk::scenario {
class Data;
}

namespace souk {

/// A data set in memory that all ranks of a node share: one copy per node, whatever the number of ranks.
struct SharedData {
  Dataset train;
  Dataset test;
  Graph graph;  ///< whose nodes the samples are; without nodes where they are rows
  std::shared_ptr<SharedBlock> memory;
};

/// Reads the data set chosen in `data`. Where the format allows it, the ranks of a node read a slice each. Collective;
/// throws PhaseError.
SharedData load_shared_data(const Comm& comm, const scenario::Data& data, std::uint64_t seed);

/// SHA-256 of everything in it: shapes, class names, values as stored, labels, groups.
std::string content_hash(const SharedData& data);

/// Numbers of samples, features and classes, and how the classes are balanced in training, in one line.
std::string describe(const SharedData& data);

/// Equal where load_shared_data would give the same.
std::string data_key(const scenario::Data& data, std::uint64_t seed);

}  // namespace souk
