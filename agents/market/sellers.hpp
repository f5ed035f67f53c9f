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
  double epsilon = 0.0;    ///< by which its own grows
  bool unbounded = false;  ///< sold without noise, where there is a choice
};

/// The sellers' side of a market: what taking part costs each, what it asks, whether and to whom it offers, and its
/// reputation. Draws come from streams named by seller and round. Replicated: every rank decides the same.
class Sellers {
 public:
  Sellers(const scenario::Market& config, std::uint64_t seed, std::size_t sellers, std::size_t buyers);
  ~Sellers();
  /// Decides who is there in this round and, where sales are exclusive, to whom each offers. Records how many.
  void begin_round(RoundIndex round, RoundRecord& record);
  /// Whether the seller offers to this buyer in this round, at a cost of `cost` credits and knowing the posted price if
  /// there is one. A seller is there, chose this buyer, and asks no more than the posted price.
  bool offers_to(AgentId seller, std::size_t buyer, double cost, std::optional<MicroCredits> posted_price) const;
  /// Credits that an update costs the seller. Throws InputError above a billion.
  double cost(AgentId seller, const SellerWork& work) const;
  /// What the seller asks for an update that costs it so much; a billion credits at most.
  MicroCredits ask(AgentId seller, double cost) const;
  double reputation(AgentId seller) const { return reputation_[seller.value]; }
  /// Takes note of how a round with a buyer ended for those who delivered.
  void note(std::size_t buyer, std::span<const SellerRound> outcomes);
  /// What all buyers' outcomes mean for reputations, prices and who comes back. Records them.
  void end_round(RoundRecord& record);
  void serialize(Archive& archive);

 private:
  /// What a round with all buyers brought a seller.
  struct Balance {
    bool delivered = false, sold = false;
    MicroCredits income = 0, cost = 0;
  };

  bool takes_part(std::uint32_t seller, RoundIndex round) const;
  bool stays_or_arrives(std::uint32_t seller, RoundIndex round) const;
  void open_with_share_present();
  std::size_t choose_buyer(std::uint32_t seller) const;
  bool prefers(std::size_t seller, std::size_t buyer, std::size_t other) const;
  void note_income(std::size_t seller, std::size_t buyer, double net);
  void end_round_of(std::size_t seller);

  std::unique_ptr<const scenario::Market> config_;
  std::uint64_t seed_;
  std::size_t buyers_;
  std::vector<double> cost_factors_;  ///< [sellers]
  std::vector<double> fixed_asks_;    ///< [sellers], credits; empty: asks depend on costs
  // State.
  std::vector<std::int64_t> in_market_;  ///< [sellers], 0 or 1: whether churn has it there
  std::vector<std::int64_t> present_;    ///< [sellers], 0 or 1: in this round
  std::vector<std::int64_t> contented_;  ///< [sellers], 0 or 1: its last round paid
  std::vector<double> reputation_;       ///< [sellers]
  std::vector<double> ask_factors_;      ///< [sellers], of adaptive asks
  std::vector<double> mean_incomes_;     ///< [sellers * buyers], net, exponential moving averages
  std::vector<std::int64_t> tried_;      ///< [sellers * buyers], 0 or 1
  // Of one round.
  std::vector<std::size_t> choices_;  ///< [sellers] of exclusive sales
  std::vector<Balance> balances_;     ///< [sellers]
  std::vector<bool> received_;        ///< [buyers], whether anybody delivered
  double asked_ = 0.0;                ///< sum of the asks of updates delivered, credits
  std::size_t asks_ = 0;
};

}  // namespace souk
