#include "agents/protocols/federated.hpp"

#include <algorithm>
#include <cmath>

#include "agents/attack_schedule.hpp"
#include "agents/federation.hpp"
#include "agents/market/sellers.hpp"
#include "agents/market/trade.hpp"
#include "agents/owners.hpp"
#include "agents/protocols/server.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/memory.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"

namespace souk {
namespace {

constexpr double models_on_rank = 6.0;  ///< global, local, gradient, step, server state (at most two)

/// What one owner's rule and market ask for, known before any data are dealt.
struct OwnerNeeds {
  bool root = false;
  bool validators = false;
};

/// Throws InputError where the data set has no classes and the rule judges by them.
OwnerNeeds needs_of(const scenario::Scenario& scenario, const Owner& owner, const Dataset& train) {
  const RuleNeeds rule = make_aggregator(*owner.aggregator)->needs();
  SOUK_REQUIRE(!rule.classes || train.classes() > 0,
               "aggregator.{}: judges models by class, and the data set has numbers to predict",
               plugin_name(chosen(*owner.aggregator, "rule")->GetDescriptor()));
  TradeNeeds trade;
  if (scenario.has_market()) trade = trade_needs(scenario, owner);
  return {.root = rule.root_update || rule.root_data || trade.root_update || trade.root_data || owner.root->always(),
          .validators = rule.validators};
}

/// What does not change about the sellers.
std::vector<SellerFacts> facts_of(const Federation& federation) {
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

/// Refuses liars whom nobody asks, and schedules without a round.
void check_attacks(const scenario::Scenario& scenario, bool validating) {
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    AttackSchedule(scenario.attacks(g), g).idle_part(scenario.rounds());
    SOUK_REQUIRE(validating || scenario.attacks(g).validation_case() == scenario::Attack::VALIDATION_NOT_SET,
                 "attacks[{}]: lies as a validator, and no aggregator here asks validators", g);
  }
}

/// What attacker groups will not do, known before the first round.
void note_idle_attacks(const scenario::Scenario& scenario, SetUpRecord& record) {
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const scenario::Attack& group = scenario.attacks(g);
    const std::string idle = AttackSchedule(group, g).idle_part(scenario.rounds());
    if (!idle.empty()) record.events.push_back({"idle attack", -1, fmt::format("attacks[{}] {}", g, idle)});
    const bool none = (group.has_poison_share() && group.poison_share() == 0.0) ||
                      (group.has_poison_per_batch() && group.poison_per_batch() == 0);
    if (!none || group.data_case() == scenario::Attack::DATA_NOT_SET) continue;
    record.events.push_back({"idle attack", -1, fmt::format("attacks[{}] poisons no sample", g)});
  }
}

/// A rival's part of a round goes into the whole round's record under the rival's name and account.
void merge_rival(const Owner& owner, RoundRecord&& rival, RoundRecord& record) {
  const std::string prefix = "buyer." + owner.name + ".";
  for (MetricValue& metric : rival.metrics) {
    record.add(prefix + metric.name, metric.value, metric.agent, metric.label);
  }
  for (SelectionRow& row : rival.selections) {
    row.buyer = owner.terms.account;
    if (row.weight) record.add(prefix + "weight", *row.weight, row.agent.value);
    record.selections.push_back(std::move(row));
  }
  for (TrafficRow& row : rival.traffic) {
    const auto same = std::ranges::find(record.traffic, row.kind, &TrafficRow::kind);
    if (same == record.traffic.end()) {
      record.traffic.push_back(std::move(row));
    } else {
      same->messages += row.messages;
      same->bytes += row.bytes;
    }
  }
  for (EventRow& event : rival.events) record.events.push_back({prefix + event.kind, event.agent, event.text});
  for (TransferRow& row : rival.transfers) {
    row.buyer = owner.terms.account;
    record.transfers.push_back(std::move(row));
  }
}

/// Buyers, sellers and the money between them.
struct Marketplace {
  Ledger ledger;
  std::unique_ptr<Sellers> sellers;
  std::vector<std::unique_ptr<Trade>> trades;  ///< [buyers]

