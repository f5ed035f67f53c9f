#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/federation.hpp"
#include "attacks/attack.hpp"
#include "sim/learn/task.hpp"

namespace souk {

/// The attacks of all groups on the edges that their members train on.
class Rewirer {
 public:
  /// Throws InputError for settings that the task does not allow. `federation` must outlive it.
  explicit Rewirer(const Federation& federation);
  /// What members cannot do, a sentence for each group.
  const std::vector<std::string>& idle() const { return idle_; }
  /// Edges that the client's group inserts where it trains on `mine`, the same units in every round, from `global`;
  /// empty: none. Valid until the next call.
  std::span<const Edge> edges(AgentId client, RoundIndex round, std::span<const SampleIndex> mine,
                              std::span<const float> global);
  /// Clients hold less than before: edges are chosen anew.
  void forget() { inserted_.clear(); }
  /// Bytes of a rank while a member trains: a copy of the edges, and a pass for derivatives.
  double bytes() const;

 private:
  struct Inserted {
    RoundIndex round;
    std::vector<Edge> edges;
  };
  std::vector<NodeIndex> nodes_of(std::span<const SampleIndex> units) const;
  void note_idle_members(std::size_t group, const std::string& path);

  const Federation& federation_;
  std::vector<std::unique_ptr<StructureAttack>> groups_;  ///< null: no such attack
  std::vector<std::string> idle_;
  std::map<std::uint32_t, Inserted> inserted_;  ///< of this rank's members, by client
};

}  // namespace souk
