#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/cast/owners.hpp"
#include "agents/market/buyers.hpp"
#include "agents/market/market_desk.hpp"
#include "agents/market/noise_choices.hpp"
#include "agents/market/sellers.hpp"
#include "agents/market/valuation.hpp"
#include "attacks/buyer_attack.hpp"

namespace souk {

/// What a buyer's side of the market wants of the server beside what the rule wants.
struct TradeNeeds {
  bool root_update = false;  ///< its baseline: the update trained on its root data
  bool root_data = false;
  bool worth = false;  ///< judges the models of many coalitions at once
};
TradeNeeds trade_needs(const scenario::Scenario& scenario, const BuyerConfig& buyer);

/// A round's offers, once delivered: what reached the buyer, in any order of sellers.
struct OffersOfRound {
  const Comm& comm;
  RoundIndex round;
  std::span<const AgentId> sellers;       ///< [n]
  std::span<const double> squared_norms;  ///< [n]
  const ColumnMatrix& updates;            ///< [n, d]
  const ColumnVector* baseline;           ///< [d] the buyer's own update; null: it has none
};

/// What the rule made of those that it saw.
struct BoughtRound {
  const OffersOfRound& offers;
  std::span<const std::size_t> seen;  ///< [m] offers that the rule saw
  std::span<const double> weights;    ///< [m] that it gave them
  std::span<const double> claimed;    ///< [m] as the buyer tells
  std::span<const AgentId> useless;   ///< sellers of what arrived and could not be used
  const Valuation* valuation;         ///< [m]; null: there is none
  const ColumnVector& change;         ///< [d] by which the published model moved
};

/// One buyer in a market, round by round: whom it invites, the baseline it shows, what it takes, what it says of that
/// and what it pays. Replicated: every rank decides the same.
class Trade {
 public:
  /// `buyer` is how `owner` buys; `accounts`: of sellers' epsilon, null where they add no noise. All of it must outlive
  /// this. Throws InputError.
  Trade(const Federation& federation, const Owner& owner, const BuyerConfig& buyer, std::size_t index, Ledger& ledger,
        Sellers& sellers, const std::vector<SellerFacts>& facts, const ClientAccounts* accounts);
  /// How long messages are, which sellers pay for sending.
  void expect_messages(const MessageBytes& messages) { messages_ = messages; }
  /// Puts money aside; returns how many sellers it pays for, 0: the buyer is done.
  std::size_t open_round(std::size_t wanted, RoundRecord& record);
  bool invites(AgentId seller) const;
  /// Under which noise the seller offers in this round, in bounds; none: sellers have no choice.
  std::optional<double> noise_of(AgentId seller) const;
  /// Whether every seller is asked in every round, and the rule sees every update.
  bool reaches_everybody() const;
  /// The root data as the buyer shows them.
  RootSamples shown(RoundIndex round, const RootSamples& root) const;
  /// The baseline as the buyer shows it. Collective.
  std::optional<ColumnVector> baseline(const OffersOfRound& offers) const;
  /// Offers that the rule may see, ascending. Collective.
  std::vector<std::size_t> shortlist(const OffersOfRound& offers);
  ValuationRule* valuation() const { return valuation_.get(); }
  bool values_by_rule() const;
  bool prices_by_more_than_weight() const {
    return desk_.payment().needs_cosine() || desk_.payment().needs_valuation();
  }
  /// The probability with which a sale is told and paid the other way round.
  double turned_sales() const;
  /// Weights as the buyer tells them: 0 for what it denies; 1 for what it says it bought and did not use.
  std::vector<double> claim(RoundIndex round, std::span<const double> weights, RoundRecord& record);
  /// Pays. Returns whom, in ascending order of sellers. Collective.
  std::vector<SellerRound> settle(const BoughtRound& bought, RoundRecord& record);
  /// Pays nobody and closes the escrow, where nothing arrived that could be used.
  void settle_nothing(const Comm& comm, RoundIndex round, std::span<const AgentId> useless, RoundRecord& record);
  MarketDesk& desk() { return desk_; }
  void serialize(Archive& archive);

 private:
  bool cheats(RoundIndex round) const;
  double cost_of(AgentId seller) const { return cost_of(seller, choices_.of(seller)); }
  double cost_of(AgentId seller, const NoisedOffer& offer) const;
  double expected_price(std::size_t wanted) const;
  std::vector<bool> audited(const BoughtRound& bought, RoundRecord& record) const;
  void check(const scenario::Aggregator& rule) const;
  void check_outcome_noise() const;
  void turn_sales(RoundIndex round, std::span<double> claimed, RoundRecord& record);
  std::vector<SellerRound> close(const Comm& comm, RoundIndex round, std::vector<Delivery> list,
                                 std::span<const AgentId> useless, RoundRecord& record);
  void record_noise(std::span<const SellerRound> outcomes, RoundRecord& record) const;
  std::vector<Delivery> deliveries(const BoughtRound& bought, RoundRecord& record) const;

  const Federation& federation_;
  MessageBytes messages_;
  const scenario::Market& config_;
  const BuyerConfig& buyer_;
  std::size_t index_;
  Ledger& ledger_;
  Sellers& sellers_;
  NoiseChoices choices_;
  MarketDesk desk_;
  std::unique_ptr<ValuationRule> valuation_;  ///< null: none
  std::unique_ptr<BuyerAttack> misconduct_;   ///< null: honest
  std::int64_t sales_told_ = 0;               ///< by randomised response, in all rounds
  std::vector<double> cosines_;               ///< [offers of this round], where the payment asks
};

}  // namespace souk
