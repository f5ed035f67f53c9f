#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agents/market/assessment.hpp"
#include "agents/market/reward_models.hpp"
#include "agents/market/trade.hpp"
#include "agents/training/rule_desk.hpp"
#include "agents/training/server_hooks.hpp"

namespace souk {

/// The owner of a model in a market: what its trade has to say in the rounds of its server, what updates are worth to
/// it, and when it is content.
class Buyer final : public ServerHooks {
 public:
  /// Everything given must outlive it. Throws InputError.
  Buyer(const Federation& federation, const Owner& owner, const BuyerConfig& config, std::size_t index, Ledger& ledger,
        Sellers& sellers, const std::vector<SellerFacts>& facts, const ClientAccounts* accounts);
  ~Buyer() override;
  void attach(ModelServer& server) override;
  bool wants_root_update() const override { return needs_.root_update; }
  void invite(RoundIndex round, std::size_t wanted, Invitation& invitation, RoundRecord& record) override;
  std::optional<double> noise_of(AgentId seller) const override { return trade_.noise_of(seller); }
  void show_root(RoundIndex round, RootSamples& root) override;
  void receive(ServerRound& round, RoundRecord& record) override;
  void before_rule(const ServerRound& round) override;
  void after_rule(ServerRound& round, Phases& phases, RoundRecord& record) override;
  void settle(ServerRound& round, Phases& phases, RoundRecord& record) override;
  void settle_nothing(ServerRound& round, RoundRecord& record) override;
  std::uint32_t pays_every() const override;
  bool prices_by_more_than_weight() const override { return trade_.prices_by_more_than_weight(); }
  double turned_sales() const override { return trade_.turned_sales(); }
  bool looks_at_root() const override { return needs_.root_data; }
  void tested(double quality, RoundRecord& record) override;
  void finish(Phases& phases, RoundRecord& record) override;
  bool brings_owner() const override { return true; }
  void merge(RoundRecord&& own, RoundRecord& round) const override;
  HookFootprint footprint(const RuleScale& scale, const RuleFootprint& rule) const override;
  void serialize_hooks(Archive& archive) override;
  /// Of the last round, ascending; empty: it had none.
  std::span<const SellerRound> outcomes() const { return outcomes_; }
  Arrears& arrears() { return trade_.desk().arrears(); }

 private:
  void value(const ServerRound& round, RoundRecord& record);
  void assess(const ServerRound& round);
  bool assesses(RoundIndex round) const;
  QualityTest clean_quality() const;
  void pay(ServerRound& round, RoundRecord& record);
  void tell_paid(ServerRound& round);
  void reward(const ServerRound& round);
  void check_target(RoundIndex round, RoundRecord& record) const;

  const Federation& federation_;
  const scenario::Scenario& scenario_;
  const Owner& owner_;
  const BuyerConfig& config_;
  TradeNeeds needs_;
  Trade trade_;
  double target_;  ///< quality on root data with which it is content; 0: none
  ModelServer* server_ = nullptr;
  std::unique_ptr<RewardModels> rewards_;  ///< null: sellers are paid in money
  // Of one round.
  std::vector<SellerRound> outcomes_;
  std::optional<RuleSnapshot> before_;          ///< the rule, where coalitions are tried out on it
  std::optional<Valuation> valuation_;          ///< [m]
  std::optional<Contributions> contributions_;  ///< [m], in rounds in which they are measured
};

}  // namespace souk
