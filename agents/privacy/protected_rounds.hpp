#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agents/cast/selection.hpp"
#include "agents/privacy/client_accounts.hpp"
#include "agents/privacy/clip_bound.hpp"
#include "agents/privacy/noise_correlation.hpp"
#include "agents/privacy/privacy_ledger.hpp"
#include "agents/privacy/update_noise.hpp"
#include "agents/stage.hpp"
#include "agents/training/server_hooks.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// What the rounds of all owners have in common: the bound, the noise, and what it gives away.
struct Protection {
  /// `client_noises`: what there is of clients' noise, in bounds, ascending; empty: they add none. Throws InputError
  /// where noise does not cover what is released.
  Protection(const World& world, std::vector<double> client_noises);
  bool protects_step() const { return ledger.has_value(); }
  bool protects_updates() const { return accounts.has_value(); }

  const Comm& comm;
  std::uint64_t seed, rounds;
  const scenario::Privacy& config;
  const Selector& selector;
  std::size_t malicious;
  ClipBound bound;
  std::unique_ptr<NoiseCorrelation> correlation;  ///< null: every round has noise of its own
  std::optional<PrivacyLedger> ledger;            ///< none: no noise of the server
  std::optional<ClientAccounts> accounts;         ///< none: no noise of clients
};

/// What becomes of the updates of one owner's rounds.
class ProtectedRounds final : public ServerHooks {
 public:
  ProtectedRounds(Protection& protection, std::size_t owner) : all_(protection), owner_(owner) {}
  void attach(ModelServer& server) override { server_ = &server; }
  void invite(RoundIndex, std::size_t, Invitation&, RoundRecord&) override { trained_here_ = {}; }
  void prepare_update(RoundIndex round, AgentId client, std::span<float> update) override;
  void receive(ServerRound& round, RoundRecord& record) override;
  bool steps_alone() const override { return all_.protects_step(); }
  void change_step(const ServerRound& round, ColumnVector& step) override;
  void settle(ServerRound& round, Phases& phases, RoundRecord& record) override;
  void settle_nothing(ServerRound& round, RoundRecord& record) override;
  HookFootprint footprint(const RuleScale& scale, const RuleFootprint& rule) const override;

 private:
  double noise_in_bounds(AgentId client) const;
  double deviation_of(AgentId client) const { return noise_in_bounds(client) * all_.bound.length(); }
  PanelNoise noise_stream(AgentId client, RoundIndex round) const;
  void shorten_received(ServerRound& round);
  void add_noise_of_attackers(ServerRound& round);
  template <class Change>
  void replace(ServerRound& round, std::span<const std::size_t> which, Change change);
  void close(const ServerRound& round, RoundRecord& record);
  void book_senders(RoundRecord& record);

  Protection& all_;
  std::size_t owner_;
  ModelServer* server_ = nullptr;
  UpdateLengths trained_here_, lengths_;  ///< of the round: on this rank, and in all
  ColumnMatrix replaced_;                 ///< rows that the round's view points into
};

}  // namespace souk
