#include "agents/training/model_server.hpp"

#include <algorithm>
#include <cmath>

#include "agents/training/attack_lab.hpp"
#include "agents/training/baseline_leak.hpp"
#include "agents/training/round_recorder.hpp"
#include "agents/training/saved_model.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/schedule.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

std::size_t tolerated_by(const scenario::Aggregator& rule, const Federation& federation) {
  return rule.tolerated_f() >= 0 ? static_cast<std::size_t>(rule.tolerated_f()) : federation.expected_malicious();
}

}  // namespace

ModelServer::ModelServer(const Comm& comm, const Federation& federation, const Owner& owner, std::size_t index,
                         std::vector<ServerHooks*> hooks)
    : comm_(comm),
      federation_(federation),
      scenario_(federation.scenario()),
      owner_(owner),
      index_(index),
      hooks_(std::move(hooks)),
      rule_(make_aggregator(*owner.aggregator)),
      needs_(rule_->needs()),
      trains_root_(needs_.root_update || std::ranges::any_of(hooks_, &ServerHooks::wants_root_update)),
      private_root_(private_root()),
      tolerated_f_(tolerated_by(*owner.aggregator, federation)),
      attackers_(scenario_, federation.population(),
                 {.root_update = needs_.root_update, .wanted = federation.selector().most(), .terms = terms()}),
      poisoner_(scenario_, federation.population(), federation.task()),
      rewirer_(federation),
      local_(comm, federation),
      tests_(comm, federation, poisoner_.tests(), poisoner_.groups_with_goals()),
      global_(federation.parameters()),
      change_(federation.task().layout().trainable()),
      step_(change_.size()) {
  const std::size_t wanted = federation.selector().wanted();
  const bool all = wanted == federation.population().clients() && federation.selector().inclusion_bound() == 1.0;
  SOUK_REQUIRE(!needs_.everyone || all,
               "participants: the aggregator needs every client in every round, but {} of {} are sampled", wanted,
               federation.population().clients());
  rule_->check(seen_by_rule(wanted));
  initialise();
  messages_.model = messages_.update = static_cast<double>(global_.size() * sizeof(float));
  for (const ServerHooks* hook : hooks_) hook->resize_messages(messages_);
  for (ServerHooks* hook : hooks_) hook->attach(*this);
}

RoundSize ModelServer::seen_by_rule(std::size_t updates) const {
  RoundSize size{updates, tolerated_f_};
  for (const ServerHooks* hook : hooks_) size = hook->seen_by_rule(size);
  return size;
}

std::optional<double> ModelServer::noise_of(AgentId client) const {
  for (const ServerHooks* hook : hooks_) {
    if (const auto noise = hook->noise_of(client)) return noise;
  }
  return std::nullopt;
}

ClientWork ModelServer::work_of(AgentId client) const {
  ClientWork work = federation_.work_of(client);
  work.bytes_down = messages_.model;
  work.bytes_up = messages_.update;
  return work;
}

/// What else looks at the root data would give more of it away than is reported.
std::optional<PrivateRootUpdate> ModelServer::private_root() const {
  if (!owner_.root->has_private_()) return std::nullopt;
  SOUK_REQUIRE(trains_root_, "root.private: nothing is scored by a root update, so none is made");
  SOUK_REQUIRE(!needs_.root_data && std::ranges::none_of(hooks_, &ServerHooks::looks_at_root),
               "root.private: the aggregator or the market judges models on the root data, too, and what it makes of "
               "them is not private");
  SOUK_REQUIRE(owner_.root->share_per_round() == 1.0,
               "root.share_per_round = {}: root.private uses all root samples in every round, and accounts for that",
               owner_.root->share_per_round());
  SOUK_REQUIRE(!scenario_.has_unlearning(), "root.private: retrained models would release the root data again, unseen");
  return PrivateRootUpdate(owner_.root->private_(), federation_.task(), scenario_.seed());
}

/// The model and the server's optimiser as they are before the first round.
void ModelServer::initialise() {
  optimizer_ = make_server_optimizer(scenario_.server());
  global_ = initial_parameters(federation_, index_);
}

void ModelServer::run_round(RoundIndex index, Phases& phases, RoundRecord& record) {
  const std::vector<float> own = offer(index);
  go_through(index, phases, record);
  if (own.empty()) return;
  global_ = own;
  std::ranges::fill(change_, 0.0F);
}

