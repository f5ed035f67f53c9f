#include "agents/protocols/server.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "agents/attack_lab.hpp"
#include "agents/market/reward_shares.hpp"
#include "agents/market/round_worth.hpp"
#include "agents/protocols/round_recorder.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/learn/schedule.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

template <class Value>
std::vector<Value> chosen_of(std::span<const Value> values, std::span<const std::size_t> which) {
  std::vector<Value> chosen;
  for (const std::size_t i : which) chosen.push_back(values[i]);
  return chosen;
}

std::size_t tolerated_by(const scenario::Aggregator& rule, const Federation& federation) {
  return rule.tolerated_f() >= 0 ? static_cast<std::size_t>(rule.tolerated_f()) : federation.expected_malicious();
}

}  // namespace

ModelServer::ModelServer(const Comm& comm, const Federation& federation, const Owner& owner, std::size_t index,
                         Trade* trade)
    : comm_(comm),
      federation_(federation),
      scenario_(federation.scenario()),
      owner_(owner),
      index_(index),
      trade_(trade),
      rule_(make_aggregator(*owner.aggregator)),
      needs_(rule_->needs()),
      trains_root_(needs_.root_update || (trade != nullptr && trade_needs(scenario_, owner).root_update)),
      tolerated_f_(tolerated_by(*owner.aggregator, federation)),
      attackers_(scenario_, federation.population(),
                 {.root_update = needs_.root_update, .wanted = federation.selector().wanted()}),
      poisoner_(scenario_, federation.population(), federation.task()),
      local_(comm, federation),
      evaluator_(federation.task(), Split::test, all_units(federation.task(), Split::test),
                 scenario_.evaluation().batch_size(), poisoner_.tests()),
      stop_tests_(scenario_.evaluation(), target_of(federation.task(), scenario_.evaluation().target_accuracy(),
                                                    scenario_.evaluation().target_r2(), "evaluation.")),
      target_(target_of(federation.task(), owner.target_accuracy, owner.target_r2,
                        index == 0 ? "market." : fmt::format("market.rivals[{}].", index - 1))),
      global_(federation.parameters()),
      change_(federation.task().layout().trainable()),
      step_(change_.size()) {
  const std::size_t wanted = federation.selector().wanted();
  SOUK_REQUIRE(!needs_.everyone || wanted == federation.population().clients(),
               "participants: the aggregator needs every client in every round, but {} of {} are sampled", wanted,
               federation.population().clients());
  SOUK_REQUIRE(!needs_.everyone || trade == nullptr || trade->reaches_everybody(),
               "market: the aggregator needs every client in every round, and in this market sellers may stay away, be "
               "passed over, or be too many to pay");
  rule_->check({wanted, tolerated_f_});
  if (!federation.validation().empty()) {
    const auto held_out = federation.validation();
    validation_ = std::make_unique<Evaluator>(federation.task(), Split::train,
                                              std::vector<SampleIndex>(held_out.begin(), held_out.end()),
                                              scenario_.evaluation().batch_size());
  }
  initialise();
  if (trade != nullptr && scenario_.market().has_sparsified_model()) {
    rewards_ = std::make_unique<RewardModels>(comm, federation.task().layout(),
                                              std::span<const float>(global_).first(step_.size()),
                                              federation.population().clients());
  }
}

/// The model and the server's optimiser as they are before the first round.
void ModelServer::initialise() {
  optimizer_ = make_server_optimizer(scenario_.server());
  Stream random(scenario_.seed(), Purpose::weight_init, nobody, {}, static_cast<std::uint16_t>(index_));
  federation_.task().initialise(random, global_);
}

