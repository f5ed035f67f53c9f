#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/training/sent_models.hpp"
#include "agents/training/server_round.hpp"
#include "sim/comm/comm.hpp"

namespace souk {

/// A malicious server's way to single updates behind secure sums (Pasquini, Francati, Ateniese, CCS 2022): one client
/// is sent the model, all others one whose last hidden layer is dead, so that their updates are 0 but for the output
/// layer's biases.
class ModelInconsistency {
 public:
  /// `index`: of the attack in the section. Throws InputError where others' updates would not vanish.
  ModelInconsistency(const Federation& federation, std::size_t index);
  /// Draws the victim among the honest ones of `clients`, and what the others are sent instead of `model` [dimension].
  OtherModel divide(RoundIndex round, std::span<const AgentId> clients, std::span<const float> model);
  /// Of the round; none: nobody honest was there.
  std::optional<AgentId> victim() const { return victim_; }
  /// Writes the victim's update to `shown`, in this rank's columns: the mean of the round's updates over the victim's
  /// share in it, and 0 where others have moved it, too. Contract: the rule sees one mean, and the victim is behind it.
  void isolate(const ServerRound& round, std::size_t row, std::span<float> shown) const;
  /// The distance of that from the update in the values that are shown, in lengths of the update. Collective.
  double error(const Comm& comm, const ServerRound& round, std::size_t row, std::span<const float> shown) const;

 private:
  /// Calls `see` with the place of every value among this rank's columns, and whether it is shown.
  template <class See>
  void for_each_value(const ServerRound& round, See see) const;

  const Federation& federation_;
  Slot dead_, polluted_;  ///< biases of the last hidden layer, and of the output layer
  std::optional<AgentId> victim_;
};

}  // namespace souk