/// Lets hooks put another model in the place of the server's for this round; the server's, or nothing where none did.
std::vector<float> ModelServer::offer(RoundIndex round) {
  std::vector<float> own;
  for (ServerHooks* hook : hooks_) {
    const std::vector<float> other = hook->offer(round);
    if (other.empty()) continue;
    SOUK_EXPECT(own.empty());
    own = global_;
    std::ranges::copy(other, global_.begin());
  }
  return own;
}

void ModelServer::go_through(RoundIndex index, Phases& phases, RoundRecord& record) {
  last_round_ = index;
  ServerRound round{.round = index};
  RoundSelection selection;
  OtherModel other;
  phases.prepare("announce", [&] {
    selection = announce(index, record);
    other = divide(index, selection, record);
  });
  record.virtual_seconds = selection.virtual_seconds;
  record_selection(selection, federation_.dealt().deal, messages_, record);
  record.add("learning_rate", scheduled_learning_rate(scenario_.task().training(), index, scenario_.rounds()));
  if (selection.accepted.empty()) {
    record.events.push_back(
        {"no updates", -1,
         fmt::format("{}; {}", selection.asked.empty() ? "nobody was asked" : "no client delivered in time",
                     steps_alone() ? "the step is noise alone" : "the model stays as it is")});
  } else {
    train(round, selection, other, phases);
    phases.collective("collect", [&] {
      local_.gather();
      collect(round, record);
    });
  }
  if (round.received.empty()) return end_without_updates(round, phases, record);
  aggregate_and_apply(round, phases, record);
}

void ModelServer::end_without_updates(ServerRound& round, Phases& phases, RoundRecord& record) {
  std::ranges::fill(change_, 0.0F);
  if (steps_alone() && !record.stop) {
    phases.collective("apply", [&] {
      ColumnVector step(comm_, PanelPlan(step_.size()));
      for (ServerHooks* hook : hooks_) hook->change_step(round, step);
      take_step(step);
    });
  }
  if (!record.stop) {
    for (ServerHooks* hook : hooks_) hook->settle_nothing(round, record);
  }
  phases.collective("measure", [&] { publish(round, record); });  // attackers, too, are done with the round
  const auto is_honest = [&](AgentId client) { return !attackers_.acts(client, round.round); };
  if (std::ranges::any_of(round.useless, is_honest))
    record.stop = Stop::diverged;  // nothing that was trained is finite
}

RoundSelection ModelServer::announce(RoundIndex round, RoundRecord& record) {
  poisoner_.begin_round(global_, attackers_.beginning(round));
  const Selector& selector = federation_.selector();
  Invitation invitation{.owner = static_cast<std::uint16_t>(index_)};
  if (!federation_.forgotten().empty()) {
    invitation.takes_part = [this](AgentId client) { return federation_.takes_part(client); };
  }
  for (ServerHooks* hook : hooks_) hook->invite(round, selector.most(), invitation, record);
  return selector.select(
      round, [this](AgentId client) { return work_of(client); }, invitation);
}

/// Lets a hook send some clients another model; where clients compare what they were sent, nobody answers then.
OtherModel ModelServer::divide(RoundIndex round, RoundSelection& selection, RoundRecord& record) {
  OtherModel other;
  for (ServerHooks* hook : hooks_) {
    OtherModel more = hook->divide(round, selection.accepted);
    SOUK_EXPECT(more.clients.empty() || other.clients.empty());
    if (!more.clients.empty()) other = std::move(more);
  }
  const bool differ = !other.clients.empty() && other.clients.size() < selection.accepted.size();
  if (!differ || std::ranges::none_of(hooks_, &ServerHooks::compares_models)) return other;
  for (Candidate& candidate : selection.asked) candidate.outcome = SelectionOutcome::dropout;
  selection.accepted.clear();
  record.events.push_back({"models differ", -1, "clients were sent different models, compared them, and send nothing"});
  return {};
}

void ModelServer::train(ServerRound& round, const RoundSelection& selection, const OtherModel& other, Phases& phases) {
  std::optional<OwnTraining> own;
  round.shown = federation_.root(index_);
  for (ServerHooks* hook : hooks_) hook->show_root(round.round, round.shown);
  draw_root(round);
  if (trains_root_) {  // with the clients' settings, under an id that no client has
    const std::size_t id = federation_.population().clients() + index_;
    own = {AgentId{static_cast<std::uint32_t>(id)}, round.root.samples(), private_root_ ? &*private_root_ : nullptr};
  }
  phases.prepare("train", [&] { local_.assign(selection.accepted, own); });
  if (std::ranges::any_of(hooks_, &ServerHooks::lends)) {
    phases.collective("lend", [&] {
      for (ServerHooks* hook : hooks_) {
        if (hook->lends()) hook->before_training(round.round, local_.agents(), local_.owners());
      }
    });
  }
  phases.local("train", [&] {
    local_.train(round.round, global_, other, attackers_, poisoner_, rewirer_);
    if (hooks_.empty()) return;
    local_.for_each_update([&](AgentId client, std::span<float> update) {
      for (ServerHooks* hook : hooks_) hook->prepare_update(round.round, client, update);
    });
  });
}