void ModelServer::run_round(RoundIndex round, Phases& phases, RoundRecord& record) {
  RoundSelection selection;
  phases.prepare("announce", [&] { selection = announce(round, record); });
  record.virtual_seconds = selection.virtual_seconds;
  record_selection(selection, federation_.dealt().deal, global_.size() * sizeof(float), record);
  record.add("learning_rate", scheduled_learning_rate(scenario_.task().training(), round, scenario_.rounds()));
  received_.clear();
  seen_.clear();
  useless_.clear();
  if (selection.accepted.empty()) {
    record.events.push_back({"no updates", -1,
                             selection.asked.empty() ? "nobody was asked; the model stays as it is"
                                                     : "no client delivered in time; the model stays as it is"});
  } else {
    train(round, selection, phases);
    phases.collective("collect", [&] {
      local_.gather();
      collect(round, record);
      choose_offers(round, record);
    });
    if (!received_.empty()) aggregate_and_apply(round, phases, record);
  }
  if (received_.empty()) {
    std::ranges::fill(change_, 0.0F);
    phases.collective("measure", [&] { publish(round, record); });  // attackers, too, are done with the round
    if (trade_ != nullptr && !record.stop) trade_->settle_nothing(round, useless_, record);
    const auto is_honest = [&](AgentId client) { return !attackers_.acts(client, round); };
    if (std::ranges::any_of(useless_, is_honest)) record.stop = "diverged";  // nothing that was trained is finite
  }
}

RoundSelection ModelServer::announce(RoundIndex round, RoundRecord& record) {
  poisoner_.begin_round(global_, attackers_.beginning(round));
  const Selector& selector = federation_.selector();
  const auto work = [this](AgentId client) { return federation_.work_of(client); };
  if (trade_ == nullptr) return selector.select(round, work);
  const std::size_t limit = trade_->open_round(selector.wanted(), record);
  if (limit == 0) record.stop = "budget";
  return selector.select(
      round, work, {.most = limit, .owner = static_cast<std::uint16_t>(index_), .eligible = [this](AgentId seller) {
                      return trade_->invites(seller);
                    }});
}

void ModelServer::train(RoundIndex round, const RoundSelection& selection, Phases& phases) {
  std::optional<OwnTraining> own;
  shown_root_ = trade_ != nullptr ? trade_->shown(round, federation_.root(index_)) : federation_.root(index_);
  if (trains_root_) {  // with the clients' settings, under an id that no client has
    const std::size_t id = federation_.population().clients() + index_;
    own = {AgentId{static_cast<std::uint32_t>(id)}, shown_root_.samples()};
  }
  phases.local("train", [&] {
    local_.assign(selection.accepted, own);
    local_.train(round, global_, attackers_, poisoner_);
  });
}

/// Lets the attackers replace their updates, and takes in what arrives.
void ModelServer::collect(RoundIndex round, RoundRecord& record) {
  start_.emplace(comm_, std::span(global_).first(step_.size()));
  root_update_.reset();
  if (const ColumnVector* own = local_.own_update()) root_update_ = *own;
  const ColumnVector change(comm_, change_);
  std::vector<Submission> everybody;
  for (std::size_t i = 0; i < local_.agents().size(); ++i) {
    everybody.push_back({attackers_.identity_of(local_.agents()[i]), local_.trained()[i].samples});
  }
  ServerProbe probe(*owner_.aggregator, *rule_, rule_setting(round), everybody,
                    [&] { return make_judge(round, false); });
  AttackLab lab({.comm = comm_,
                 .task = federation_.task(),
                 .validators = federation_.validators(),
                 .poisoner = poisoner_,
                 .seed = scenario_.seed(),
                 .round = round,
                 .rounds = scenario_.rounds(),
                 .global = global_});
  const SentUpdates sent = attackers_.send({.comm = comm_,
                                            .round = round,
                                            .agents = local_.agents(),
                                            .honest = local_.updates(),
                                            .global = *start_,
                                            .change = change,
                                            .root_update = needs_.root_update ? &*root_update_ : nullptr,
                                            .rule = probe,
                                            .lab = lab},
                                           record);
  receive(sent, record);
}