  /// Sellers start with some money of their own.
  void endow(MicroCredits capital, std::size_t count, RoundRecord& record) {
    if (capital == 0) return;
    for (std::size_t id = 0; id < count; ++id) {
      ledger.issue(static_cast<std::int64_t>(id), capital, record);
      record.transfers.back().buyer = account::market;
    }
  }
};

/// The least that the ranks of a node need, known from the list of layers and the numbers of clients and classes:
/// refused before anything is allocated for them.
void require_room_for(const scenario::Scenario& scenario, const Dataset& train, std::size_t owners, int node_ranks,
                      int ranks) {
  const Architecture network = make_architecture(scenario.task().model(), model_shape(train));
  const auto parameters = static_cast<double>(network.layout().dimension());
  const std::size_t clients = scenario.participants().clients();
  const scenario::Participants& participants = scenario.participants();
  const double everyone = static_cast<double>(clients);
  const double updates = participants.everyone()       ? everyone
                         : participants.has_fraction() ? participants.fraction() * everyone
                                                       : std::min<double>(participants.per_round(), everyone);
  const double copies = models_on_rank * static_cast<double>(owners) + std::ceil(updates / ranks);
  const double model = copies * parameters * sizeof(float) * node_ranks;
  const double available = available_memory();
  SOUK_REQUIRE(
      model <= available,
      "task.model: the network has {:.0f} parameters, of which {} rank(s) hold at least {:.0f} copies each: {}, "
      "and this node has {} to give",
      parameters, node_ranks, copies, bytes_text(model), bytes_text(available));
  const double table = static_cast<double>(clients) * train.classes() * sizeof(std::uint32_t) * node_ranks;
  SOUK_REQUIRE(table <= available,
               "participants.clients = {}: to count the samples of {} classes of each takes {} on {} rank(s), and this "
               "node has {} to give",
               clients, train.classes(), bytes_text(table), node_ranks, bytes_text(available));
}

/// Accounts and what is known of every seller, for every buyer.
Footprint sellers_footprint(std::size_t sellers, std::size_t buyers) {
  constexpr double each = 400.0;  // books, facts and income of one with one buyer
  Footprint footprint;
  footprint.held = each * static_cast<double>(sellers * buyers);
  return footprint;
}

/// Whatever is saved passes through a buffer, and columns through one more.
Footprint checkpoint_footprint() {
  Footprint footprint;
  footprint.at(Moment::saving) = 6e6;
  return footprint;
}

/// The program itself: libraries' own memory, and with several ranks MPI's.
Footprint program_footprint(int ranks) {
  Footprint footprint;
  footprint.held = ranks > 1 ? 60e6 : 50e6;
  return footprint;
}

/// Of the parts of this name, of all owners.
double flops_of(std::span<const PartFootprint> parts, const std::string& name) {
  double flops = 0.0;
  for (const PartFootprint& part : parts) flops += part.part.ends_with(name) ? part.footprint.flops : 0.0;
  return flops;
}

class FederatedProtocol final : public Federated {
 public:
  FederatedProtocol(const Comm& comm, const scenario::Scenario& scenario, const std::string& device, SharedData data);
  SetUpRecord set_up_record() const override;
  void run_round(RoundIndex round, bool last, Phases& phases, RoundRecord& record) override;
  void serialize(Archive& archive) override;
  std::span<const float> parameters() const override { return servers_.front()->parameters(); }
  RunEstimate estimate(int ranks) const override;

 private:
  void run_server(std::size_t index, RoundIndex round, bool last, Phases& phases, RoundRecord& record);
  template <class Work>
  void into_record_of(std::size_t index, RoundRecord& record, Work work) const;
  bool tests_are_due(RoundIndex round, bool last) const;
  bool is_over(std::size_t index) const { return !stops_[index].empty(); }
  bool all_are_over() const { return std::ranges::none_of(stops_, &std::string::empty); }

