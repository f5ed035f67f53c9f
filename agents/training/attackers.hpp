#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/population.hpp"
#include "agents/training/attack_schedule.hpp"
#include "attacks/attack.hpp"
#include "sim/base/footprint.hpp"
#include "sim/engine/round_record.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

class Archive;

/// What the protocol lends the attackers to craft their updates with. Each group sees of it what its knowledge grants.
struct CraftingRound {
  const Comm& comm;
  RoundIndex round;
  std::span<const AgentId> agents;  ///< [n], ascending
  const ColumnMatrix& honest;       ///< [n, d]
  const ColumnVector& global;       ///< [d]
  const ColumnVector& change;       ///< [d]
  const ColumnVector* root_update;  ///< null: the server trains none
  RuleProbe& rule;
  Lab& lab;
};

/// What the server receives.
struct SentUpdates {
  ColumnMatrix updates;                            ///< [n, d], a view that lives until the next round
  std::map<std::size_t, std::uint64_t> lengths{};  ///< rows that do not have d values, and how many they have
};

/// What an owner can tell everybody of a round: who sent something, ascending, whether it is in the step, with what
/// weight.
struct ToldToAll {
  std::vector<AgentId> agents;
  std::vector<double> selected, weights;
  std::vector<AgentId> payees;  ///< who is paid now, ascending
  std::vector<double> paid;     ///< [payees] credits, of which each is told its own alone
};

/// What the groups are told apart from their own setting, to refuse what can never act.
struct AttackedServer {
  bool root_update = false;  ///< trains one
  std::size_t wanted = 0;    ///< updates wanted per round
  ServerTerms terms{};
};

/// The attacker groups of a scenario on their way through a round: what members submit and report, what they learn from
/// it, and under which names they take part. Hands each attack exactly what its group's knowledge grants.
class Attackers {
 public:
  /// Throws InputError for a group without a method, one that may not know what its attack needs, and one that can
  /// never act.
  Attackers(const scenario::Scenario& scenario, const Population& population, const AttackedServer& server);
  ~Attackers();
  /// Whether the client's group acts.
  bool acts(AgentId client, RoundIndex round) const;
  /// Whether the client's group acts and replaces what it trained.
  bool crafts(AgentId client, RoundIndex round) const;
  /// Whether the client poisons the data it trains its submission on: not if its update attack trains by itself.
  bool poisons_training(AgentId client, RoundIndex round) const;
  /// Whether some group knows the server's rule, to try submissions on.
  bool know_rule() const;
  /// Groups whose first round this is.
  std::vector<int> beginning(RoundIndex round) const;
  /// Replaces the rows of members whose group acts. Events say which attacks could do nothing. Collective.
  SentUpdates send(const CraftingRound& round, RoundRecord& record);
  /// Lets the malicious among the validators change their rows of `reports`, [validators, steps, classes]. Collective.
  void edit_reports(const Comm& comm, RoundIndex round, const ColumnMatrix& steps, std::span<const AgentId> validators,
                    std::size_t classes, std::span<double> reports);
  /// Tells every group what its members were paid, of which so many sales were turned round at random. Collective.
  void tell_outcomes(const Comm& comm, RoundIndex round, const ToldToAll& told, double turned);
  /// What groups say about the owner's root data, by group. Collective.
  std::vector<std::pair<int, BaselineClaim>> claims(const Comm& comm);
  /// Shows the groups what the server publishes, and lets members change their identities. Collective.
  void observe(const Published& published, RoundRecord& record);
  /// Of all groups, in rounds of so many updates, `vector` the bytes of an update's columns on the rank.
  Footprint footprint(std::size_t updates, double vector) const;
  /// Under which name the server knows a client.
  AgentId identity_of(AgentId client) const;
  void serialize(Archive& archive, const Comm& comm);

 private:
  struct Group;
  void check(const Group& group, const AttackedServer& server) const;
  void check_reach(const Group& group, std::size_t stage, std::size_t wanted) const;
  void note_reports(Group& group, RoundIndex round, RoundRecord& record) const;
  void craft(const CraftingRound& round, Group& group, SentUpdates& sent, RoundRecord& record);
  ColumnMatrix run_stage(const CraftingRound& round, Group& group, std::size_t stage, std::span<const std::size_t> rows,
                         SentUpdates& sent, RoundRecord& record);
  std::vector<std::uint8_t> ours(const Comm& comm, const ColumnMatrix& steps, int group);

  std::uint64_t seed_;
  double server_rate_;
  const Population& population_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::deque<ColumnMatrix> crafted_;  ///< what the last view points into
  ColumnMatrix submitted_;            ///< the last round's submissions, a view, and whose they are
  std::vector<AgentId> submitters_;
  std::vector<double> submitted_squares_;              ///< their squared lengths; empty until a group asks for them
  std::map<std::uint32_t, std::uint32_t> identities_;  ///< of clients that have come back under another
  std::int64_t next_identity_;
};

}  // namespace souk