RuleSetting ModelServer::rule_setting(RoundIndex round) const {
  return {.comm = comm_,
          .round = round,
          .seed = scenario_.seed(),
          .tolerated_f = tolerated_f_,
          .global = *start_,
          .root_update = needs_.root_update ? &*root_update_ : nullptr,
          .layout = &federation_.task().layout(),
          .owner = static_cast<std::uint16_t>(index_)};
}

/// Those that can be used, in the order of the names under which the server knows them. What is not finite, or has a
/// wrong length, is recorded and excluded.
void ModelServer::receive(const SentUpdates& sent, RoundRecord& record) {
  const std::vector<double> squares = squared_norms(comm_, sent.updates);
  std::vector<double> of_buffers(squares.size(), 0.0);
  if (local_.has_buffers()) of_buffers = squared_norms(comm_, local_.buffers());
  for (std::size_t i = 0; i < squares.size(); ++i) {
    const AgentId agent = local_.agents()[i];
    const auto length = sent.lengths.find(i);
    if (length != sent.lengths.end()) {
      record_invalid(
          agent,
          fmt::format("{} values instead of {}; excluded from the round", length->second, sent.updates.dimension()),
          record);
      useless_.push_back(agent);
    } else if (!std::isfinite(squares[i] + of_buffers[i])) {
      record_invalid(agent, "not finite; excluded from the round", record);
      useless_.push_back(agent);
    } else {
      received_.push_back({i, agent, attackers_.identity_of(agent), squares[i]});
    }
  }
  std::ranges::sort(received_, {}, &ReceivedUpdate::identity);
  std::vector<std::size_t> rows;
  sellers_.clear();
  squares_.clear();
  submissions_.clear();
  for (const ReceivedUpdate& update : received_) {
    rows.push_back(update.row);
    sellers_.push_back(update.client);
    squares_.push_back(update.squared_norm);
    submissions_.push_back({update.identity, local_.trained()[update.row].samples});
  }
  updates_ = sent.updates.select(comm_, rows);
}

OffersOfRound ModelServer::offers(RoundIndex round) const {
  return {.comm = comm_,
          .round = round,
          .sellers = sellers_,
          .squared_norms = squares_,
          .updates = updates_,
          .baseline = root_update_ ? &*root_update_ : nullptr};
}

/// Which updates the rule sees: all, unless a market has chosen before it.
void ModelServer::choose_offers(RoundIndex round, RoundRecord& record) {
  seen_.resize(received_.size());
  std::iota(seen_.begin(), seen_.end(), std::size_t{0});
  if (trade_ == nullptr || received_.empty()) return;
  if (std::optional<ColumnVector> forged = trade_->baseline(offers(round))) root_update_ = std::move(forged);
  seen_ = trade_->shortlist(offers(round));
  std::vector<bool> chosen(received_.size(), false);
  for (const std::size_t k : seen_) chosen[k] = true;
  for (std::size_t k = 0; k < received_.size(); ++k) {
    if (!chosen[k]) record_outbid(received_[k].client, record);
  }
}

std::unique_ptr<ModelJudge> ModelServer::make_judge(RoundIndex round, bool with_lies) {
  ModelJudge::Round setting{.round = round, .global = global_};
  std::vector<AgentId> clients(local_.agents().begin(), local_.agents().end());
  if (with_lies) {
    clients = sellers_;
    std::ranges::sort(clients);
    setting.edit = [this, round](const ColumnMatrix& steps, std::span<const AgentId> validators, std::size_t classes,
                                 std::span<double> reports) {
      attackers_.edit_reports(comm_, round, steps, validators, classes, reports);
    };
  }
  setting.clients = clients;
  return std::make_unique<ModelJudge>(comm_, federation_.task(), shown_root_, federation_.validators(),
                                      scenario_.seed(), setting);
}

