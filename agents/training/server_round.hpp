#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "agents/cast/root_data.hpp"
#include "agents/training/attackers.hpp"
#include "agents/training/group_means.hpp"
#include "agents/training/local_round.hpp"
#include "agents/training/round_recorder.hpp"
#include "aggregators/aggregator.hpp"
#include "sim/base/ids.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// One round of a model on its way through its server and those who have a say in it: n updates that can be used, m of
/// which the rule sees. What a step of the round fills in, later ones may read.
struct ServerRound {
  RoundIndex round;
  // Before training.
  RootSamples shown{};  ///< root data as the owner shows them
  RootSamples root{};   ///< those of them that the round uses
  // Of what arrived.
  std::vector<ReceivedUpdate> received{};     ///< [n] ascending identities
  std::vector<AgentId> clients{};             ///< [n] whose they are
  std::vector<double> squares{};              ///< [n] squared norms
  std::vector<Submission> submissions{};      ///< [n]
  ColumnMatrix updates{};                     ///< [n, trainable], a view
  ColumnMatrix buffers{};                     ///< [n, others], a view; no columns where there are none
  std::vector<AgentId> useless{};             ///< who sent what cannot be used
  std::optional<ColumnVector> start{};        ///< [trainable] parameters that the round started from
  std::optional<ColumnVector> root_update{};  ///< [trainable] the owner's own update, as it shows it
  std::vector<std::size_t> seen{};            ///< [m] rows of `updates` that the rule sees, ascending
  std::optional<GroupMeans> groups{};         ///< of these m, where the rule sees means alone
  // Of the rule.
  std::vector<double> weights{};  ///< [m] that it gave them
  std::vector<double> told{};     ///< [m] as the owner tells them
  // Of the settlement.
  std::vector<AgentId> payees{};  ///< who is paid now for updates, of this round or of earlier ones, ascending
  std::vector<double> paid{};     ///< [payees] credits

  std::vector<AgentId> clients_seen() const { return seen_of<AgentId>(clients); }
  std::vector<Submission> submissions_seen() const { return seen_of<Submission>(submissions); }
  std::vector<ReceivedUpdate> received_seen() const { return seen_of<ReceivedUpdate>(received); }
  /// Rows of m of the n updates. Collective.
  ColumnMatrix updates_seen(const Comm& comm) const { return updates.select(comm, seen); }
  const ColumnVector* own_update() const { return root_update ? &*root_update : nullptr; }

 private:
  template <class Value>
  std::vector<Value> seen_of(std::span<const Value> values) const {
    std::vector<Value> chosen;
    for (const std::size_t k : seen) chosen.push_back(values[k]);
    return chosen;
  }
};

/// Fills in what arrived: what can be used, in the order of the names under which the server knows the clients. What is
/// not finite, or has a wrong length, is recorded and excluded. The rule sees all that is left. Collective.
void take_in(const Comm& comm, const LocalRound& local, const SentUpdates& sent, const Attackers& attackers,
             ServerRound& round, RoundRecord& record);

/// Of this round.
ToldToAll told_to_all(const ServerRound& round);

}  // namespace souk