  const Comm comm_;
  const scenario::Scenario& scenario_;
  std::vector<Owner> owners_;
  std::unique_ptr<Federation> federation_;
  std::unique_ptr<Marketplace> market_;                ///< null: updates are given away
  std::vector<std::unique_ptr<ModelServer>> servers_;  ///< [owners]
  std::vector<std::string> stops_;                     ///< [owners] why its model stays as it is; "": it does not
};

FederatedProtocol::FederatedProtocol(const Comm& comm, const scenario::Scenario& scenario, const std::string& device,
                                     SharedData data)
    : comm_(comm), scenario_(scenario) {
  const int node_ranks = comm.node().size();
  comm.run_phase("set up", [&] {
    owners_ = owners_of(scenario);
    stops_.resize(owners_.size());
    std::vector<const scenario::Root*> roots;
    bool validating = false;
    for (const Owner& owner : owners_) {
      const OwnerNeeds needs = with_owner_path(roots.size(), [&] { return needs_of(scenario, owner, data.train); });
      roots.push_back(needs.root ? owner.root : nullptr);
      validating = validating || needs.validators;
    }
    check_attacks(scenario, validating);
    require_room_for(scenario, data.train, owners_.size(), node_ranks, comm.size());
    federation_ = std::make_unique<Federation>(scenario, device, std::move(data), roots, validating);
    if (scenario.has_market()) {
      market_ = std::make_unique<Marketplace>();
      market_->sellers = std::make_unique<Sellers>(scenario.market(), scenario.seed(),
                                                   federation_->population().clients(), owners_.size());
    }
    const std::vector<SellerFacts> facts = market_ != nullptr ? facts_of(*federation_) : std::vector<SellerFacts>();
    for (std::size_t i = 0; i < owners_.size(); ++i) {
      if (market_ != nullptr) {
        market_->trades.push_back(
            std::make_unique<Trade>(*federation_, owners_[i], i, market_->ledger, *market_->sellers, facts));
      }
      Trade* trade = market_ != nullptr ? market_->trades[i].get() : nullptr;
      servers_.push_back(
          with_owner_path(i, [&] { return std::make_unique<ModelServer>(comm_, *federation_, owners_[i], i, trade); }));
    }
    require_memory(estimate(comm.size()), node_ranks);
  });
}

SetUpRecord FederatedProtocol::set_up_record() const {
  SetUpRecord record = federation_->record(market_ == nullptr ? "client" : "seller");
  for (const std::string& remark : servers_.front()->remarks_on_attacks()) {
    record.events.push_back({"odd trigger", -1, remark});
  }
  note_idle_attacks(scenario_, record);
  if (federation_->population().malicious() == federation_->population().clients()) {
    record.events.push_back(
        {"no benign client", -1, "every client is malicious: nothing can be said about benign ones"});
  }
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    const std::string prefix = i == 0 ? "" : "buyer." + owners_[i].name + ".";
    if (servers_[i]->needs().tolerated_f) {
      record.metrics.push_back({prefix + "tolerated_f", static_cast<double>(servers_[i]->tolerated_f())});
    }
    if (!federation_->root(i).empty()) {
      record.metrics.push_back({prefix + "root_samples", static_cast<double>(federation_->root(i).size())});
    }
  }
  return record;
}

void FederatedProtocol::run_round(RoundIndex round, bool last, Phases& phases, RoundRecord& record) {
  if (market_ != nullptr) {
    phases.prepare("announce", [&] {
      if (round.value == 1) {
        market_->endow(to_micro(scenario_.market().sellers().capital()), federation_->population().clients(), record);
      }
      market_->sellers->begin_round(round, record);
    });
  }
  std::vector<std::size_t> untested;  // whoever was done before, where no test is due
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (is_over(i) && !tests_are_due(round, last)) untested.push_back(i);
    into_record_of(i, record, [&](RoundRecord& own) { run_server(i, round, last, phases, own); });
  }
  if (market_ != nullptr) market_->sellers->end_round(record);
  record.stop.reset();
  if (!all_are_over()) return;
  // The last round of the whole run has everybody's numbers.
  for (const std::size_t i : untested) {
    into_record_of(i, record, [&](RoundRecord& own) { servers_[i]->evaluate(last, phases, own); });
  }
  record.stop = stops_.front();  // a run is what became of its first model; the events say what became of the others
}

bool FederatedProtocol::tests_are_due(RoundIndex round, bool last) const {
  return last || round.value % scenario_.evaluation().every() == 0;
}