void ModelServer::aggregate_and_apply(RoundIndex round, Phases& phases, RoundRecord& record) {
  const std::unique_ptr<ModelJudge> judge = make_judge(round, true);
  RuleOutput output{.step = ColumnVector(updates_), .weights = {}, .scores = {}, .diagnostics = {}};
  std::optional<RuleSnapshot> before;
  double step_norm = 0.0;
  phases.collective("aggregate", [&] {
    if (seen_.empty()) return;
    if (trade_ != nullptr && trade_->values_by_rule()) before.emplace(*owner_.aggregator, *rule_, comm_);
    output = run_rule(*rule_, rule_setting(round), chosen_of(std::span<const Submission>(submissions_), seen_),
                      updates_.select(comm_, seen_), judge.get(), Purpose::aggregation);
    step_norm = std::sqrt(squared_norm(comm_, updates_.plan(), output.step));
    for (const std::string& remark : output.remarks) record.events.push_back({"rule", -1, remark});
  });
  std::optional<Valuation> valuation;
  claimed_ = output.weights;
  if (trade_ != nullptr) {
    phases.collective("value", [&] {
      const std::unique_ptr<ModelJudge> appraiser = make_judge(round, false);
      valuation = valued(round, before ? &*before : nullptr, *appraiser, record);
      if (valuation) record.add("valuation_flops", appraiser->cost().server_flops);
      assess(round, output.weights);
      claimed_ = trade_->claim(round, output.weights, record);
    });
  }
  phases.collective("apply", [&] { apply(output, record); });
  if (trade_ != nullptr) phases.collective("settle", [&] { settle(round, output.weights, valuation, record); });
  phases.collective("measure", [&] { measure(round, output, step_norm, *judge, record); });
  if (!std::isfinite(step_norm)) record.stop = "diverged";
}

/// What the updates that the rule saw contribute, where the market asks.
std::optional<Valuation> ModelServer::valued(RoundIndex round, const RuleSnapshot* before, ModelJudge& judge,
                                             RoundRecord& record) {
  ValuationRule* rule = trade_->valuation();
  if (rule == nullptr || seen_.empty()) return std::nullopt;
  const std::vector<Submission> submissions = chosen_of(std::span<const Submission>(submissions_), seen_);
  const ColumnMatrix updates = updates_.select(comm_, seen_);
  std::vector<AgentId> identities;
  std::vector<double> samples;
  for (const Submission& submission : submissions) {
    identities.push_back(submission.agent);
    samples.push_back(static_cast<double>(submission.samples));
  }
  RoundWorth worth({.config = scenario_.market().worth(),
                    .rule = before,
                    .setting = rule_setting(round),
                    .submissions = submissions,
                    .updates = updates,
                    .judge = judge});
  // Lanes below are those of the rules that coalitions are tried out on.
  Stream random(scenario_.seed(), Purpose::valuation, nobody, round, static_cast<std::uint16_t>(0x8000 + index_));
  Valuation valuation = rule->value({.comm = comm_,
                                     .round = round,
                                     .random = random,
                                     .sellers = identities,
                                     .samples = samples,
                                     .updates = updates,
                                     .root_update = root_update_ ? &*root_update_ : nullptr,
                                     .worth = &worth});
  penalise_replication(scenario_.market().replication_penalty(), comm_, updates, valuation);
  record_valuation(valuation, chosen_of(std::span<const AgentId>(sellers_), seen_), worth.evaluations(), record);
  return valuation;
}

/// Contributions on the test set, which nobody in the market gets to see.
void ModelServer::assess(RoundIndex round, std::span<const double> weights) {
  contributions_.reset();
  if (seen_.empty() || !assesses(round)) return;
  contributions_ = measure_contributions(comm_, global_, updates_.select(comm_, seen_), weights, clean_quality());
}

bool ModelServer::assesses(RoundIndex round) const {
  const std::uint32_t every = scenario_.market().assessment().every();
  return every > 0 && (round.value % every == 0 || round.value == scenario_.rounds());
}

