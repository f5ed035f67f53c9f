#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/data/graphs/reduced_graph.hpp"

namespace souk {

class Archive;

/// What nobody may use any more. All lists ascend, without duplicates.
struct Forgotten {
  std::vector<AgentId> clients;    ///< who take no part any more
  std::vector<SampleIndex> units;  ///< training units that nobody holds any more, theirs among them
  GraphReduction graph;            ///< of a graph: what is cut out of it

  bool empty() const { return clients.empty() && units.empty() && graph.empty(); }
  bool operator==(const Forgotten&) const = default;
  /// Takes all that the other has, too.
  void add(const Forgotten& other);
  void serialize(Archive& archive);
};

/// "1 client, 300 samples"
std::string text_of(const Forgotten& what);

}  // namespace souk
