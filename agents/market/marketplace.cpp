// The market section: buyers, sellers and the money between them.
#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "agents/market/buyer.hpp"
#include "agents/market/buyers.hpp"
#include "agents/market/ledger.hpp"
#include "agents/market/royalties.hpp"
#include "agents/market/sellers.hpp"
#include "agents/market/withdrawals.hpp"
#include "agents/stage.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"

namespace souk {
namespace {

/// What does not change about the sellers.
std::vector<SellerFacts> seller_facts_of(const Federation& federation) {
  const Population& population = federation.population();
  const Task& task = federation.task();
  std::vector<SellerFacts> facts;
  for (std::uint32_t id = 0; id < population.clients(); ++id) {
    const auto samples = federation.dealt().deal.of(id);
    const std::vector<double> shares = class_shares(samples, task.labels(), task.classes());
    facts.push_back({.malicious = population.group_of({id}) >= 0,
                     .samples = samples.size(),
                     .class_shares = std::vector<float>(shares.begin(), shares.end())});
  }
  return facts;
}

/// Of clients that add noise of their own; null: they add none.
const ClientAccounts* epsilons_of(const World& world) {
  for (const auto& stage : world.stages) {
    if (const ClientAccounts* accounts = stage->client_accounts()) return accounts;
  }
  return nullptr;
}

/// Sellers are there, or not, before any buyer opens its round; what all buyers' rounds mean for them comes after.
class Marketplace final : public Stage {
 public:
  explicit Marketplace(const World& world)
      : config_(world.scenario.market()),
        sellers_(config_, world.scenario.seed(), world.federation.population().clients(), world.owners.size()),
        count_(world.federation.population().clients()),
        configs_(buyers_of(world.scenario)),
        federation_(world.federation) {
    check_arrears(config_);
    SOUK_REQUIRE(config_.royalties() == 0.0 || world.scenario.has_service(),
                 "market.royalties: nobody pays for answers without the section service");
    if (config_.royalties() > 0.0) royalties_.emplace(config_.royalties(), count_, ledger_);
    const scenario::Unlearning& unlearning = world.scenario.unlearning();
    if (unlearning.has_settlement()) withdrawals_.emplace(unlearning.settlement(), ledger_);
    const std::vector<SellerFacts> facts = seller_facts_of(world.federation);
    for (std::size_t i = 0; i < world.owners.size(); ++i) {
      buyers_.push_back(std::make_unique<Buyer>(world.federation, world.owners[i], configs_[i], i, ledger_, sellers_,
                                                facts, epsilons_of(world)));
    }
  }

  void set_up(SetUpRecord& record) const override {
    for (AgentRow& agent : record.agents) agent.role = "seller";
  }

  void begin(RoundIndex round, Phases& phases, RoundRecord& record) override {
    settled_rows_ = 0;
    phases.prepare("announce", [&] {
      if (round.value == 1) endow(to_micro(config_.sellers().capital()), record);
      sellers_.begin_round(round, record);
    });
  }

  void run(RoundIndex, bool last, Phases&, RoundRecord& record) override {
    sellers_.end_round(record);
    if (last || record.stop) {
      for (const auto& buyer : buyers_) buyer->arrears().pay(record);
    }
    if (withdrawals_) {
      withdrawals_->age();
      withdrawals_->note(record, settled_rows_);
    }
    if (royalties_) royalties_->note(buyers_.front()->outcomes());
  }

  void end(RoundRecord& record) override {
    if (royalties_) royalties_->pay(record);
  }

  /// Who goes is paid what it is owed, before it gives back.
  void forget(const Forgetting& forgetting, RoundRecord& record) override {
    for (const auto& buyer : buyers_) buyer->arrears().pay_these(forgetting.now.clients, record);
    if (royalties_) royalties_->forget(forgetting.now.clients);
    if (!withdrawals_) return;
    withdrawals_->note(record, settled_rows_);
    settled_rows_ = record.transfers.size();
    std::vector<std::int64_t> staying;
    for (std::uint32_t id = 0; id < count_; ++id) {
      if (federation_.takes_part({id})) staying.push_back(id);
    }
    withdrawals_->settle(forgetting, staying, record);
  }

  ServerHooks* hooks(std::size_t owner) override { return buyers_[owner].get(); }

  void serialize(Archive& archive) override {
    ledger_.serialize(archive);
    sellers_.serialize(archive);
    if (withdrawals_) withdrawals_->serialize(archive);
    if (royalties_) royalties_->serialize(archive);
  }

  /// Accounts and what is known of every seller, for every buyer.
  std::vector<PartFootprint> footprints(int) const override {
    constexpr double each = 400.0;  // books, facts and income of one with one buyer
    PartFootprint part{"sellers", {}};
    part.footprint.held = each * static_cast<double>(count_ * buyers_.size());
    return {part};
  }

 private:
  /// Sellers start with some money of their own.
  void endow(MicroCredits capital, RoundRecord& record) {
    if (capital == 0) return;
    for (std::size_t id = 0; id < count_; ++id) {
      ledger_.issue(static_cast<std::int64_t>(id), capital, record);
      record.transfers.back().buyer = account::market;
    }
  }

  const scenario::Market& config_;
  Ledger ledger_;
  Sellers sellers_;
  std::size_t count_;
  std::vector<BuyerConfig> configs_;  ///< [owners]
  const Federation& federation_;
  std::optional<Withdrawals> withdrawals_;      ///< none: what is forgotten moves no money
  std::optional<Royalties> royalties_;          ///< none: sellers earn nothing by answers
  std::size_t settled_rows_ = 0;                ///< transfers of the round that withdrawals know of
  std::vector<std::unique_ptr<Buyer>> buyers_;  ///< [owners]
};

OwnerNeeds market_needs_of(const scenario::Scenario& scenario, std::size_t owner) {
  const TradeNeeds needs = trade_needs(scenario, buyers_of(scenario)[owner]);
  return {.root = needs.root_update || needs.root_data};
}

const RegisterStage register_market({.name = "market",
                                     .place = Place::settling,
                                     .is_in = [](const scenario::Scenario& scenario) { return scenario.has_market(); },
                                     .needs = market_needs_of,
                                     .make = [](const World& world) -> std::unique_ptr<Stage> {
                                       return std::make_unique<Marketplace>(world);
                                     }});

}  // namespace
}  // namespace souk
