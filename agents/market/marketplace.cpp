// The market section: buyers, sellers and the money between them.
#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "agents/market/buyer.hpp"
#include "agents/market/buyers.hpp"
#include "agents/market/ledger.hpp"
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
    phases.prepare("announce", [&] {
      if (round.value == 1) endow(to_micro(config_.sellers().capital()), record);
      sellers_.begin_round(round, record);
    });
  }

  void run(RoundIndex, bool, Phases&, RoundRecord& record) override {
    sellers_.end_round(record);
    if (withdrawals_) withdrawals_->note(record);
  }

  void forget(const Forgetting& forgetting, RoundRecord& record) override {
    if (!withdrawals_) return;
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