/// On the test set as it is, without triggers.
QualityTest ModelServer::clean_quality() {
  return {.name = quality_name(), .of = [this](std::span<const float> parameters) {
            Evaluator clean(federation_.task(), Split::test, all_units(federation_.task(), Split::test),
                            scenario_.evaluation().batch_size());
            clean.test_own_batches(comm_, parameters);
            return clean.gather(comm_).scores.quality;
          }};
}

/// Pays sellers in parts of the step.
void ModelServer::reward(const Valuation& valuation) {
  std::vector<double> values = valuation.values;
  for (std::size_t m = 0; m < values.size(); ++m) {
    if (!(claimed_[m] > 0.0)) values[m] = 0.0;  // what is not bought earns nothing
  }
  const std::vector<double> shares = reward_shares(scenario_.market().sparsified_model().beta(), values);
  rewards_->earn(change_, chosen_of(std::span<const AgentId>(sellers_), seen_), shares);
}

void ModelServer::settle(RoundIndex round, std::span<const double> weights, const std::optional<Valuation>& valuation,
                         RoundRecord& record) {
  const ColumnVector change(comm_, change_);
  const std::vector<SellerRound> outcomes = trade_->settle({.offers = offers(round),
                                                            .seen = seen_,
                                                            .weights = weights,
                                                            .claimed = claimed_,
                                                            .useless = useless_,
                                                            .valuation = valuation ? &*valuation : nullptr,
                                                            .change = change},
                                                           record);
  if (contributions_) {
    const std::vector<AgentId> sellers = chosen_of(std::span<const AgentId>(sellers_), seen_);
    std::vector<double> paid;
    for (const AgentId seller : sellers) {
      paid.push_back(to_credits(std::ranges::lower_bound(outcomes, seller, {}, &SellerRound::seller)->price));
    }
    record_contributions(*contributions_, quality_name(), sellers, paid, record);
  }
  if (rewards_ != nullptr && valuation) reward(*valuation);
  if (target_ > 0.0) check_target(round, record);
}

/// Whether the buyer's model is good enough, by the only data it has.
void ModelServer::check_target(RoundIndex round, RoundRecord& record) {
  ModelJudge judge(comm_, federation_.task(), federation_.root(index_), federation_.validators(), scenario_.seed(),
                   {.round = round, .global = global_});
  const ColumnMatrix stay = ColumnMatrixBuilder(comm_, 1, step_.size()).finish();
  const double quality = 1.0 - judge.on_root(stay).front().error;
  record.add(fmt::format("root_{}", quality_name()), quality);
  if (quality < target_) return;
  record.events.push_back(
      {"satisfied", owner_.terms.account, fmt::format("{} {} on the buyer's root data", quality_name(), quality)});
  record.stop = "target";
}

void ModelServer::measure(RoundIndex round, const RuleOutput& output, double step_norm, const ModelJudge& judge,
                          RoundRecord& record) {
  const std::vector<ReceivedUpdate> seen = chosen_of(std::span<const ReceivedUpdate>(received_), seen_);
  std::vector<double> products;
  if (scenario_.output().per_client() && !seen_.empty())
    products = dots(comm_, updates_.select(comm_, seen_), output.step);
  record_clients(seen, local_.trained(), output, step_norm, products, record);
  record_detection(
      seen, output, [&](AgentId client) { return attackers_.acts(client, round); }, record);
  record_judging(judge, federation_.population(), global_.size() * sizeof(float), record);
  publish(round, record);
}

void ModelServer::apply(const RuleOutput& output, RoundRecord& record) {
  const auto trainable = std::span(global_).first(step_.size());
  std::ranges::copy(trainable, change_.begin());
  if (output.restart) {
    initialise();
    record.events.push_back({"restart", -1, "the aggregator asks for training anew from the initial model"});
  } else if (!seen_.empty()) {
    replicate(comm_, updates_.plan(), output.step, step_);
    optimizer_->apply(step_, static_cast<float>(scenario_.server().learning_rate()), trainable);
    if (local_.has_buffers()) apply_buffers(output.weights);
  }
  for (std::size_t v = 0; v < change_.size(); ++v) change_[v] = global_[v] - change_[v];
}

