#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "agents/market/ledger.hpp"
#include "agents/market/market_metrics.hpp"
#include "sim/base/ids.hpp"

namespace souk {

/// A share of what a served model earns, for those whose updates made it: in proportion to the weights that their
/// updates were bought with, each round's of sum 1, over all rounds. Who is forgotten earns nothing from then on.
/// Souk's own. Replicated.
class Royalties {
 public:
  /// `ledger` outlives it.
  Royalties(double share, std::size_t sellers, Ledger& ledger) : share_(share), parts_(sellers, 0.0), ledger_(ledger) {}
  /// What was bought in a round for the model that is served.
  void note(std::span<const SellerRound> outcomes);
  void forget(std::span<const AgentId> sellers);
  /// Pays their share of what the round's transfers say that the service took, from the first buyer's account, and
  /// records "royalties", credits. Where nobody has a part in the model it stays with the buyer.
  void pay(RoundRecord& record);
  void serialize(Archive& archive);

 private:
  double share_;
  std::vector<double> parts_;  ///< [sellers]
  Ledger& ledger_;
};

}  // namespace souk
