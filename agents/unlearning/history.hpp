#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/forgotten.hpp"
#include "agents/stage.hpp"
#include "agents/training/model_server.hpp"
#include "agents/training/server_hooks.hpp"
#include "agents/unlearning/holders.hpp"

namespace souk {

/// What is to be kept of rounds, for those who forget later.
struct HistoryNeeds {
  std::uint32_t updates_every = 0;  ///< all updates of every so many rounds, the first among them; 0: none
  bool last_models = false;         ///< every client's local model of the last round it took part in
  std::uint32_t states_every = 0;   ///< the state before learning, after every so many rounds; 0: none
  std::uint32_t states = 0;         ///< of those, the newest so many
  void add(const HistoryNeeds& other);
};

/// A round whose updates are kept.
struct KeptRound {
  RoundIndex round;
  std::vector<AgentId> clients;       ///< [n] ascending
  std::vector<double> weights;        ///< [n] in the step; 0: the rule did not see it
  double total = 0.0;                 ///< weight of all whose updates were kept at the time
  std::vector<ColumnVector> updates;  ///< [n] of [trainable]
  ColumnVector change;                ///< [trainable] by which it moved
};

struct LocalModel {
  RoundIndex round;
  ColumnVector model;  ///< [trainable]
};

/// What the rule has said of a client.
struct Verdicts {
  std::int64_t sent = 0;      ///< updates that it saw and weighed
  std::int64_t rejected = 0;  ///< of these, those without weight
};

/// What is kept of one owner's rounds. Listens to its server.
class OwnerHistory final : public ServerHooks {
 public:
  OwnerHistory(const Comm& comm, const HistoryNeeds& needs) : comm_(comm), needs_(needs) {}
  ModelServer& server() const { return *server_; }
  std::span<const KeptRound> rounds() const { return rounds_; }
  /// Null: none is kept.
  const LocalModel* last_model(AgentId client) const;
  const std::map<AgentId, Verdicts>& verdicts() const { return verdicts_; }
  /// Samples of these have come into the model before the learning of this round, whoever had been asked.
  void note_come(std::span<const DealtUnits> holders, RoundIndex round);
  /// Takes note of whom a round has asked.
  void note_asked(const RoundRecord& record);
  /// Round in which the client was first asked; none: it never was.
  std::optional<RoundIndex> first_asked(AgentId client) const;
  /// Drops all that is kept of clients that leave, and what `touched` have sent: it was learned from what is forgotten.
  void forget(std::span<const AgentId> leaving, std::span<const AgentId> touched);
  HookFootprint footprint(const RuleScale& scale, const RuleFootprint& rule) const override;
  void serialize(Archive& archive);

 private:
  void attach(ModelServer& server) override { server_ = &server; }
  void settle(ServerRound& round, Phases& phases, RoundRecord& record) override;
  void settle_nothing(ServerRound&, RoundRecord& record) override { note_asked(record); }
  void note_verdicts(const ServerRound& round);
  void keep(const ServerRound& round);
  void serialize_round(Archive& archive, KeptRound& round);

  const Comm& comm_;
  HistoryNeeds needs_;
  ModelServer* server_ = nullptr;
  std::vector<KeptRound> rounds_;
  std::map<AgentId, LocalModel> last_;
  std::map<AgentId, RoundIndex> first_asked_;
  std::map<AgentId, Verdicts> verdicts_;
};

/// A saved state of all that learning is made of, as a simulation without the section takes it.
struct SavedState {
  RoundIndex after;
  std::string bytes;
};

/// What a world keeps for forgetting.
class History {
 public:
  History(const World& world, const HistoryNeeds& needs);
  OwnerHistory& of(std::size_t owner) const { return *owners_[owner]; }
  std::size_t owners() const { return owners_.size(); }
  /// Saves the state before the learning of a round, where one is due. Collective.
  void save_before(RoundIndex round);
  /// The newest saved state of before this round; null: there is none.
  const SavedState* state_before(RoundIndex round) const;
  /// First round in which any of the clients was asked, by any owner.
  std::optional<RoundIndex> first_asked(std::span<const AgentId> clients) const;
  /// Drops what is kept of what is forgotten: updates and models of all who held some of it, or of everybody where a
  /// part of a graph is, which everybody sees; and the states of this round and later ones.
  void forget(const Forgotten& what, std::span<const DealtUnits> holders, RoundIndex touched);
  double bytes() const;
  void serialize(Archive& archive);

 private:
  const World& world_;
  HistoryNeeds needs_;
  std::vector<std::unique_ptr<OwnerHistory>> owners_;
  std::vector<SavedState> states_;  ///< oldest first
};

}  // namespace souk
