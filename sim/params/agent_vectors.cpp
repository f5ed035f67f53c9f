#include "sim/params/agent_vectors.hpp"

#include "sim/base/archive.hpp"

namespace souk {

ColumnVector& AgentVectors::of(AgentId agent, const ColumnMatrix& like) {
  dimension_ = like.dimension();
  return vectors_.try_emplace(agent.value, like).first->second;
}

ColumnMatrix AgentVectors::rows_of(const Comm& comm, std::span<const AgentId> agents, const ColumnMatrix& like) {
  ColumnMatrix rows = like.select(comm, {});
  for (const AgentId agent : agents) rows = rows.with_row(comm, of(agent, like));
  return rows;
}

void AgentVectors::serialize(Archive& archive, const Comm& comm) {
  auto dimension = static_cast<std::int64_t>(dimension_);
  std::vector<std::int64_t> agents;
  for (const auto& [agent, vector] : vectors_) agents.push_back(agent);
  archive.field("history dimension", dimension);
  archive.field("history clients", agents);
  dimension_ = static_cast<std::size_t>(dimension);
  if (archive.loading()) vectors_.clear();
  for (const std::int64_t agent : agents) {
    serialize_columns(archive, "history", comm, dimension_, vectors_[static_cast<std::uint32_t>(agent)]);
  }
}

}  // namespace souk