/// Of the root data those that this round uses: all, or a share that is drawn.
void ModelServer::draw_root(ServerRound& round) const {
  round.root = round.shown;
  const double share = owner_.root->share_per_round();
  if (share == 1.0 || round.root.empty()) return;
  Stream random(scenario_.seed(), streams::root_data_of_round(index_, round.round));
  round.root = round.root.some(share, random);
}

/// Lets the attackers replace their updates, and takes in what arrives.
void ModelServer::collect(ServerRound& round, RoundRecord& record) {
  round.start.emplace(comm_, trainable());
  if (const ColumnVector* own = local_.own_update()) {
    round.root_update = *own;
    if (private_root_) private_root_->book(owner_.account, record);
  }
  const ColumnVector change(comm_, change_);
  std::vector<Submission> everybody;
  for (std::size_t i = 0; i < local_.agents().size(); ++i) {
    everybody.push_back({attackers_.identity_of(local_.agents()[i]), local_.trained()[i].samples});
  }
  ServerProbe probe(*owner_.aggregator, *rule_, rule_setting(round), everybody, [&] { return honest_judge(round); });
  AttackLab lab({.comm = comm_,
                 .task = federation_.task(),
                 .validators = federation_.validators(),
                 .poisoner = poisoner_,
                 .rewirer = rewirer_,
                 .seed = scenario_.seed(),
                 .round = round.round,
                 .rounds = scenario_.rounds(),
                 .global = global_,
                 .slope = federation_.noise().slope()});
  const SentUpdates sent = attackers_.send({.comm = comm_,
                                            .round = round.round,
                                            .agents = local_.agents(),
                                            .honest = local_.updates(),
                                            .global = *round.start,
                                            .change = change,
                                            .root_update = needs_.root_update ? round.own_update() : nullptr,
                                            .rule = probe,
                                            .lab = lab},
                                           record);
  take_in(comm_, local_, sent, attackers_, round, record);
  if (round.received.empty()) return;
  for (ServerHooks* hook : hooks_) hook->receive(round, record);
}

RuleSetting ModelServer::rule_setting(const ServerRound& round) const {
  return {.comm = comm_,
          .round = round.round,
          .seed = scenario_.seed(),
          .tolerated_f = tolerated_f_,
          .global = *round.start,
          .root_update = needs_.root_update ? round.own_update() : nullptr,
          .layout = &federation_.task().layout(),
          .owner = static_cast<std::uint16_t>(index_)};
}

std::unique_ptr<ModelJudge> ModelServer::judge(const ServerRound& round, const ModelJudge::JudgedRound& setting) {
  return std::make_unique<ModelJudge>(comm_, federation_.task(), round.root, federation_.validators(), scenario_.seed(),
                                      setting);
}

std::unique_ptr<ModelJudge> ModelServer::honest_judge(const ServerRound& round) {
  return judge(round, {.round = round.round, .global = global_, .clients = local_.agents()});
}

/// The judge that the rule asks: malicious validators among those who sent something report what they like.
std::unique_ptr<ModelJudge> ModelServer::judge_with_lies(const ServerRound& round) {
  std::vector<AgentId> clients = round.clients;
  std::ranges::sort(clients);
  const ReportEdit edit = [this, index = round.round](const ColumnMatrix& steps, std::span<const AgentId> validators,
                                                      std::size_t classes, std::span<double> reports) {
    attackers_.edit_reports(comm_, index, steps, validators, classes, reports);
  };
  return judge(round, {.round = round.round, .global = global_, .clients = clients, .edit = edit});
}

RuleOutput ModelServer::aggregate(const ServerRound& round, ModelJudge& judge, RoundRecord& record) {
  for (ServerHooks* hook : hooks_) hook->before_rule(round);
  RuleOutput output = round.groups
                          ? run_rule_on_groups(*rule_, rule_setting(round), *round.groups, &judge, streams::rule)
                          : run_rule(*rule_, rule_setting(round), round.submissions_seen(), round.updates_seen(comm_),
                                     &judge, streams::rule);
  for (const std::string& remark : output.remarks) record.events.push_back({"rule", -1, remark});
  return output;
}