/// Running statistics are averaged with the rule's weights; they take no part in scores.
void ModelServer::apply_buffers(std::span<const double> weights) {
  std::vector<std::size_t> rows;
  for (const std::size_t k : seen_) rows.push_back(received_[k].row);
  const ColumnMatrix buffers = local_.buffers().select(comm_, rows);
  const ColumnVector change = combine(buffers, weights);
  std::vector<float> whole(buffers.dimension());
  replicate(comm_, buffers.plan(), change, whole);
  const auto values = std::span(global_).subspan(step_.size());
  for (std::size_t v = 0; v < whole.size(); ++v) values[v] += whole[v];
}

/// What the owner tells everybody, attackers among them.
void ModelServer::publish(RoundIndex round, RoundRecord& record) {
  const auto level = scenario_.server().publishes();
  std::vector<double> told(received_.size(), 0.0);
  for (std::size_t m = 0; m < seen_.size(); ++m) told[seen_[m]] = claimed_[m];
  std::vector<std::size_t> order(received_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t k) { return sellers_[k]; });
  std::vector<AgentId> agents;
  std::vector<double> selected, weights;
  for (const std::size_t k : order) {
    agents.push_back(sellers_[k]);
    if (level != scenario::Server::NOTHING) selected.push_back(told[k] != 0.0 ? 1.0 : 0.0);
    if (level == scenario::Server::WEIGHTS) weights.push_back(told[k]);
  }
  const ColumnVector change(comm_, change_);
  attackers_.observe({comm_, round, agents, selected, weights, change, change_.size()}, record);
}

void ModelServer::test_on(Evaluator& evaluator, Phases& phases, const std::function<void(const TestResult&)>& use) {
  phases.local("evaluate", [&] { evaluator.test_own_batches(comm_, global_); });
  phases.collective("gather test", [&] { use(evaluator.gather(comm_)); });
}

void ModelServer::evaluate(bool final, Phases& phases, RoundRecord& record) {
  TestResult result;
  test_on(evaluator_, phases, [&](const TestResult& test) { result = test; });
  record_test(result, quality_name(), poisoner_.groups_with_goals(), record);
  if (trade_ != nullptr) trade_->desk().note_quality(result.scores.quality, record);
  if (validation_ != nullptr) {
    test_on(*validation_, phases, [&](const TestResult& held_out) {
      record.add(fmt::format("validation_{}", quality_name()), held_out.scores.quality);
      record.add("validation_loss", held_out.scores.loss);
    });
  }
  const std::optional<std::string> stop = stop_tests_.note(result.scores);
  if (stop_tests_.first_at_target()) {
    record.events.push_back({"target reached", -1, fmt::format("{} {}", quality_name(), result.scores.quality)});
  }
  if (!std::isfinite(result.scores.loss)) {
    record.stop = "diverged";
  } else if (stop && !record.stop) {
    record.stop = stop;
  }
  if (rewards_ != nullptr && (final || record.stop)) {
    phases.collective("gather test", [&] {
      rewards_->record(clean_quality(), std::span<const float>(global_).subspan(step_.size()), record);
    });
  }
}

void ModelServer::serialize(Archive& archive) {
  archive.field("parameters", global_);
  SOUK_REQUIRE(global_.size() == federation_.parameters(), "saved state: the model has {} parameters, not {}",
               global_.size(), federation_.parameters());
  optimizer_->serialize(archive);
  rule_->serialize(archive, comm_);
  attackers_.serialize(archive, comm_);
  poisoner_.serialize(archive);
  archive.field("last change", change_);
  stop_tests_.serialize(archive);
  if (trade_ != nullptr) trade_->serialize(archive);
  if (rewards_ != nullptr) rewards_->serialize(archive);
}

}  // namespace souk
