#include "agents/protocols/federated.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "agents/attack_lab.hpp"
#include "agents/attackers.hpp"
#include "agents/evaluator.hpp"
#include "agents/market/market_desk.hpp"
#include "agents/model_judge.hpp"
#include "agents/placement.hpp"
#include "agents/poisoner.hpp"
#include "agents/population.hpp"
#include "agents/protocols/round_recorder.hpp"
#include "agents/root_data.hpp"
#include "agents/rule_desk.hpp"
#include "agents/selection.hpp"
#include "agents/server_optimizers/server_optimizer.hpp"
#include "agents/shared_data.hpp"
#include "agents/validators.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/partitioner.hpp"
#include "sim/learn/model.hpp"

namespace souk {
namespace {

/// Of the updates of a round, rounded up.
std::size_t expected_malicious(std::size_t wanted, const Population& population) {
  return (wanted * population.malicious() + population.clients() - 1) / population.clients();
}

class FederatedProtocol final : public Federated {
 public:
  FederatedProtocol(const Comm& comm, const scenario::Scenario& scenario, const std::string& device, SharedData data);
  SetUpRecord set_up_record() const override;
  void run_round(RoundIndex round, bool last, Phases& phases, RoundRecord& record) override;
  void serialize(Archive& archive) override;
  std::span<const float> parameters() const override { return global_; }
  Footprint footprint(int ranks) const override;

 private:
  ClientWork work_of(AgentId client) const;
  std::vector<bool> malicious_sellers() const;
  std::uint64_t samples_trained(std::size_t held) const;
  void train(RoundIndex round, const RoundSelection& selection, Phases& phases);
  void train_client(RoundIndex round, std::size_t row);
  void train_root(RoundIndex round);
  void initialise();
  void gather_trained(std::size_t rows);
  void collect(RoundIndex round, RoundRecord& record);
  RuleSetting rule_setting(RoundIndex round) const;
  std::unique_ptr<ModelJudge> make_judge(RoundIndex round, bool with_lies);
  ColumnMatrix receive(const SentUpdates& sent, RoundRecord& record);
  void aggregate_and_apply(RoundIndex round, Phases& phases, RoundRecord& record);
  void publish(RoundIndex round, const RuleOutput& output, RoundRecord& record);
  void settle(const RuleOutput& output, RoundRecord& record);
  void apply(const RuleOutput& output, RoundRecord& record);
  void apply_buffers(std::span<const double> weights);
  void evaluate(Phases& phases, RoundRecord& record);

