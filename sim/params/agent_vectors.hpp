#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "sim/base/ids.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// A [d] vector per agent, kept between rounds: histories. Memory grows with the agents seen.
class AgentVectors {
 public:
  /// The agent's vector, laid out like `like`; 0 at first.
  ColumnVector& of(AgentId agent, const ColumnMatrix& like);
  /// Contract: it has one.
  const ColumnVector& at(AgentId agent) const { return vectors_.at(agent.value); }
  bool has(AgentId agent) const { return vectors_.contains(agent.value); }
  void forget(AgentId agent) { vectors_.erase(agent.value); }
  /// Those of these agents as a matrix, [agents, d]: a view that lives until the next change.
  ColumnMatrix rows_of(const Comm& comm, std::span<const AgentId> agents, const ColumnMatrix& like);
  /// Collective.
  void serialize(Archive& archive, const Comm& comm);

 private:
  std::size_t dimension_ = 0;
  std::map<std::uint32_t, ColumnVector> vectors_;
};

}  // namespace souk