/// One owner's round. Whoever is done is tested all the same, as often as the others.
void FederatedProtocol::run_server(std::size_t index, RoundIndex round, bool last, Phases& phases,
                                   RoundRecord& record) {
  const bool works = !is_over(index);
  if (works) servers_[index]->run_round(round, phases, record);
  if (tests_are_due(round, last) || record.stop) servers_[index]->evaluate(last, phases, record);
  if (!works || !record.stop) return;
  stops_[index] = *record.stop;
  if (servers_.size() > 1) {
    record.events.push_back(
        {"stopped", owners_[index].terms.account, fmt::format("the buyer is done: {}", *record.stop)});
  }
}

/// Lets `work` write one owner's part of a round: the first owner's is the round's record, a rival's goes into it.
template <class Work>
void FederatedProtocol::into_record_of(std::size_t index, RoundRecord& record, Work work) const {
  if (index == 0) return work(record);
  RoundRecord own;
  own.round = record.round;
  work(own);
  // A seller trains for one buyer after the other, or for one alone.
  record.virtual_seconds = scenario_.market().sale() == scenario::Market::EXCLUSIVE
                               ? std::max(record.virtual_seconds, own.virtual_seconds)
                               : record.virtual_seconds + own.virtual_seconds;
  merge_rival(owners_[index], std::move(own), record);
}

void FederatedProtocol::serialize(Archive& archive) {
  const ParameterLayout& parameters = federation_->task().layout();
  auto layout = static_cast<std::int64_t>(parameters.fingerprint());
  archive.field("parameter layout", layout);
  SOUK_REQUIRE(layout == static_cast<std::int64_t>(parameters.fingerprint()),
               "saved state: its parameters have other names or shapes than this model's");
  for (const auto& server : servers_) server->serialize(archive);
  for (std::string& stop : stops_) archive.field("stop", stop);
  if (market_ == nullptr) return;
  market_->ledger.serialize(archive);
  market_->sellers->serialize(archive);
}

RunEstimate FederatedProtocol::estimate(int ranks) const {
  RunEstimate estimate;
  const auto models = static_cast<double>(servers_.size());
  const double model_bytes = static_cast<double>(federation_->parameters() * sizeof(float));
  estimate.clients = federation_->population().clients();
  estimate.updates_per_round = federation_->selector().wanted();
  estimate.parameters = federation_->parameters();
  estimate.malicious_per_round = federation_->expected_malicious();
  if (servers_.front()->needs().tolerated_f) estimate.tolerated_f = servers_.front()->tolerated_f();
  estimate.bytes_down_per_round = models * static_cast<double>(estimate.updates_per_round) * model_bytes;
  estimate.bytes_up_per_round = estimate.bytes_down_per_round;
  estimate.flops_per_test =
      models * federation_->task().forward_flops() * static_cast<double>(federation_->task().units(Split::test));
  estimate.parts = federation_->footprints();
  estimate.parts.push_back(
      {"network", federation_->task().footprint(federation_->largest_batch(), scenario_.evaluation().batch_size())});
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    for (PartFootprint& part : servers_[i]->footprints(ranks)) {
      if (i > 0) part.part = fmt::format("buyer.{}: {}", owners_[i].name, part.part);
      estimate.parts.push_back(std::move(part));
    }
  }
  if (market_ != nullptr) estimate.parts.push_back({"sellers", sellers_footprint(estimate.clients, servers_.size())});
  estimate.parts.push_back({"checkpoints", checkpoint_footprint()});
  estimate.parts.push_back({"program", program_footprint(ranks)});
  return estimate;
}

}  // namespace

double RunEstimate::training_flops() const { return flops_of(parts, ModelServer::training_part); }
double RunEstimate::judging_flops() const { return flops_of(parts, ModelServer::judging_part); }

void require_memory(const RunEstimate& estimate, int ranks_on_node) {
  const double needed = estimate.rank_bytes() * static_cast<double>(ranks_on_node);
  const double available = available_memory();
  SOUK_REQUIRE(needed <= available, "the scenario needs {} ({} rank(s) with {} each), this node has {} to give",
               bytes_text(needed), ranks_on_node, bytes_text(estimate.rank_bytes()), bytes_text(available));
}

std::unique_ptr<Federated> make_federated(const Comm& comm, const scenario::Scenario& scenario,
                                          const std::string& device, SharedData data) {
  if (data.memory == nullptr) data = load_shared_data(comm, scenario.task().data(), scenario.seed());
  return std::make_unique<FederatedProtocol>(comm, scenario, device, std::move(data));
}

}  // namespace souk
