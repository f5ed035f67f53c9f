#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agents/market/ledger.hpp"
#include "agents/market/market_metrics.hpp"
#include "sim/base/ids.hpp"
#include "sim/engine/round_record.hpp"

namespace souk::scenario {
class Market;
}

namespace souk {

class Archive;

/// What a seller puts into one update.
struct SellerWork {
  double flops = 0.0;
  double bytes = 0.0;  ///< model received and update sent
  double samples = 0.0;
};

/// The sellers' side of a market: what taking part costs each, what it asks, whether and to whom it offers, and its
/// reputation. Draws come from streams named by seller and round. Replicated: every rank decides the same.
class Sellers {
 public:
  Sellers(const scenario::Market& config, std::uint64_t seed, std::size_t sellers, std::size_t buyers);
  /// Decides who is there in this round and, where sales are exclusive, to whom each offers. Records how many.
  void begin_round(RoundIndex round, RoundRecord& record);
  /// Whether the seller offers to this buyer in this round, at a cost of `cost` credits and knowing the posted price if
  /// there is one. A seller is there, chose this buyer, and asks no more than the posted price.
  bool offers_to(AgentId seller, std::size_t buyer, double cost, std::optional<MicroCredits> posted_price) const;
  /// Credits that an update costs the seller.
  double cost(AgentId seller, const SellerWork& work) const;
  /// What the seller asks for an update that costs it so much.
  MicroCredits ask(AgentId seller, double cost) const;
  double reputation(AgentId seller) const;
  /// Takes note of how a round with a buyer ended for those who delivered.
  void note(std::size_t buyer, std::span<const SellerRound> outcomes);
  /// What all buyers' outcomes mean for reputations, prices and who comes back. Records them.
  void end_round(RoundRecord& record);
  void serialize(Archive& archive);

 private:
};

}  // namespace souk
