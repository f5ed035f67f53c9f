#include "agents/market/buyer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/market/market_records.hpp"
#include "agents/market/reward_shares.hpp"
#include "agents/market/round_worth.hpp"
#include "agents/training/evaluator.hpp"
#include "agents/training/model_judge.hpp"
#include "agents/training/model_server.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {

Buyer::Buyer(const Federation& federation, const Owner& owner, const BuyerConfig& config, std::size_t index,
             Ledger& ledger, Sellers& sellers, const std::vector<SellerFacts>& facts, const ClientAccounts* accounts)
    : federation_(federation),
      scenario_(federation.scenario()),
      owner_(owner),
      config_(config),
      needs_(trade_needs(scenario_, config)),
      trade_(federation, owner, config, index, ledger, sellers, facts, accounts),
      target_(target_of(federation.task(), config.target_accuracy, config.target_r2, config.terms.path + ".")) {}

Buyer::~Buyer() = default;

void Buyer::attach(ModelServer& server) {
  SOUK_REQUIRE(!server.needs().everyone || trade_.reaches_everybody(),
               "market: the aggregator needs every client in every round, and in this market sellers may stay away, be "
               "passed over, or be too many to pay");
  server_ = &server;
  trade_.expect_messages(server.messages());
  if (!scenario_.market().has_sparsified_model()) return;
  rewards_ = std::make_unique<RewardModels>(server.comm(), federation_.task().layout(), server.trainable(),
                                            federation_.population().clients());
}

void Buyer::invite(RoundIndex, std::size_t wanted, Invitation& invitation, RoundRecord& record) {
  outcomes_.clear();
  invitation.most = std::min(invitation.most, trade_.open_round(wanted, record));
  if (invitation.most == 0) record.stop = Stop::budget;
  invitation.eligible = [this, others = std::move(invitation.eligible)](AgentId seller) {
    return trade_.invites(seller) && (!others || others(seller));
  };
}

std::uint32_t Buyer::pays_every() const { return scenario_.market().arrears(); }

void Buyer::show_root(RoundIndex round, RootSamples& root) { root = trade_.shown(round, root); }

namespace {

OffersOfRound offers_of(const ModelServer& server, const ServerRound& round) {
  return {.comm = server.comm(),
          .round = round.round,
          .sellers = round.clients,
          .squared_norms = round.squares,
          .updates = round.updates,
          .baseline = round.own_update()};
}

}  // namespace

/// Chooses what the rule sees.
void Buyer::receive(ServerRound& round, RoundRecord& record) {
  if (std::optional<ColumnVector> forged = trade_.baseline(offers_of(*server_, round))) {
    round.root_update = std::move(forged);
  }
  const std::vector<std::size_t> chosen = trade_.shortlist(offers_of(*server_, round));
  std::vector<std::size_t> seen;
  std::ranges::set_intersection(round.seen, chosen, std::back_inserter(seen));
  std::vector<std::size_t> passed_over;
  std::ranges::set_difference(round.seen, chosen, std::back_inserter(passed_over));
  for (const std::size_t k : passed_over) record_outbid(round.clients[k], record);
  round.seen = std::move(seen);
}

void Buyer::before_rule(const ServerRound&) {
  before_.reset();
  if (trade_.values_by_rule()) before_.emplace(server_->rule_as_it_is());
}

void Buyer::after_rule(ServerRound& round, Phases& phases, RoundRecord& record) {
  phases.collective("value", [&] {
    value(round, record);
    assess(round);
    round.told = trade_.claim(round.round, round.weights, record);
  });
}

/// What the updates that the rule saw contribute, where the market asks.
void Buyer::value(const ServerRound& round, RoundRecord& record) {
  valuation_.reset();
  ValuationRule* rule = trade_.valuation();
  if (rule == nullptr || round.seen.empty()) return;
  const std::vector<Submission> submissions = round.submissions_seen();
  const ColumnMatrix updates = round.updates_seen(server_->comm());
  const std::unique_ptr<ModelJudge> judge = server_->honest_judge(round);
  std::vector<AgentId> identities;
  std::vector<double> samples;
  for (const Submission& submission : submissions) {
    identities.push_back(submission.agent);
    samples.push_back(static_cast<double>(submission.samples));
  }
  RoundWorth worth({.config = scenario_.market().worth(),
                    .rule = before_ ? &*before_ : nullptr,
                    .setting = server_->rule_setting(round),
                    .submissions = submissions,
                    .updates = updates,
                    .judge = *judge});
  Stream random(scenario_.seed(), streams::valuation(server_->index(), round.round));
  valuation_ = rule->value({.comm = server_->comm(),
                            .round = round.round,
                            .random = random,
                            .sellers = identities,
                            .samples = samples,
                            .updates = updates,
                            .root_update = round.own_update(),
                            .worth = &worth});
  penalise_replication(scenario_.market().replication_penalty(), server_->comm(), updates, *valuation_);
  record_valuation(*valuation_, round.clients_seen(), worth.evaluations(), record);
  record.add("valuation_flops", judge->cost().server_flops);
}

/// Contributions on the test set, which nobody in the market gets to see.
void Buyer::assess(const ServerRound& round) {
  contributions_.reset();
  if (round.seen.empty() || !assesses(round.round)) return;
  contributions_ = measure_contributions(server_->comm(), server_->parameters(), round.updates_seen(server_->comm()),
                                         round.weights, clean_quality());
}

