#include "agents/market/trade.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "agents/market/audit.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"
#include "sim/privacy/randomized_answers.hpp"

namespace souk {
namespace {

/// The audit takes the model's change for the step, which it is where the server just adds it.
void check_audit(const scenario::Scenario& scenario) {
  if (scenario.market().audit().probability() == 0.0) return;
  SOUK_REQUIRE(
      scenario.server().has_sgd() && scenario.server().sgd().momentum() == 0.0,
      "market.audit: takes the published change of the model apart, which must be the step: server.sgd without "
      "momentum");
}

}  // namespace

TradeNeeds trade_needs(const scenario::Scenario& scenario, const BuyerConfig& buyer) {
  const std::unique_ptr<PaymentRule> payment = make_payment_rule(scenario.market());
  const std::unique_ptr<ValuationRule> valuation = make_valuation_rule(scenario.market());
  const ValuationNeeds needs = valuation != nullptr ? valuation->needs() : ValuationNeeds{};
  return {.root_update = payment->needs_cosine() || needs.root_update,
          .root_data = needs.worth || buyer.target_accuracy > 0.0 || buyer.target_r2 > 0.0,
          .worth = needs.worth};
}

Trade::Trade(const Federation& federation, const Owner& owner, const BuyerConfig& buyer, std::size_t index,
             Ledger& ledger, Sellers& sellers, const std::vector<SellerFacts>& facts, const ClientAccounts* accounts)
    : federation_(federation),
      config_(federation.scenario().market()),
      buyer_(buyer),
      index_(index),
      ledger_(ledger),
      sellers_(sellers),
      choices_(federation.scenario(), accounts, facts.size()),
      desk_(config_, buyer.terms, federation.scenario().seed(), ledger, facts),
      valuation_(make_valuation_rule(config_)) {
  check_audit(federation.scenario());
  if (buyer.misconduct != nullptr) {  // refuses classes and sellers that there are not, before anything runs
    misconduct_ = make_buyer_attack(*buyer.misconduct);
    const int classes = federation.task().classes();
    SOUK_REQUIRE(classes > 0 || !misconduct_->by_class(),
                 "market.misconduct: this way to cheat is by class, and the data set has numbers to predict");
    misconduct_->shown_classes({1}, classes, federation.scenario().seed());
    misconduct_->check(facts.size());
  }
  check(*owner.aggregator);
  check_outcome_noise();
}

/// Noise on the sale is of no use where something else tells the truth.
void Trade::check_outcome_noise() const {
  if (!config_.has_randomized_response()) return;
  const char* field = "market.randomized_response";
  SOUK_REQUIRE(config_.has_unit_price() || config_.payment_case() == scenario::Market::PAYMENT_NOT_SET,
               "{}: prices say more than the sale; only with unit_price", field);
  SOUK_REQUIRE(federation_.scenario().server().publishes() != scenario::Server::WEIGHTS,
               "{}: server.publishes = WEIGHTS tells the truth", field);
  SOUK_REQUIRE(config_.audit().probability() == 0.0, "{}: market.audit takes what is used and unpaid for fraud", field);
}

/// Whether there is enough money to trade at all, and the valuation can do its work.
void Trade::check(const scenario::Aggregator& rule) const {
  const PaymentRule& payment = desk_.payment();
  const BuyerTerms& terms = buyer_.terms;
  const MicroCredits deposit = payment.buyer_deposit();
  const MicroCredits least = std::max<MicroCredits>(payment.highest_price(), payment.splits_a_sum() ? 1 : 0);
  SOUK_REQUIRE(terms.budget == 0 || terms.budget >= least + deposit,
               "{}.budget = {}: an update may cost {} credits, and the deposit is {}", terms.path,
               to_credits(terms.budget), to_credits(least), to_credits(deposit));
  SOUK_REQUIRE(terms.round_budget == 0 || terms.round_budget >= least,
               "{}.round_budget = {}: an update may cost {} credits", terms.path, to_credits(terms.round_budget),
               to_credits(least));
  SOUK_REQUIRE(to_micro(config_.sellers().capital()) >= payment.seller_deposit(),
               "market.sellers.capital = {}: nobody can pay the deposit of {} credits", config_.sellers().capital(),
               to_credits(payment.seller_deposit()));
  SOUK_REQUIRE(!payment.needs_valuation() || valuation_ != nullptr,
               "market: the payment goes by what updates contribute, and no valuation is chosen (loo, shapley, "
               "tmc_shapley, gtg_shapley, kernel_shap, cgsv, influence, cosine, robust_volume, python_valuation)");
  if (valuation_ != nullptr) valuation_->check();
  const std::size_t most = valuation_ != nullptr ? valuation_->needs().most_updates : 0;
  SOUK_REQUIRE(most == 0 || federation_.selector().most() <= most,
               "market: the valuation can cope with {} updates a round, and there are {}", most,
               federation_.selector().most());
  SOUK_REQUIRE(!values_by_rule() || !make_aggregator(rule)->needs().everyone,
               "market.worth.step = RULE: the aggregator needs every client, and coalitions are some of them");
}

bool Trade::cheats(RoundIndex round) const {
  return misconduct_ != nullptr && round.value >= buyer_.misconduct->from_round() &&
         (buyer_.misconduct->to_round() == 0 || round.value <= buyer_.misconduct->to_round());
}

double Trade::cost_of(AgentId seller, const NoisedOffer& offer) const {
  return sellers_.cost(seller, {.flops = federation_.work_of(seller).flops,
                                .bytes = messages_.model + messages_.update,
                                .samples = static_cast<double>(federation_.validators().training_count(seller)),
                                .epsilon = offer.epsilon,
                                .unbounded = offer.unbounded});
}

/// As the buyer announces it, before any share for noise: a price, or an equal part of the sum.
double Trade::expected_price(std::size_t wanted) const {
  const PaymentRule& payment = desk_.payment();
  if (!payment.splits_a_sum()) return to_credits(payment.highest_price());
  return to_credits(buyer_.terms.round_budget) / static_cast<double>(std::max<std::size_t>(wanted, 1));
}

std::size_t Trade::open_round(std::size_t wanted, RoundRecord& record) {
  choices_.choose(
      expected_price(wanted), [this](AgentId seller, const NoisedOffer& offer) { return cost_of(seller, offer); },
      record);
  return desk_.open_round(wanted, record);
}

std::optional<double> Trade::noise_of(AgentId seller) const {
  if (!choices_.graded()) return std::nullopt;
  return choices_.of(seller).noise;
}

bool Trade::invites(AgentId seller) const {
  const PaymentRule& payment = desk_.payment();
  const NoisedOffer& offer = choices_.of(seller);
  std::optional<MicroCredits> posted = payment.posted_price();
  if (posted) posted = to_micro(offer.price_share * to_credits(*posted));
  return offer.offers && ledger_.balance(seller.value) >= payment.seller_deposit() &&
         sellers_.offers_to(seller, index_, cost_of(seller), posted);
}

bool Trade::reaches_everybody() const {
  const PaymentRule& payment = desk_.payment();
  const bool passes_over = config_.has_vcg() || config_.has_budget_feasible() || config_.has_posted_price();
  return !passes_over && !choices_.may_keep_away() && config_.sale() == scenario::Market::SHARED &&
         config_.sellers().has_always() && config_.sellers().min_reputation() == 0.0 && payment.seller_deposit() == 0 &&
         buyer_.terms.budget == 0 && (buyer_.terms.round_budget == 0 || payment.splits_a_sum());
}

RootSamples Trade::shown(RoundIndex round, const RootSamples& root) const {
  if (!cheats(round)) return root;
  const Task& task = federation_.task();
  const std::vector<bool> classes = misconduct_->shown_classes(round, task.classes(), federation_.scenario().seed());
  if (classes.empty()) return root;
  RootSamples some = root.of_classes(classes, task.labels());
  return some.empty() ? root : some;  // without a sample it would have no baseline at all
}

std::optional<ColumnVector> Trade::baseline(const OffersOfRound& offers) const {
  if (!cheats(offers.round) || offers.baseline == nullptr) return std::nullopt;
  Stream random(federation_.scenario().seed(), streams::forged_baseline(index_, offers.round));
  return misconduct_->baseline({.comm = offers.comm,
                                .round = offers.round,
                                .random = random,
                                .honest = *offers.baseline,
                                .updates = offers.updates,
                                .sellers = offers.sellers});
}

std::vector<std::size_t> Trade::shortlist(const OffersOfRound& offers) {
  const std::size_t count = offers.sellers.size();
  cosines_.assign(count, 0.0);
  if (desk_.payment().needs_cosine()) {
    std::vector<double> lengths;
    for (const double square : offers.squared_norms) lengths.push_back(std::sqrt(square));
    cosines_ = cosines_with(offers.comm, offers.updates, lengths, *offers.baseline);
  }
  std::vector<Offer> list;
  for (std::size_t k = 0; k < count; ++k) {
    const AgentId seller = offers.sellers[k];
    list.push_back({seller, sellers_.ask(seller, cost_of(seller)), cosines_[k]});
  }
  const std::vector<bool> chosen = desk_.shortlist(list);
  std::vector<std::size_t> seen;
  for (std::size_t k = 0; k < count; ++k) {
    if (chosen[k]) seen.push_back(k);
  }
  return seen;
}

bool Trade::values_by_rule() const {
  return valuation_ != nullptr && valuation_->needs().worth && config_.worth().step() == scenario::Worth::RULE;
}

std::vector<double> Trade::claim(RoundIndex round, std::span<const double> weights, RoundRecord& record) {
  std::vector<double> claimed(weights.begin(), weights.end());
  if (cheats(round)) {
    Stream random(federation_.scenario().seed(), streams::denials(index_, round));
    const std::vector<bool> denied = misconduct_->denies(weights, random);
    for (std::size_t k = 0; k < claimed.size(); ++k) {
      if (denied[k]) claimed[k] = 0.0;
    }
    const auto count = std::ranges::count(denied, true);
    if (count > 0) record.add("denied", static_cast<double>(count));
  }
  if (config_.has_randomized_response()) turn_sales(round, claimed, record);
  return claimed;
}

/// Warner, 1965: e^epsilon is how much likelier a true answer is than a false one.
double Trade::turned_sales() const {
  return config_.has_randomized_response() ? 1.0 / (1.0 + std::exp(config_.randomized_response().epsilon())) : 0.0;
}

void Trade::turn_sales(RoundIndex round, std::span<double> claimed, RoundRecord& record) {
  Stream random(federation_.scenario().seed(), streams::turned_sales(index_, round));
  std::size_t turned = 0;
  for (double& claim : claimed) {
    if (random.uniform() >= turned_sales()) continue;
    claim = claim > 0.0 ? 0.0 : 1.0;
    ++turned;
  }
  record.add("turned_sales", static_cast<double>(turned));
  sales_told_ += static_cast<std::int64_t>(claimed.size());
  const double delta = federation_.scenario().privacy().delta();
  const double epsilon = randomized_answers_epsilon(config_.randomized_response().epsilon(),
                                                    static_cast<std::uint64_t>(sales_told_), delta);
  record.add("root.sales_epsilon", epsilon);
  record.privacy.push_back({buyer_.terms.account, "root data", "randomized response", sales_told_, epsilon, delta});
}

/// Of the updates that the rule saw, those found used and unpaid.
std::vector<bool> Trade::audited(const BoughtRound& bought, RoundRecord& record) const {
  const scenario::Audit& audit = config_.audit();
  std::vector<bool> found(bought.seen.size(), false);
  const double draw = Stream(federation_.scenario().seed(), streams::audit(index_, bought.offers.round)).uniform();
  if (bought.seen.empty() || draw >= audit.probability()) return found;
  const ColumnMatrix updates = bought.offers.updates.select(bought.offers.comm, bought.seen);
  std::vector<bool> paid;
  for (const double weight : bought.claimed) paid.push_back(weight > 0.0);
  found = unpaid_use(bought.offers.comm, updates, bought.change, paid, audit.threshold());
  const auto cheated = std::ranges::count(found, true);
  record.add("audited", 1.0);
  record.add("audit_findings", static_cast<double>(cheated));
  if (cheated > 0) {
    record.events.push_back({"audit", buyer_.terms.account, fmt::format("{} update(s) used without payment", cheated)});
  }
  return found;
}

std::vector<Delivery> Trade::deliveries(const BoughtRound& bought, RoundRecord& record) const {
  const OffersOfRound& offers = bought.offers;
  std::vector<Delivery> list;
  std::vector<double> distances;
  if (offers.baseline != nullptr) distances = squared_distances_to(offers.comm, offers.updates, *offers.baseline);
  for (std::size_t k = 0; k < offers.sellers.size(); ++k) {
    const AgentId seller = offers.sellers[k];
    list.push_back({.seller = seller,
                    .cosine = cosines_[k],
                    .cost = cost_of(seller),
                    .price_share = choices_.of(seller).price_share});
    if (!distances.empty()) list.back().distance = std::sqrt(distances[k]);
  }
  const std::vector<bool> cheated = audited(bought, record);
  for (std::size_t m = 0; m < bought.seen.size(); ++m) {
    Delivery& delivery = list[bought.seen[m]];
    delivery.weight = bought.weights[m];
    delivery.denied = bought.weights[m] > 0.0 && !(bought.claimed[m] > 0.0);
    delivery.granted = !(bought.weights[m] > 0.0) && bought.claimed[m] > 0.0;
    delivery.cheated = cheated[m];
    if (bought.valuation != nullptr) delivery.value = bought.valuation->values[m];
  }
  return list;
}

std::vector<SellerRound> Trade::settle(const BoughtRound& bought, RoundRecord& record) {
  return close(bought.offers.comm, bought.offers.round, deliveries(bought, record), bought.useless, record);
}

void Trade::settle_nothing(const Comm& comm, RoundIndex round, std::span<const AgentId> useless, RoundRecord& record) {
  close(comm, round, {}, useless, record);
}

/// Who sent what cannot be used has had the cost, and stands as one who was rejected.
std::vector<SellerRound> Trade::close(const Comm& comm, RoundIndex round, std::vector<Delivery> list,
                                      std::span<const AgentId> useless, RoundRecord& record) {
  for (const AgentId seller : useless) list.push_back({.seller = seller, .cost = cost_of(seller)});
  std::ranges::sort(list, {}, &Delivery::seller);
  std::vector<SellerRound> outcomes = desk_.settle(comm, round, list, record);
  sellers_.note(index_, outcomes);
  record_noise(outcomes, record);
  return outcomes;
}

/// What noise, and its absence, have earned in the round.
void Trade::record_noise(std::span<const SellerRound> outcomes, RoundRecord& record) const {
  if (!choices_.noised()) return;
  std::size_t without = 0;
  double earned = 0.0, epsilon = 0.0;
  for (const SellerRound& outcome : outcomes) {
    const NoisedOffer& offer = choices_.of(outcome.seller);
    if (offer.unbounded) {
      without += outcome.bought ? 1 : 0;
    } else {
      earned += to_credits(outcome.price);
      epsilon += offer.epsilon;
    }
  }
  if (choices_.graded()) record.add("sold_without_noise", static_cast<double>(without));
  if (epsilon > 0.0) record.add("credits_per_epsilon", earned / epsilon);
}

void Trade::serialize(Archive& archive) {
  desk_.serialize(archive);
  archive.field("sales told", sales_told_);
  if (valuation_ != nullptr) valuation_->serialize(archive);
}

}  // namespace souk
