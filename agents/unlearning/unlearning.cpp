// The unlearning section: requests to forget, carried out before the learning of the rounds in which they fall due.
#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "agents/stage.hpp"
#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/comparison.hpp"
#include "agents/unlearning/data_changes.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/requests.hpp"
#include "agents/unlearning/retraining.hpp"
#include "agents/unlearning/verifier.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

HistoryNeeds history_needs_of(const Requests& requests) {
  HistoryNeeds needs;
  for (std::size_t i = 0; i < requests.size(); ++i) needs.add(requests.operator_of(i).needs());
  return needs;
}

/// Before anything is built from the data.
const Federation& as_it_reads_at_first(const World& world) {
  read_at_first(world.federation);
  return world.federation;
}

/// Requests of one round that are carried out together.
struct RequestBatch {
  std::size_t index = 0;  ///< of the first, after whom it is named
  Forgotten what{};
  std::vector<AgentId> thrown_out{};
};

class Unlearning final : public Stage {
 public:
  explicit Unlearning(const World& world)
      : world_(world),
        requests_(world.scenario, as_it_reads_at_first(world)),
        history_(world, history_needs_of(requests_)) {
    const scenario::Unlearning& config = world.scenario.unlearning();
    SOUK_REQUIRE(!config.has_settlement() || world.scenario.has_market(),
                 "unlearning.settlement: moves money, and the scenario has no market");
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      try {
        requests_.operator_of(i).check(world);
      } catch (const InputError& error) {
        throw_input_error("{}.{}: {}", path_of_request(i), requests_.operator_name(i), error.what());
      }
      verifiers_.emplace_back(config.requests(static_cast<int>(i)), path_of_request(i), world);
    }
    for (const Owner& owner : world.owners) {
      SOUK_REQUIRE(!requests_.let_clients_leave() || !make_aggregator(*owner.aggregator)->needs().everyone,
                   "unlearning: the aggregator needs every client in every round, and requests let clients leave");
    }
  }

  bool shapes_models() const override { return false; }
  ServerHooks* hooks(std::size_t owner) override { return &history_.of(owner); }

  void run(RoundIndex round, bool, Phases& phases, RoundRecord& record) override {
    std::vector<RequestBatch> batches;
    phases.prepare("requests", [&] { batches = batches_of(round, record); });
    for (const RequestBatch& batch : batches) phases.collective("forget", [&] { carry_out(batch, round, record); });
    if (round.value > 1) phases.collective("forget", [&] { history_.save_before(round); });
  }

  /// The server that has the mean of clusters' models goes through no rounds that its history could listen to.
  void end(RoundRecord& record) override {
    if (world_.scenario.has_clusters()) history_.of(0).note_asked(record);
  }

  void serialize(Archive& archive) override {
    Forgotten gone = world_.federation.forgotten();
    gone.serialize(archive);
    if (archive.loading()) {
      world_.federation.forget_exactly(gone);
      for (std::size_t i = 0; i < history_.owners(); ++i) server(i).forget();
    }
    std::int64_t training = world_.federation.noise().training();
    archive.field("training whose noise is in the objective", training);
    if (archive.loading()) world_.federation.draw_noise(static_cast<std::uint32_t>(training));
    history_.serialize(archive);
    requests_.serialize(archive);
  }

  std::vector<PartFootprint> footprints(int ranks) const override {
    PartFootprint states{"saved states for forgetting", {}}, second{"retraining", {}}, looks{"forgetting", {}};
    states.footprint.held = history_.bytes();
    Footprint all;
    for (const auto& stage : world_.stages) {
      if (stage->shapes_models()) all += sum_of(stage->footprints(ranks));
    }
    if (retrains()) second.footprint.at(Moment::forgetting) = all.rank();
    // Sums over clients, of up to 32 at once, and what a solver keeps.
    const auto model = static_cast<double>(world_.federation.parameters() * sizeof(float));
    looks.footprint.at(Moment::forgetting) = model * (64.0 / ranks + 20.0);
    PartFootprint verifying{"verifiers", {}};
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (verifiers_[i].trained_models() == 0) continue;
      double& most = verifying.footprint.at(Moment::forgetting);
      most = std::max(most, verifiers_[i].bytes(world_, static_cast<double>(requests_.named_units(i))));
    }
    return {states, second, looks, verifying};
  }

  std::vector<Forecast> forecasts() override {
    std::vector<Forecast> all;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      const std::uint64_t models = verifiers_[i].trained_models();
      if (models == 0) continue;
      all.push_back({"verifiers", fmt::format("train {} models of their own each time that \"{}\" is carried out",
                                              models, requests_.name(i))});
    }
    return all;
  }

 private:
  ModelServer& server(std::size_t owner) const { return history_.of(owner).server(); }

  bool retrains() const {
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      const scenario::ForgetRequest& request = world_.scenario.unlearning().requests(static_cast<int>(i));
      if (requests_.operator_of(i).retrains() || request.has_reference()) return true;
    }
    return false;
  }

  std::vector<RequestBatch> batches_of(RoundIndex round, RoundRecord& record) const {
    std::vector<RequestBatch> batches;
    for (DueRequest& due : requests_.due(round, history_)) {
      if (due.what.empty()) {
        record.events.push_back(
            {"nothing to forget", -1,
             fmt::format("\"{}\": nothing that it names is there any more", requests_.name(due.index))});
        continue;
      }
      const auto same =
          std::ranges::find_if(batches, [&](const RequestBatch& b) { return requests_.alike(b.index, due.index); });
      if (same == batches.end()) {
        batches.push_back({due.index, std::move(due.what), std::move(due.thrown_out)});
        continue;
      }
      record.events.push_back(
          {"forgotten together", -1,
           fmt::format("\"{}\" with \"{}\"", requests_.name(due.index), requests_.name(same->index))});
      same->what.add(due.what);
      std::vector<AgentId> all;
      std::ranges::set_union(same->thrown_out, due.thrown_out, std::back_inserter(all));
      same->thrown_out = std::move(all);
    }
    return batches;
  }

  /// The first round whose learning anything of it has touched; none: no round's.
  std::optional<RoundIndex> first_touched(const Forgotten& what, const std::vector<DealtUnits>& holders) const {
    const bool validating = server(0).needs().validators;
    const bool come = std::ranges::any_of(what.readings, [&](const auto& entry) {
      return world_.federation.forgotten().readings.contains(entry.first) &&
             world_.federation.forgotten().readings.at(entry.first).held_back;
    });
    if (!what.graph.empty() || validating || come || touches_root(world_.federation, what, history_.owners())) {
      return RoundIndex{1};
    }
    std::vector<AgentId> clients = what.clients;
    for (const DealtUnits& holder : holders) clients.push_back(holder.client);
    return history_.first_asked(clients);
  }

  std::vector<Look> looks_at_all(std::span<const DealtUnits> holders, bool edges) const {
    std::vector<Look> looks;
    for (std::size_t i = 0; i < history_.owners(); ++i) {
      const ModelServer::Answering turned(server(i));
      looks.push_back(look_at(server(i), server(i).parameters(), holders, edges));
    }
    return looks;
  }

  void carry_out(const RequestBatch& batch, RoundIndex round, RoundRecord& record) {
    Federation& federation = world_.federation;
    const std::string name = requests_.name(batch.index);
    const std::vector<DealtUnits> holders = holders_of(federation, batch.what);
    const std::vector<SampleIndex> units = units_of(holders);
    const std::optional<RoundIndex> touched = first_touched(batch.what, holders);
    const bool edges = !batch.what.graph.edges.empty();
    const bool readings = !batch.what.readings.empty();
    std::vector<Look> before;
    if (!readings) before = looks_at_all(holders, edges);
    const auto graph_in_use = federation.graph_in_use();  // keeps what the next line refers to
    const Graph graph_before = federation.data().graph;
    const Dataset train_before = federation.train();
    const QuestionedPairs questioned =
        questioned_pairs(graph_before, batch.what.graph.edges, world_.scenario.seed(), round);
    federation.forget(batch.what);
    for (std::size_t i = 0; i < history_.owners(); ++i) server(i).forget();
    record.events.push_back({"forgotten", -1, fmt::format("\"{}\": {}", name, text_of(batch.what))});
    const std::vector<DealtUnits> changed = holders_of_readings(federation, batch.what.readings);
    const std::vector<DealtUnits> in_question = united(holders, changed);
    if (readings) before = looks_at_all(in_question, edges);  // as the samples are to read
    ForgettingCost cost;
    if (touched) {
      std::vector<ModelServer*> servers;
      for (std::size_t i = 0; i < history_.owners(); ++i) servers.push_back(&server(i));
      cost = requests_.operator_of(batch.index)
                 .forget({.world = world_,
                          .name = name,
                          .round = round,
                          .servers = servers,
                          .now = batch.what,
                          .units = units,
                          .holders = holders,
                          .changed = changed,
                          .touched = *touched,
                          .graph_before = graph_before,
                          .train_before = train_before,
                          .history = history_},
                         record);
    } else {
      record.events.push_back({"never took part", -1, fmt::format("\"{}\": the model is what it was", name)});
    }
    compare(batch.index, round, in_question, questioned, std::move(before), record);
    history_.forget(batch.what, holders, touched.value_or(round));
    if (touched) {
      for (std::size_t i = 0; i < history_.owners(); ++i) history_.of(i).note_come(changed, round);
    }
    record_cost(batch, cost, units_of(in_question).size(), "unlearning." + name + ".", record);
    const Forgetting forgetting{.round = round, .now = batch.what, .thrown_out = batch.thrown_out, .cost = cost};
    for (const auto& stage : world_.stages) stage->forget(forgetting, record);
  }

  /// Whether it was forgotten: by those who check, and by the models that never saw it.
  void compare(std::size_t index, RoundIndex round, std::span<const DealtUnits> holders,
               const QuestionedPairs& questioned, std::vector<Look> before, RoundRecord& record) {
    const scenario::ForgetRequest& request = world_.scenario.unlearning().requests(static_cast<int>(index));
    std::vector<Columns> columns;
    const bool edges = questioned.edges > 0;
    std::vector<Look> after = looks_at_all(holders, edges);
    for (std::size_t i = 0; i < after.size(); ++i) {
      columns.push_back({.before = std::move(before[i]), .after = std::move(after[i])});
    }
    if (request.has_reference()) {
      retrain(round, holders, edges, {}, columns);
      for (std::uint32_t s = 0; s < request.reference().other_seeds(); ++s) {
        retrain(round, holders, edges, seed_of_reference(s), columns);
      }
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string prefix = prefix_of_numbers(world_.owners[i], i, requests_.name(index));
      record_columns(columns[i], questioned, world_.federation, prefix, record);
      verifiers_[index].record({.server = server(i),
                                .after = server(i).parameters(),
                                .look_before = columns[i].before,
                                .look_after = columns[i].after,
                                .holders = holders,
                                .round = round},
                               prefix, record);
    }
  }

  void retrain(RoundIndex round, std::span<const DealtUnits> holders, bool edges, std::optional<std::uint64_t> seed,
               std::vector<Columns>& columns) {
    Retraining retraining(world_, seed);
    retraining.train_through({round.value - 1});
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const ModelServer::Answering as(retraining.model(i), world_.federation.task());
      Look look = look_at(server(i), retraining.model(i).parameters(), holders, edges);
      if (seed) {
        columns[i].other_retrained.push_back(std::move(look));
      } else {
        columns[i].retrained = std::move(look);
      }
    }
  }

  std::uint64_t seed_of_reference(std::uint32_t which) const {
    return Stream(world_.scenario.seed(), streams::seed_of_reference(which)).next_seed();
  }

  void record_cost(const RequestBatch& batch, const ForgettingCost& cost, std::size_t units, const std::string& prefix,
                   RoundRecord& record) const {
    record.add(prefix + "clients", static_cast<double>(batch.what.clients.size()));
    record.add(prefix + "units", static_cast<double>(units));
    record.add(prefix + "edges", static_cast<double>(batch.what.graph.edges.size()));
    record.add(prefix + "gradients", cost.gradients);
    record.add(prefix + "gflops", cost.flops / 1e9);
    record.add(prefix + "megabytes", cost.megabytes);
    record.add(prefix + "messages", static_cast<double>(cost.messages));
  }

  const World& world_;
  Requests requests_;
  History history_;
  std::vector<Verifiers> verifiers_;  ///< [requests]
};

const RegisterStage register_unlearning({.name = "unlearning",
                                         .place = Place::forgetting,
                                         .is_in =
                                             [](const scenario::Scenario& scenario) {
                                               return scenario.unlearning().requests_size() > 0 ||
                                                      scenario.unlearning().at_first_size() > 0;
                                             },
                                         .make = [](const World& world) -> std::unique_ptr<Stage> {
                                           return std::make_unique<Unlearning>(world);
                                         }});

}  // namespace
}  // namespace souk