bool Buyer::assesses(RoundIndex round) const {
  const std::uint32_t every = scenario_.market().assessment().every();
  return every > 0 && (round.value % every == 0 || round.value == scenario_.rounds());
}

/// On the test set as it is, without triggers.
QualityTest Buyer::clean_quality() const {
  return {.name = federation_.task().quality_name(), .of = [this](std::span<const float> parameters) {
            Evaluator clean(federation_.task(), Split::test, all_units(federation_.task(), Split::test),
                            scenario_.evaluation().batch_size());
            clean.test_own_batches(server_->comm(), parameters);
            return clean.gather(server_->comm()).scores.quality;
          }};
}

void Buyer::settle(ServerRound& round, Phases& phases, RoundRecord& record) {
  phases.collective("settle", [&] {
    pay(round, record);
    if (rewards_ != nullptr && valuation_) reward(round);
    if (target_ > 0.0) check_target(round.round, record);
  });
}

void Buyer::pay(ServerRound& round, RoundRecord& record) {
  const ColumnVector change(server_->comm(), server_->change());
  outcomes_ = trade_.settle({.offers = offers_of(*server_, round),
                             .seen = round.seen,
                             .weights = round.weights,
                             .claimed = round.told,
                             .useless = round.useless,
                             .valuation = valuation_ ? &*valuation_ : nullptr,
                             .change = change},
                            record);
  tell_paid(round);
  if (!contributions_) return;
  const std::vector<AgentId> sellers = round.clients_seen();
  std::vector<double> paid;
  for (const AgentId seller : sellers) {
    paid.push_back(to_credits(std::ranges::lower_bound(outcomes_, seller, {}, &SellerRound::seller)->price));
  }
  record_contributions(*contributions_, federation_.task().quality_name(), sellers, paid, record);
}

/// Pays sellers in parts of the step.
void Buyer::reward(const ServerRound& round) {
  std::vector<double> values = valuation_->values;
  for (std::size_t m = 0; m < values.size(); ++m) {
    if (!(round.told[m] > 0.0)) values[m] = 0.0;  // what is not bought earns nothing
  }
  const std::vector<double> shares = reward_shares(scenario_.market().sparsified_model().beta(), values);
  rewards_->earn(server_->change(), round.clients_seen(), shares);
}

/// Whether the buyer's model is good enough, by the only data it has.
void Buyer::check_target(RoundIndex round, RoundRecord& record) const {
  ModelJudge judge(server_->comm(), federation_.task(), federation_.root(server_->index()), federation_.validators(),
                   scenario_.seed(), {.round = round, .global = server_->parameters()});
  const ColumnMatrix none = zero_step(server_->comm(), server_->trainable().size());
  const double quality = 1.0 - judge.on_root(none).front().error;
  const char* name = federation_.task().quality_name();
  record.add(fmt::format("root_{}", name), quality);
  if (quality < target_) return;
  record.events.push_back(
      {"satisfied", config_.terms.account, fmt::format("{} {} on the buyer's root data", name, quality)});
  record.stop = Stop::target;
}

void Buyer::settle_nothing(ServerRound& round, RoundRecord& record) {
  trade_.settle_nothing(server_->comm(), round.round, round.useless, record);
  tell_paid(round);
}

void Buyer::tell_paid(ServerRound& round) {
  for (const Payout& payout : trade_.desk().paid_out()) {
    round.payees.push_back(payout.seller);
    round.paid.push_back(to_credits(payout.amount));
  }
}

void Buyer::tested(double quality, RoundRecord& record) { trade_.desk().note_quality(quality, record); }

void Buyer::finish(Phases& phases, RoundRecord& record) {
  if (rewards_ == nullptr) return;
  phases.collective("gather test", [&] { rewards_->record(clean_quality(), server_->untrained(), record); });
}

/// Rows get the buyer's name and account. A seller trains for one buyer after the other, or for one alone.
void Buyer::merge(RoundRecord&& own, RoundRecord& round) const {
  round.virtual_seconds = scenario_.market().sale() == scenario::Market::EXCLUSIVE
                              ? std::max(round.virtual_seconds, own.virtual_seconds)
                              : round.virtual_seconds + own.virtual_seconds;
  merge_rival("buyer." + owner_.name + ".", owner_.account, std::move(own), round);
}

HookFootprint Buyer::footprint(const RuleScale& scale, const RuleFootprint& rule) const {
  HookFootprint market{.part = "market"};
  const auto coalitions = static_cast<double>(RoundWorth::batch);
  if (const ValuationRule* valuation = trade_.valuation()) {
    market.own.at(Moment::valuing) = valuation->bytes(scale.updates);
    market.judged = valuation->most_coalitions(scale.updates);
  }
  if (needs_.worth) {
    market.candidates = coalitions;
    market.own.at(Moment::valuing) += coalitions * scale.vector();
    if (trade_.values_by_rule()) market.own.at(Moment::valuing) += rule.held + rule.working;
  }
  if (rewards_ != nullptr) market.own += RewardModels::footprint(scale.dimension, scale.clients, scale.ranks);
  return market;
}

void Buyer::serialize_hooks(Archive& archive) {
  trade_.serialize(archive);
  if (rewards_ != nullptr) rewards_->serialize(archive);
}

}  // namespace souk