void ModelServer::aggregate_and_apply(ServerRound& round, Phases& phases, RoundRecord& record) {
  const std::unique_ptr<ModelJudge> judge = judge_with_lies(round);
  RuleOutput output{.step = ColumnVector(round.updates), .weights = {}, .scores = {}, .diagnostics = {}};
  double step_norm = 0.0;
  phases.collective("aggregate", [&] {
    if (!round.seen.empty()) output = aggregate(round, *judge, record);
    for (ServerHooks* hook : hooks_) hook->change_step(round, output.step);
    step_norm = std::sqrt(squared_norm(comm_, round.updates.plan(), output.step));
  });
  round.weights = output.weights;
  round.told = output.weights;
  for (ServerHooks* hook : hooks_) hook->after_rule(round, phases, record);
  phases.collective("apply", [&] { apply(round, output, record); });
  for (ServerHooks* hook : hooks_) hook->settle(round, phases, record);
  phases.collective("measure", [&] { measure(round, output, step_norm, *judge, record); });
  if (!std::isfinite(step_norm)) record.stop = Stop::diverged;
}

void ModelServer::measure(const ServerRound& round, const RuleOutput& output, double step_norm, const ModelJudge& judge,
                          RoundRecord& record) {
  const std::vector<ReceivedUpdate> seen = round.received_seen();
  std::vector<double> products;
  if (scenario_.output().per_client() && !seen.empty()) products = dots(comm_, round.updates_seen(comm_), output.step);
  record_clients(seen, local_.trained(), output, step_norm, products, record);
  record_detection(
      seen, output, [&](AgentId client) { return attackers_.acts(client, round.round); }, record);
  record_judging(judge, federation_.population(), global_.size() * sizeof(float), record);
  publish(round, record);
}

void ModelServer::apply(const ServerRound& round, const RuleOutput& output, RoundRecord& record) {
  if (output.restart) {
    std::ranges::copy(trainable(), change_.begin());
    initialise();
    for (std::size_t v = 0; v < change_.size(); ++v) change_[v] = global_[v] - change_[v];
    record.events.push_back({"restart", -1, "the aggregator asks for training anew from the initial model"});
    return;
  }
  std::ranges::fill(change_, 0.0F);
  if (round.seen.empty() && !steps_alone()) return;
  take_step(output.step);
  if (round.buffers.dimension() > 0 && !round.seen.empty()) apply_buffers(round, output.weights);
}

bool ModelServer::steps_alone() const { return std::ranges::any_of(hooks_, &ServerHooks::steps_alone); }

/// Changes the model by the server's optimiser, and remembers by how much.
void ModelServer::take_step(const ColumnVector& step) {
  const auto values = std::span(global_).first(step_.size());
  std::ranges::copy(values, change_.begin());
  replicate(comm_, PanelPlan(step_.size()), step, step_);
  optimizer_->apply(step_, static_cast<float>(scenario_.server().learning_rate()), values);
  for (std::size_t v = 0; v < change_.size(); ++v) change_[v] = global_[v] - change_[v];
}

/// Running statistics are averaged with the rule's weights; they take no part in scores.
void ModelServer::apply_buffers(const ServerRound& round, std::span<const double> weights) {
  const ColumnMatrix buffers = round.buffers.select(comm_, round.seen);
  const ColumnVector change = combine(buffers, weights);
  std::vector<float> whole(buffers.dimension());
  replicate(comm_, buffers.plan(), change, whole);
  const auto values = std::span(global_).subspan(step_.size());
  for (std::size_t v = 0; v < whole.size(); ++v) values[v] += whole[v];
}

std::uint32_t ModelServer::pays_every() const {
  std::uint32_t rounds = 0;
  for (const ServerHooks* hook : hooks_) rounds = std::max(rounds, hook->pays_every());
  return rounds;
}

ServerTerms ModelServer::terms() const {
  return {.classes = federation_.task().classes(),
          .has_baseline = !federation_.root(index_).empty() || needs_.validators,
          .pays_every = pays_every(),
          .publishes_weights = scenario_.server().publishes() == scenario::Server::WEIGHTS};
}

/// Of what updates are judged by in the round: root data as they are shown, or what validators use of theirs, where
/// they alone decide. Empty: by nothing.
std::vector<double> ModelServer::baseline_classes(const ServerRound& round) const {
  if (needs_.validators && !trains_root_) return federation_.validators().class_shares_used(round.round, round.clients);
  return class_shares(round.shown.samples(), federation_.task().labels(), federation_.task().classes());
}

