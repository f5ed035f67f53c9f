#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/agent_vectors.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// What clients keep between rounds for the encoding of their updates, a vector each, 0 at first. While they train it
/// lies on the ranks that train them, and between rounds in columns over all ranks, as updates do.
class ClientMemory {
 public:
  /// A client that has sent nothing for more than `forget_after` rounds forgets; 0: never.
  ClientMemory(std::size_t values, std::uint32_t forget_after) : values_(values), forget_after_(forget_after) {}
  /// Hands every rank what the clients keep that it trains: `owners[i]` trains `clients[i]`, ascending. Collective.
  void lend(const Comm& comm, RoundIndex round, std::span<const AgentId> clients, std::span<const int> owners);
  /// [values]; contract: lent to this rank.
  std::span<float> of(AgentId client);
  /// Takes back what was lent to those who keep what they have now; the others keep what they had. Collective.
  void take_back(const Comm& comm, RoundIndex round, const std::function<bool(AgentId)>& keeps);
  void forget_all();
  /// Collective.
  void serialize(Archive& archive, const Comm& comm);

 private:
  void forget_stale(RoundIndex round);
  std::size_t values_;
  std::uint32_t forget_after_;
  AgentVectors kept_;
  std::map<std::uint32_t, std::int64_t> last_rounds_;  ///< of those who keep something
  RowMatrix lent_;
};

}  // namespace souk