  const Comm comm_;
  const scenario::Scenario& scenario_;
  SharedData data_;
  std::unique_ptr<Population> population_;
  RepairedDeal deal_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<LocalTrainer> trainer_;
  std::unique_ptr<Validators> validators_;
  std::vector<SampleIndex> root_;  ///< the server's own samples; empty: it has none
  std::unique_ptr<Aggregator> rule_;
  RuleNeeds needs_;
  std::size_t tolerated_f_ = 0;
  std::unique_ptr<ServerOptimizer> server_;
  std::unique_ptr<Attackers> attackers_;
  std::unique_ptr<Poisoner> poisoner_;
  std::unique_ptr<Selector> selector_;
  std::unique_ptr<MarketDesk> market_;  ///< null: updates are given away
  bool trains_root_ = false;            ///< the server trains on its root data in every round
  std::unique_ptr<Evaluator> evaluator_;
  std::unique_ptr<Evaluator> validation_;  ///< null: nothing is held out
  StopTests stop_tests_;
  std::vector<float> global_;
  std::vector<float> change_;  ///< [trainable] of the last round
  // A round's work, kept between rounds for its memory.
  RowMatrix rows_;
  RowMatrix root_row_;
  ColumnMatrix honest_;
  ColumnMatrix buffer_columns_;
  std::vector<float> step_;
  std::vector<TrainedRow> trained_;
  ColumnMatrix updates_;  ///< those that reached the rule, a view
  std::vector<ReceivedUpdate> received_;
  std::vector<Submission> submissions_;
  std::optional<ColumnVector> start_;        ///< trainable parameters that the round started from
  std::optional<ColumnVector> root_update_;  ///< where the rule or an attack needs it
};

FederatedProtocol::FederatedProtocol(const Comm& comm, const scenario::Scenario& scenario, const std::string& device,
                                     SharedData data)
    : comm_(comm), scenario_(scenario), data_(std::move(data)), stop_tests_(scenario.evaluation()) {
  const int node_ranks = comm.node().size();
  comm.run_phase("set up", [&] {
    population_ = std::make_unique<Population>(scenario);
    rule_ = make_aggregator(scenario.aggregator());
    needs_ = rule_->needs();
    if (scenario.has_market()) market_ = std::make_unique<MarketDesk>(scenario.market(), malicious_sellers());
    trains_root_ = needs_.root_update || (market_ != nullptr && market_->needs_cosine());
    if (trains_root_ || needs_.root_data || scenario.root().always()) {
      root_ = draw_root_data(scenario.root(), data_.train.labels(), data_.train.classes(), scenario.seed());
    }
    const std::vector<double> buyer = class_shares(root_, data_.train.labels(), data_.train.classes());
    const DealInput input{.labels = data_.train.labels(),
                          .groups = data_.train.groups(),
                          .classes = data_.train.classes(),
                          .agents = scenario.participants().clients(),
                          .min_samples = scenario.partition().min_samples(),
                          .reference = buyer};
    std::vector<SampleIndex> validation =
        draw_validation_data(scenario.evaluation().validation_fraction(), data_.train.size(), root_, scenario.seed());
    std::vector<SampleIndex> reserved;
    std::merge(root_.begin(), root_.end(), validation.begin(), validation.end(), std::back_inserter(reserved));
    deal_ = deal_without(reserved, scenario.partition(), input, scenario.seed());
    share_with_fakes(*population_, deal_.deal);
    validators_ =
        std::make_unique<Validators>(scenario.validators(), needs_.validators || scenario.validators().always(),
                                     deal_.deal, data_.train, scenario.seed());
    if (needs_.validators) validators_->check();
    selector_ = std::make_unique<Selector>(scenario.participants(), scenario.seed(), *population_, deal_.deal);
    attackers_ = std::make_unique<Attackers>(scenario, *population_, needs_.root_update);
    SOUK_REQUIRE(!needs_.everyone || selector_->wanted() == population_->clients(),
                 "participants: the aggregator needs every client in every round, but {} of {} are sampled",
                 selector_->wanted(), population_->clients());
    const std::int32_t given_f = scenario.aggregator().tolerated_f();
    tolerated_f_ =
        given_f >= 0 ? static_cast<std::size_t>(given_f) : expected_malicious(selector_->wanted(), *population_);
    rule_->check({selector_->wanted(), tolerated_f_});
    network_ = make_network(scenario.task().model(), model_shape(data_.train), device);
    trainer_ = std::make_unique<LocalTrainer>(scenario.task().training(), *network_);
    poisoner_ = std::make_unique<Poisoner>(scenario, *population_, data_.train, *network_);
    const std::size_t test_batch = scenario.evaluation().batch_size();
    evaluator_ = std::make_unique<Evaluator>(data_.test, all_samples(data_.test), test_batch, poisoner_->tests());
    if (!validation.empty()) {
      validation_ = std::make_unique<Evaluator>(data_.train, std::move(validation), test_batch);
    }
    require_memory(footprint(comm.size()), node_ranks);
    global_.resize(network_->layout().dimension());
    step_.resize(network_->layout().trainable());
    change_.resize(step_.size());
    initialise();
  });
}

/// The model and the server's optimiser as they are before the first round.
void FederatedProtocol::initialise() {
  server_ = make_server_optimizer(scenario_.server());
  Stream random(scenario_.seed(), Purpose::weight_init, nobody, {});
  network_->initialise(random, global_);
}

SetUpRecord FederatedProtocol::set_up_record() const {
  SetUpRecord record;
  const int classes = data_.train.classes();
  const std::vector<std::uint32_t> table = class_table(deal_.deal, data_.train.labels(), classes);
  for (std::uint32_t id = 0; id < population_->clients(); ++id) {
    const Device device = population_->device({id});
    record.agents.push_back({{id},
                             market_ == nullptr ? "client" : "seller",
                             deal_.deal.of(id).size(),
                             population_->group_of({id}),
                             device.compute,
                             device.bandwidth});
    for (int c = 0; c < classes; ++c) {
      const std::uint32_t samples = table[id * static_cast<std::size_t>(classes) + static_cast<std::size_t>(c)];
      if (samples > 0) record.partition.push_back({{id}, c, samples});
    }
  }
  const std::size_t genuine = population_->genuine();  // fake identities hold copies
  const auto dealt = std::span(table).first(genuine * static_cast<std::size_t>(classes));
  record.metrics.push_back({"distance_from_iid", distance_from_iid(dealt, genuine, classes)});
  record.metrics.push_back({"parameters", static_cast<double>(global_.size())});
  if (needs_.tolerated_f) record.metrics.push_back({"tolerated_f", static_cast<double>(tolerated_f_)});
  if (!root_.empty()) record.metrics.push_back({"root_samples", static_cast<double>(root_.size())});
  if (deal_.moved > 0) {
    record.events.push_back({"partition repaired", -1,
                             fmt::format("{} samples moved so that every client holds at least {}", deal_.moved,
                                         scenario_.partition().min_samples())});
  }
  return record;
}

std::vector<bool> FederatedProtocol::malicious_sellers() const {
  std::vector<bool> malicious;
  for (std::uint32_t id = 0; id < population_->clients(); ++id) malicious.push_back(population_->group_of({id}) >= 0);
  return malicious;
}

std::uint64_t FederatedProtocol::samples_trained(std::size_t held) const {
  const scenario::Training& training = scenario_.task().training();
  if (training.algorithm() == scenario::Training::FED_SGD) return held;
  if (!training.has_local_steps() || held == 0) return held * training.local_epochs();
  const std::uint64_t batch = training.batch_size() == 0 ? held : std::min<std::uint64_t>(training.batch_size(), held);
  const std::uint64_t steps_per_pass = (held + batch - 1) / batch;  // the last batch of a pass may be short
  return training.local_steps() / steps_per_pass * held + training.local_steps() % steps_per_pass * batch;
}

ClientWork FederatedProtocol::work_of(AgentId client) const {
  const double model_bytes = static_cast<double>(global_.size() * sizeof(float));
  const auto samples = static_cast<double>(samples_trained(validators_->training_count(client)));
  return {3.0 * network_->forward_flops() * samples, model_bytes, model_bytes};
}

void FederatedProtocol::run_round(RoundIndex round, bool last, Phases& phases, RoundRecord& record) {
  RoundSelection selection;
  phases.local("announce", [&] {
    const std::size_t wanted = selector_->wanted();
    const std::size_t limit = market_ == nullptr ? wanted : market_->open_round(wanted, record);
    if (limit == 0) record.stop = "budget";
    selection = selector_->select(
        round, [&](AgentId client) { return work_of(client); }, limit);
    poisoner_->begin_round(global_, attackers_->beginning(round));
  });
  record.virtual_seconds = selection.virtual_seconds;
  record_selection(selection, deal_.deal, global_.size() * sizeof(float), record);
  record.add("learning_rate", trainer_->learning_rate(round, scenario_.rounds()));
  received_.clear();
  if (selection.accepted.empty()) {
    record.events.push_back({"no updates", -1, "no client delivered in time; the model stays as it is"});
  } else {
    train(round, selection, phases);
    phases.collective("collect", [&] {
      gather_trained(selection.accepted.size());
      collect(round, record);
    });
    if (!received_.empty()) aggregate_and_apply(round, phases, record);
  }
  if (received_.empty()) {
    std::ranges::fill(change_, 0.0F);
    if (market_ != nullptr && !record.stop) market_->settle({}, record);
  }
  if (last || round.value % scenario_.evaluation().every() == 0 || record.stop) evaluate(phases, record);
}

void FederatedProtocol::train(RoundIndex round, const RoundSelection& selection, Phases& phases) {
  std::vector<double> costs;
  for (const AgentId client : selection.accepted) costs.push_back(work_of(client).flops);
  if (trains_root_) {  // the server trains beside the clients, on the rank that has time for it
    costs.push_back(3.0 * network_->forward_flops() * static_cast<double>(samples_trained(root_.size())));
  }
  std::vector<int> owners = place_longest_first(costs, comm_.size());
  trained_.clear();
  phases.local("train", [&] {
    if (trains_root_) {
      root_row_.reset(comm_, std::vector<AgentId>{{0}}, std::vector<int>{owners.back()}, global_.size());
      owners.pop_back();
      if (root_row_.is_local(0)) train_root(round);
    }
    rows_.reset(comm_, selection.accepted, owners, global_.size());
    for (std::size_t i = 0; i < rows_.rows(); ++i) {
      if (rows_.is_local(i)) train_client(round, i);
    }
  });
}

void FederatedProtocol::train_client(RoundIndex round, std::size_t row) {
  const AgentId client = rows_.agents()[row];
  const LocalContext context{scenario_.seed(), client, round, scenario_.rounds(), &heartbeat::beat};
  const std::vector<SampleIndex> mine = validators_->training_samples(client);
  const BatchEdit edit =
      attackers_->poisons_training(client, round) ? poisoner_->edit(client, round, mine) : BatchEdit();
  const LocalResult result = trainer_->train(global_, data_.train, mine, edit, context, rows_.row(row));
  trained_.push_back({row, result.samples, result.loss});
}

/// With the clients' settings, under an agent id that no client has.
void FederatedProtocol::train_root(RoundIndex round) {
  const AgentId server{static_cast<std::uint32_t>(population_->clients())};
  const LocalContext context{scenario_.seed(), server, round, scenario_.rounds(), &heartbeat::beat};
  trainer_->train(global_, data_.train, root_, {}, context, root_row_.row(0));
}

void FederatedProtocol::gather_trained(std::size_t rows) {
  const std::vector<TrainedRow> own = std::move(trained_);
  trained_ = comm_.all_gather(std::span<const TrainedRow>(own));
  std::sort(trained_.begin(), trained_.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
  SOUK_EXPECT(trained_.size() == rows);
}

/// Turns rows into columns and lets the attackers replace theirs.
void FederatedProtocol::collect(RoundIndex round, RoundRecord& record) {
  const std::size_t trainable = network_->layout().trainable();
  to_columns(comm_, rows_, {0, trainable}, honest_);
  if (trainable < global_.size()) to_columns(comm_, rows_, {trainable, global_.size()}, buffer_columns_);
  start_.emplace(comm_, std::span(global_).first(trainable));
  if (trains_root_) {
    ColumnMatrix root;
    to_columns(comm_, root_row_, {0, trainable}, root);
    root_update_ = combine(root, std::vector<double>{1.0});
  }
  const ColumnVector change(comm_, change_);
  std::vector<Submission> everybody;
  for (std::size_t i = 0; i < rows_.rows(); ++i) {
    everybody.push_back({attackers_->identity_of(rows_.agents()[i]), trained_[i].samples});
  }
  ServerProbe probe(scenario_.aggregator(), *rule_, rule_setting(round), everybody,
                    [&] { return make_judge(round, false); });
  AttackLab lab({.comm = comm_,
                 .trainer = *trainer_,
                 .train = data_.train,
                 .validators = *validators_,
                 .poisoner = *poisoner_,
                 .seed = scenario_.seed(),
                 .round = round,
                 .rounds = scenario_.rounds(),
                 .global = global_,
                 .trainable = trainable});
  const SentUpdates sent = attackers_->send({.comm = comm_,
                                             .round = round,
                                             .agents = rows_.agents(),
                                             .honest = honest_,
                                             .global = *start_,
                                             .change = change,
                                             .root_update = needs_.root_update ? &*root_update_ : nullptr,
                                             .rule = probe,
                                             .lab = lab},
                                            record);
  updates_ = receive(sent, record);
}

RuleSetting FederatedProtocol::rule_setting(RoundIndex round) const {
  return {.comm = comm_,
          .round = round,
          .seed = scenario_.seed(),
          .tolerated_f = tolerated_f_,
          .global = *start_,
          .root_update = needs_.root_update ? &*root_update_ : nullptr,
          .layout = &network_->layout()};
}

/// Those that can be used, in the order of the names under which the server knows them. What is not finite, or has a
/// wrong length, is recorded and excluded.
ColumnMatrix FederatedProtocol::receive(const SentUpdates& sent, RoundRecord& record) {
  const std::vector<double> squares = squared_norms(comm_, sent.updates);
  std::vector<double> of_buffers(squares.size(), 0.0);
  if (step_.size() < global_.size()) of_buffers = squared_norms(comm_, buffer_columns_);
  received_.clear();
  for (std::size_t i = 0; i < squares.size(); ++i) {
    const AgentId agent = rows_.agents()[i];
    const auto length = sent.lengths.find(i);
    if (length != sent.lengths.end()) {
      record_invalid(
          agent,
          fmt::format("{} values instead of {}; excluded from the round", length->second, sent.updates.dimension()),
          record);
    } else if (!std::isfinite(squares[i] + of_buffers[i])) {
      record_invalid(agent, "not finite; excluded from the round", record);
    } else {
      received_.push_back({i, agent, attackers_->identity_of(agent), squares[i]});
    }
  }
  std::ranges::sort(received_, {}, &ReceivedUpdate::identity);
  std::vector<std::size_t> rows;
  submissions_.clear();
  for (const ReceivedUpdate& update : received_) {
    rows.push_back(update.row);
    submissions_.push_back({update.identity, trained_[update.row].samples});
  }
  return sent.updates.select(comm_, rows);
}

std::unique_ptr<ModelJudge> FederatedProtocol::make_judge(RoundIndex round, bool with_lies) {
  ModelJudge::Round setting{.round = round, .global = global_};
  std::vector<AgentId> clients;
  if (with_lies) {
    for (const ReceivedUpdate& update : received_) clients.push_back(update.client);
    std::ranges::sort(clients);
    setting.edit = [this, round](const ColumnMatrix& steps, std::span<const AgentId> validators, std::size_t classes,
                                 std::span<double> reports) {
      attackers_->edit_reports(comm_, round, steps, validators, classes, reports);
    };
  } else {
    clients.assign(rows_.agents().begin(), rows_.agents().end());
  }
  setting.clients = clients;
  return std::make_unique<ModelJudge>(comm_, *network_, data_.train, root_, *validators_, scenario_.seed(), setting);
}

void FederatedProtocol::aggregate_and_apply(RoundIndex round, Phases& phases, RoundRecord& record) {
  const std::unique_ptr<ModelJudge> judge = make_judge(round, true);
  RuleOutput output;
  double step_norm = 0.0;
  phases.collective("aggregate", [&] {
    output = run_rule(*rule_, rule_setting(round), submissions_, updates_, judge.get(), Purpose::aggregation);
    step_norm = std::sqrt(squared_norm(comm_, updates_.plan(), output.step));
  });
  if (market_ != nullptr) phases.collective("settle", [&] { settle(output, record); });
  phases.collective("apply", [&] { apply(output, record); });
  phases.collective("measure", [&] {
    const std::vector<double> products =
        scenario_.output().per_client() ? dots(comm_, updates_, output.step) : std::vector<double>();
    record_clients(received_, trained_, output, step_norm, products, record);
    record_detection(
        received_, output, [&](AgentId client) { return attackers_->acts(client, round); }, record);
    record_judging(*judge, *population_, global_.size() * sizeof(float), record);
    publish(round, output, record);
  });
  if (!std::isfinite(step_norm)) record.stop = "diverged";
}

/// Every rank knows the weights, and what it takes to pay by them.
void FederatedProtocol::settle(const RuleOutput& output, RoundRecord& record) {
  std::vector<double> products(received_.size(), 0.0);
  double root_norm = 0.0;
  if (market_->needs_cosine()) {
    products = dots(comm_, updates_, *root_update_);
    root_norm = std::sqrt(squared_norm(comm_, updates_.plan(), *root_update_));
  }
  std::vector<Delivery> deliveries;
  for (std::size_t k = 0; k < received_.size(); ++k) {
    const AgentId seller = received_[k].client;
    const double scale = root_norm * std::sqrt(received_[k].squared_norm);
    const ClientWork work = work_of(seller);
    deliveries.push_back({.seller = seller,
                          .weight = output.weights[k],
                          .cosine = scale > 0.0 ? products[k] / scale : 0.0,
                          .flops = work.flops,
                          .bytes = work.bytes_down + work.bytes_up});
  }
  std::ranges::sort(deliveries, {}, &Delivery::seller);
  market_->settle(deliveries, record);
}

void FederatedProtocol::apply(const RuleOutput& output, RoundRecord& record) {
  const auto trainable = std::span(global_).first(step_.size());
  std::ranges::copy(trainable, change_.begin());
  if (output.restart) {
    initialise();
    record.events.push_back({"restart", -1, "the aggregator asks for training anew from the initial model"});
  } else {
    replicate(comm_, updates_.plan(), output.step, step_);
    server_->apply(step_, static_cast<float>(scenario_.server().learning_rate()), trainable);
    if (step_.size() < global_.size()) apply_buffers(output.weights);
  }
  for (std::size_t v = 0; v < change_.size(); ++v) change_[v] = global_[v] - change_[v];
}

/// What the server tells everybody, attackers among them.
void FederatedProtocol::publish(RoundIndex round, const RuleOutput& output, RoundRecord& record) {
  const auto level = scenario_.server().publishes();
  std::vector<AgentId> agents;
  std::vector<double> selected, weights;
  std::vector<std::size_t> order(received_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t k) { return received_[k].client; });
  for (const std::size_t k : order) {
    agents.push_back(received_[k].client);
    if (level != scenario::Server::NOTHING) selected.push_back(output.weights[k] != 0.0 ? 1.0 : 0.0);
    if (level == scenario::Server::WEIGHTS) weights.push_back(output.weights[k]);
  }
  const ColumnVector change(comm_, change_);
  attackers_->observe({comm_, round, agents, selected, weights, change, change_.size()}, record);
}

/// Running statistics are averaged with the rule's weights; they take no part in scores.
void FederatedProtocol::apply_buffers(std::span<const double> weights) {
  std::vector<std::size_t> rows;
  for (const ReceivedUpdate& update : received_) rows.push_back(update.row);
  const ColumnMatrix buffers = buffer_columns_.select(comm_, rows);
  const ColumnVector change = combine(buffers, weights);
  std::vector<float> whole(buffers.dimension());
  replicate(comm_, buffers.plan(), change, whole);
  const auto values = std::span(global_).subspan(step_.size());
  for (std::size_t v = 0; v < whole.size(); ++v) values[v] += whole[v];
}

void FederatedProtocol::evaluate(Phases& phases, RoundRecord& record) {
  TestResult result;
  phases.local("evaluate", [&] { evaluator_->test_own_batches(comm_, *network_, global_); });
  phases.collective("gather test", [&] { result = evaluator_->gather(comm_); });
  record_test(result, poisoner_->groups_with_goals(), record);
  if (market_ != nullptr) market_->note_accuracy(result.accuracy, record);
  if (validation_ != nullptr) {
    phases.local("evaluate", [&] { validation_->test_own_batches(comm_, *network_, global_); });
    phases.collective("gather test", [&] {
      const TestResult held_out = validation_->gather(comm_);
      record.add("validation_accuracy", held_out.accuracy);
      record.add("validation_loss", held_out.loss);
    });
  }
  const std::optional<std::string> stop = stop_tests_.note(result);
  if (stop_tests_.first_at_target()) {
    record.events.push_back({"target reached", -1, fmt::format("accuracy {}", result.accuracy)});
  }
  if (!std::isfinite(result.loss)) {
    record.stop = "diverged";
  } else if (stop && !record.stop) {
    record.stop = stop;
  }
}

void FederatedProtocol::serialize(Archive& archive) {
  auto layout = static_cast<std::int64_t>(network_->layout().fingerprint());
  archive.field("parameter layout", layout);
  SOUK_REQUIRE(layout == static_cast<std::int64_t>(network_->layout().fingerprint()),
               "saved state: its parameters have other names or shapes than this model's");
  archive.field("parameters", global_);
  SOUK_REQUIRE(global_.size() == network_->layout().dimension(), "saved state: the model has {} parameters, not {}",
               global_.size(), network_->layout().dimension());
  server_->serialize(archive);
  rule_->serialize(archive, comm_);
  attackers_->serialize(archive, comm_);
  poisoner_->serialize(archive);
  archive.field("last change", change_);
  stop_tests_.serialize(archive);
  if (market_ != nullptr) market_->serialize(archive);
}

Footprint FederatedProtocol::footprint(int rank_count) const {
  Footprint footprint;
  const auto ranks = static_cast<double>(rank_count);
  const std::size_t parameters = network_->layout().dimension();
  const double model_bytes = static_cast<double>(parameters * sizeof(float));
  const auto updates = static_cast<double>(selector_->wanted());
  footprint.clients = population_->clients();
  footprint.updates_per_round = selector_->wanted();
  footprint.parameters = parameters;
  footprint.malicious_per_round = expected_malicious(selector_->wanted(), *population_);
  if (needs_.tolerated_f) footprint.tolerated_f = tolerated_f_;
  footprint.bytes_down_per_round = updates * model_bytes;
  footprint.bytes_up_per_round = updates * model_bytes;
  footprint.data_bytes = static_cast<double>(data_.memory->bytes().size());
  footprint.partition_bytes = static_cast<double>(deal_.deal.samples.capacity() * sizeof(SampleIndex) +
                                                  deal_.deal.offsets.capacity() * sizeof(std::uint64_t));
  footprint.model_bytes = 6.0 * model_bytes;  // global, local, gradient, step, server state (at most two)
  const auto crafted = std::min(updates, static_cast<double>(population_->malicious()));
  const bool judges = needs_.validators || needs_.root_data;
  double columns = (ranks > 1 ? updates : 0.0) + crafted;  // of a rank's share; one rank views its rows
  if (scenario_.aggregator().pre_size() > 0) columns += updates;
  if (judges) columns += updates + 1.0;  // candidates, and whole ones on the ranks that judge them
  if (needs_.history) columns += static_cast<double>(footprint.clients);
  const double whole_candidates = judges ? std::ceil((updates + 1.0) / ranks) + 1.0 : 0.0;
  footprint.update_bytes =
      (std::ceil(updates / ranks) + whole_candidates) * model_bytes + columns * model_bytes / ranks;
  const std::size_t batch =
      std::max<std::size_t>(scenario_.evaluation().batch_size(), scenario_.task().training().batch_size());
  footprint.work_bytes = static_cast<double>(batch * data_.train.features() * sizeof(float)) + 64e6;
  const double mean_samples = static_cast<double>(deal_.deal.samples.size()) / static_cast<double>(footprint.clients);
  footprint.flops_per_round = updates * 3.0 * network_->forward_flops() *
                              static_cast<double>(samples_trained(static_cast<std::size_t>(mean_samples)));
  footprint.flops_per_test = network_->forward_flops() * static_cast<double>(data_.test.size());
  return footprint;
}

}  // namespace

void require_memory(const Footprint& footprint, int ranks_on_node) {
  const double needed = footprint.rank_bytes() * static_cast<double>(ranks_on_node);
  const double available = available_memory();
  SOUK_REQUIRE(needed <= available, "the scenario needs {} ({} rank(s) with {} each), this node has {} to give",
               bytes_text(needed), ranks_on_node, bytes_text(footprint.rank_bytes()), bytes_text(available));
}

std::unique_ptr<Federated> make_federated(const Comm& comm, const scenario::Scenario& scenario,
                                          const std::string& device, SharedData data) {
  return std::make_unique<FederatedProtocol>(comm, scenario, device, std::move(data));
}

std::unique_ptr<Federated> make_federated(const Comm& comm, const scenario::Scenario& scenario,
                                          const std::string& device) {
  return make_federated(comm, scenario, device, load_shared_data(comm, scenario.task().data(), scenario.seed()));
}

}  // namespace souk