/// What the owner tells everybody, attackers among them, and each what it is paid; and how close those come to its root
/// data who make something of it.
void ModelServer::publish(const ServerRound& round, RoundRecord& record) {
  const auto level = scenario_.server().publishes();
  ToldToAll told = told_to_all(round);
  if (level == scenario::Server::NOTHING) told.selected.clear();
  if (level != scenario::Server::WEIGHTS) told.weights.clear();
  const ColumnVector change(comm_, change_);
  double flips = 0.0;
  for (const ServerHooks* hook : hooks_) flips = std::max(flips, hook->turned_sales());
  attackers_.tell_outcomes(comm_, round.round, told, flips);
  attackers_.observe({comm_, round.round, told.agents, told.selected, told.weights, change, change_.size()}, record);
  const std::vector<std::pair<int, BaselineClaim>> claims = attackers_.claims(comm_);
  if (claims.empty()) return;
  const std::vector<double> truth = baseline_classes(round);
  if (truth.empty()) return;
  const bool told_more = std::ranges::any_of(hooks_, &ServerHooks::prices_by_more_than_weight);
  for (const auto& [group, claim] : claims) {
    record_claim(comm_, group, claim,
                 {.class_shares = truth,
                  .root_update = round.own_update(),
                  .score_noise = claim.prices && told_more ? 0.0 : rule_->score_noise(),
                  .turned_sales = flips},
                 record);
  }
}

void ModelServer::evaluate(bool final, Phases& phases, RoundRecord& record) {
  const double quality = [&] {
    const Answering turned(*this);
    return tests_.run(global_, phases, record);
  }();
  for (ServerHooks* hook : hooks_) hook->tested(quality, record);
  if (!final && !record.stop) return;
  for (ServerHooks* hook : hooks_) hook->finish(phases, record);
}

void ModelServer::serialize(Archive& archive) {
  serialize_model(archive);
  std::int64_t last = last_round_.value;
  archive.field("last round", last);
  last_round_ = {static_cast<std::uint32_t>(last)};
  tests_.serialize(archive);
  if (private_root_) private_root_->serialize(archive);
  for (ServerHooks* hook : hooks_) hook->serialize_hooks(archive);
}

void ModelServer::serialize_model(Archive& archive) {
  archive.field("parameters", global_);
  SOUK_REQUIRE(global_.size() == federation_.parameters(), "saved state: the model has {} parameters, not {}",
               global_.size(), federation_.parameters());
  optimizer_->serialize(archive);
  rule_->serialize(archive, comm_);
  attackers_.serialize(archive, comm_);
  poisoner_.serialize(archive);
  archive.field("last change", change_);
  answer_changes_.serialize(archive);
}

ModelServer::Answering::Answering(const ModelServer& server, Task& task)
    : task_(task), kept_(server.answer_changes_, task.layout()) {
  std::vector<const AnswerChange*> changes;
  for (ServerHooks* hook : server.hooks_) {
    if (const AnswerChange* change = hook->answers()) changes.push_back(change);
  }
  kept_.append_to(changes);
  task_.answer_through(changes);
}

ModelServer::Answering::~Answering() { task_.answer_through({}); }

void ModelServer::take_over(ModelServer& other) {
  SaveArchive saved(Portion::own);
  other.serialize_model(saved);
  LoadArchive load(saved.bytes(), Portion::own);
  serialize_model(load);
  load.expect_end();
}

void ModelServer::take_model(std::span<const float> parameters) {
  SOUK_EXPECT(parameters.size() == global_.size());
  std::ranges::copy(parameters, global_.begin());
  std::ranges::fill(change_, 0.0F);
  rule_ = make_aggregator(*owner_.aggregator);
  optimizer_ = make_server_optimizer(scenario_.server());
}

TestResult ModelServer::look_at(std::span<const float> model, Phases& phases) {
  poisoner_.begin_round(global_, {});
  return tests_.look_at(model, phases);
}

BatchEdit ModelServer::edit_of(AgentId client, std::span<const SampleIndex> mine) {
  if (last_round_.value == 0 || !attackers_.poisons_training(client, last_round_)) return {};
  poisoner_.begin_round(global_, {});  // a run that was broken off knows no other model either
  return poisoner_.edit_of_samples(client, last_round_, mine);
}

void ModelServer::forget() {
  poisoner_.forget();
  rewirer_.forget();
  tests_.forget();
}

}  // namespace souk
