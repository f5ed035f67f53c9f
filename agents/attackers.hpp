#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "agents/population.hpp"
#include "attacks/attack.hpp"
#include "sim/learn/model.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

class Archive;

/// The attacker groups of a scenario: poisons members' batches and replaces members' updates, handing each attack
/// exactly what its knowledge grants.
class Attackers {
 public:
  /// Throws InputError for a group without a method, or settings the data set does not allow.
  Attackers(const scenario::Scenario& scenario, const Population& population, int classes);
  ~Attackers();
  /// What a client does to its mini-batches this round; empty for benign clients and for groups that do not act.
  BatchEdit batch_edit(AgentId client, RoundIndex round) const;
  /// A view of `honest` in which the rows of members whose group acts this round are replaced. `agents` are the rows'.
  /// Collective. The view lives until the next call.
  ColumnMatrix replace_updates(const Comm& comm, RoundIndex round, std::span<const AgentId> agents,
                               const ColumnMatrix& honest);
  /// Lets the malicious among the validators change their rows of `reports`, [validators, steps, classes].
  void edit_reports(RoundIndex round, std::span<const AgentId> validators, std::size_t steps, std::size_t classes,
                    std::span<double> reports) const;
  void serialize(Archive& archive, const Comm& comm);

 private:
  struct Group;
  const Group* acting_group(AgentId client, RoundIndex round) const;
  ColumnMatrix craft(const Comm& comm, RoundIndex round, Group& group, std::span<const AgentId> members,
                     std::span<const std::size_t> rows, const ColumnMatrix& honest);
  std::uint64_t seed_;
  const Population& population_;
  int classes_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<ColumnMatrix> crafted_;  ///< what the last view points into
};

}  // namespace souk
