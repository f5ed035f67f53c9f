#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/data/graphs/reduced_graph.hpp"
#include "sim/data/readings.hpp"

namespace souk {

class Archive;

/// What nobody may use any more, and how those samples that stay read that once read otherwise. All lists ascend,
/// without duplicates.
struct Forgotten {
  std::vector<AgentId> clients;    ///< who take no part any more
  std::vector<SampleIndex> units;  ///< training units that nobody holds any more, theirs among them
  GraphReduction graph;            ///< of a graph: what is cut out of it
  Readings readings{};             ///< of training units: how they read from now on

  bool empty() const { return clients.empty() && units.empty() && graph.empty() && readings.empty(); }
  bool operator==(const Forgotten&) const = default;
  /// Takes all that the other has, too; its readings take the place of those that are there, and of units that read as
  /// stored none is kept.
  void add(const Forgotten& other);
  void serialize(Archive& archive);
};

/// "1 client, 300 samples"
std::string text_of(const Forgotten& what);

}  // namespace souk
