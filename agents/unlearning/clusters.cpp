#include "agents/unlearning/clusters.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "agents/training/model_server.hpp"
#include "agents/unlearning/operator.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

void check(const World& world) {
  const scenario::Scenario& scenario = world.scenario;
  const char* section = scenario.has_market()                             ? "market"
                        : scenario.has_privacy()                          ? "privacy"
                        : scenario.has_inference()                        ? "inference"
                        : scenario.has_communication()                    ? "communication"
                        : scenario.task().training().has_sample_privacy() ? "task.training.sample_privacy"
                                                                          : nullptr;
  SOUK_REQUIRE(section == nullptr, "clusters: train a model each, and {} is about one; leave one of them out",
               section == nullptr ? "" : section);
  SOUK_REQUIRE(scenario.clusters().count() <= world.federation.population().genuine(),
               "clusters.count = {}: there are {} clients", scenario.clusters().count(),
               world.federation.population().genuine());
}

/// Of graphs: that whatever a cluster learns from is its own clients' nodes.
void check_graph(const World& world) {
  const scenario::Scenario& scenario = world.scenario;
  if (world.federation.data().graph.nodes() == 0) return;
  SOUK_REQUIRE(world.federation.data().graph.own_nodes,
               "clusters: nodes feel those of other clusters; let clients see their own alone (sight: OWN_NODES)");
  const bool inserts = std::ranges::any_of(scenario.attacks(), [](const auto& attack) {
    return attack.structure_case() != scenario::Attack::STRUCTURE_NOT_SET;
  });
  const char* feature = scenario.task().training().has_early_stopping() ? "task.training.early_stopping"
                        : !world.federation.root(0).empty()             ? "root data"
                        : make_aggregator(*world.owners[0].aggregator)->needs().validators ? "a validator"
                        : inserts ? "an attack on the structure of the graph"
                                  : nullptr;
  SOUK_REQUIRE(feature == nullptr,
               "clusters: nodes of one are to know nothing of others', and {} looks at all of the graph",
               feature == nullptr ? "" : feature);
}

/// What the rule that puts models together cannot do, and what asks one model.
void check_together(const World& world, const TogetherRule& together) {
  const scenario::Scenario& scenario = world.scenario;
  const std::string name = plugin_name(chosen(scenario.clusters(), "together")->GetDescriptor());
  try {
    together.check(world.federation.task());
  } catch (const InputError& error) {
    throw_input_error("clusters.{}: {}", name, error.what());
  }
  SOUK_REQUIRE(!together.of_answers() || !scenario.has_service(),
               "clusters.{}: several models answer together, and the service has one; leave one of them out", name);
}

/// The scenario of each cluster: what only looks on is the server's.
std::unique_ptr<scenario::Scenario> scenario_of_clusters(const scenario::Scenario& whole) {
  auto scenario = std::make_unique<scenario::Scenario>(whole);
  scenario->clear_clusters();
  scenario->mutable_partition()->mutable_iid();  // not to deal slowly: the deal is the world's
  scenario->clear_unlearning();
  scenario->clear_service();
  scenario->mutable_evaluation()->set_every(std::numeric_limits<std::uint32_t>::max());
  return scenario;
}

/// What all models say of a batch, or of all nodes of a graph.
PartFootprint answer_footprint(const World& world, const TogetherRule& together, std::size_t models) {
  PartFootprint answers{"answers of clusters", {}};
  if (!together.of_answers()) return answers;
  const std::size_t nodes = world.federation.data().graph.nodes();
  const std::size_t units = nodes > 0 ? nodes : world.scenario.evaluation().batch_size();
  const auto outputs = static_cast<std::size_t>(std::max(world.federation.task().classes(), 1));
  const std::size_t learned_on = together.asks_first(world.federation).size();
  answers.footprint.at(Moment::testing) = static_cast<double>(models * (units + learned_on) * outputs * sizeof(float));
  return answers;
}

/// Messages of one kind are one row.
void add_traffic(std::span<const TrafficRow> from, std::vector<TrafficRow>& to) {
  for (const TrafficRow& row : from) {
    const auto same = std::ranges::find(to, row.kind, &TrafficRow::kind);
    if (same == to.end()) {
      to.push_back(row);
      continue;
    }
    same->messages += row.messages;
    same->bytes += row.bytes;
  }
}

/// Whether any client of a cluster trains on anything.
bool has_samples(const ModelServer& server) {
  const Federation& federation = server.federation();
  for (std::uint32_t id = 0; id < federation.population().genuine(); ++id) {
    if (federation.validators().training_count({id}) > 0) return true;
  }
  return false;
}

}  // namespace

std::vector<std::uint32_t> cluster_numbers(const scenario::Clusters& config, const Federation& federation) {
  const Population& population = federation.population();
  std::vector<std::uint32_t> order(population.genuine()), clusters(population.clients());
  std::iota(order.begin(), order.end(), 0U);
  if (config.assignment() == scenario::Clusters::RANDOM) {
    Stream(federation.scenario().seed(), streams::clusters()).shuffle(order);
    for (std::size_t i = 0; i < order.size(); ++i) clusters[order[i]] = static_cast<std::uint32_t>(i) % config.count();
  } else {
    const auto size = [&](std::uint32_t id) { return federation.deal_as_given().of(id).size(); };
    std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) { return size(a) > size(b); });
    std::vector<std::size_t> held(config.count(), 0);
    for (const std::uint32_t id : order) {
      const auto fewest = std::ranges::min_element(held);
      clusters[id] = static_cast<std::uint32_t>(fewest - held.begin());
      *fewest += size(id);
    }
  }
  for (auto id = static_cast<std::uint32_t>(population.genuine()); id < population.clients(); ++id) {
    clusters[id] = clusters[population.owner_of({id}).value];
  }
  return clusters;
}

/// Knows the server that has the mean.
class ClusterModels::Server final : public ServerHooks {
 public:
  explicit Server(ClusterModels& clusters) : clusters_(clusters) {}
  void attach(ModelServer& server) override { server_ = &server; }
  const AnswerChange* answers() override { return clusters_.answers(); }
  ModelServer& server() const { return *server_; }

 private:
  ClusterModels& clusters_;
  ModelServer* server_ = nullptr;
};

ClusterModels::ClusterModels(const World& world)
    : world_(world),
      together_(make_together_rule(world.scenario.clusters())),
      server_(std::make_unique<Server>(*this)) {
  check(world);
  check_graph(world);
  check_together(world, *together_);
  scenario_ = scenario_of_clusters(world.scenario);
  cluster_of_ = cluster_numbers(world.scenario.clusters(), world.federation);
  clusters_.resize(world.scenario.clusters().count());
  for (std::size_t c = 0; c < clusters_.size(); ++c) clusters_[c].simulation = simulation_of(c);
}

ServerHooks* ClusterModels::hooks(std::size_t) { return server_.get(); }

/// As it is before the first round, whatever has been forgotten.
std::unique_ptr<Simulation> ClusterModels::simulation_of(std::size_t cluster) const {
  Forgotten others;
  for (std::uint32_t id = 0; id < cluster_of_.size(); ++id) {
    if (cluster_of_[id] != cluster) others.clients.push_back({id});
  }
  return make_simulation(world_.comm, *scenario_, world_.device, world_.federation.data_as_given(), &world_.federation,
                         others);
}

void ClusterModels::set_up(SetUpRecord& record) const {
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    std::vector<std::string> members;
    for (std::uint32_t id = 0; id < cluster_of_.size(); ++id) {
      if (cluster_of_[id] == c) members.push_back(std::to_string(id));
    }
    record.events.push_back({"cluster", -1, fmt::format("{}: clients {}", c, fmt::join(members, ", "))});
  }
}

/// A round of each; their clients' rows are the round's, which is as long as the slowest.
void ClusterModels::run(RoundIndex round, bool, Phases& phases, RoundRecord& record) {
  if (round.value > world_.scenario.training_rounds()) return;
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    RoundRecord own;
    own.round = round;
    clusters_[c].simulation->run_round(round, false, phases, own);
    record.virtual_seconds = std::max(record.virtual_seconds, own.virtual_seconds);
    const auto move_to = [](auto& from, auto& to) { std::ranges::move(from, std::back_inserter(to)); };
    std::erase_if(own.selections, [&](const SelectionRow& row) { return cluster_of_[row.agent.value] != c; });
    move_to(own.selections, record.selections);
    add_traffic(own.traffic, record.traffic);
    for (EventRow& event : own.events) event.text = fmt::format("cluster {}: {}", c, event.text);
    move_to(own.events, record.events);
    for (MetricValue& metric : own.metrics) {
      if (metric.agent >= 0) record.metrics.push_back(std::move(metric));
    }
    if (own.stop == Stop::diverged) {
      record.events.push_back({"cluster diverged", -1, fmt::format("the model of cluster {} is no number", c)});
    }
  }
  std::ranges::sort(record.selections, {}, &SelectionRow::agent);
  take_mean();
}

ModelsApart ClusterModels::models() const {
  ModelsApart models;
  for (const Cluster& cluster : clusters_) {
    const ModelServer& server = cluster.simulation->model(0);
    if (has_samples(server)) models.push_back(server.parameters());
  }
  return models;
}

void ClusterModels::take_mean() {
  const ModelsApart apart = models();
  if (apart.empty()) return;
  std::vector<float> mean(server_->server().parameters().size());
  for (std::size_t v = 0; v < mean.size(); ++v) {
    double sum = 0.0;
    for (const std::span<const float> model : apart) sum += static_cast<double>(model[v]);
    mean[v] = static_cast<float>(sum / static_cast<double>(apart.size()));
  }
  server_->server().take_model(mean);
}

/// Of the models as they are now: whoever tests has them made.
const AnswerChange* ClusterModels::answers() {
  ModelsApart apart = together_->of_answers() ? models() : ModelsApart();
  if (apart.empty()) return nullptr;
  return &answers_.emplace(world_.comm, world_.federation, std::move(apart), *together_);
}

/// Features of nodes of its own, or edges with both ends among them: it sees no others.
bool ClusterModels::holds_any_of_graph(AgentId client, const GraphReduction& cut) const {
  if (cut.edges.empty() && cut.features.empty()) return false;
  std::vector<NodeIndex> nodes;
  for (const SampleIndex unit : world_.federation.deal_as_given().of(client.value)) {
    nodes.push_back(world_.federation.data().graph.train_nodes[unit]);
  }
  const auto own = [&](NodeIndex node) { return std::ranges::binary_search(nodes, node); };
  return std::ranges::any_of(cut.features, own) ||
         std::ranges::any_of(cut.edges, [&](const EdgeEnds& edge) { return own(edge.first) && own(edge.second); });
}

bool ClusterModels::holds_any(AgentId client, const Forgotten& now) const {
  if (std::ranges::binary_search(now.clients, client) || holds_any_of_graph(client, now.graph)) return true;
  return std::ranges::any_of(world_.federation.deal_as_given().of(client.value), [&](SampleIndex unit) {
    return std::ranges::binary_search(now.units, unit) || now.readings.contains(unit);
  });
}

std::vector<std::size_t> ClusterModels::touched_by(const Forgotten& now) const {
  std::vector<std::size_t> touched;
  for (std::uint32_t id = 0; id < cluster_of_.size(); ++id) {
    if (holds_any({id}, now)) touched.push_back(cluster_of_[id]);
  }
  std::ranges::sort(touched);
  touched.erase(std::ranges::unique(touched).begin(), touched.end());
  return touched;
}

ForgettingCost ClusterModels::retrain_touched(const ForgettingCase& request, RoundRecord& record) {
  ForgettingCost cost;
  const std::vector<std::size_t> touched = touched_by(request.now);
  for (const std::size_t c : touched) {
    Cluster& cluster = clusters_[c];
    cluster.simulation = simulation_of(c);
    const std::uint32_t last = std::min(request.round.value - 1, world_.scenario.training_rounds());
    for (RoundIndex round{1}; round.value <= last; ++round.value) {
      RoundRecord own;
      own.round = round;
      const std::optional<InjectedFault> no_fault;
      Phases phases(world_.comm, round, no_fault);
      cluster.simulation->run_round(round, false, phases, own);
      cost += cost_of_round(cluster.simulation->model(0).federation(), own);
    }
    cluster.anew = true;
  }
  record.events.push_back({"clusters retrained", -1, fmt::format("{} of {}", touched.size(), clusters_.size())});
  take_mean();
  if (!touched.empty()) {  // those who stay are asked anew what the answer is made by
    const std::size_t asked = together_->asks_first(world_.federation).size() * models().size();
    cost += training_cost(world_.federation, asked, 1.0 / 3.0);
  }
  return cost;
}

/// Models that were not trained anew stay, and their clients hold what is left.
void ClusterModels::forget(const Forgetting& forgetting, RoundRecord&) {
  for (const std::size_t c : touched_by(forgetting.now)) {
    Cluster& cluster = clusters_[c];
    if (std::exchange(cluster.anew, false)) continue;
    SaveArchive saved;
    cluster.simulation->serialize(saved);
    cluster.simulation = simulation_of(c);
    LoadArchive load(saved.bytes());
    cluster.simulation->serialize(load);
    load.expect_end();
  }
}

void ClusterModels::serialize(Archive& archive) {
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    if (archive.loading()) clusters_[c].simulation = simulation_of(c);  // what was forgotten is known by now
    clusters_[c].simulation->serialize(archive);
  }
}

std::vector<PartFootprint> ClusterModels::footprints(int ranks) const {
  std::vector<PartFootprint> parts;
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    for (PartFootprint& part : clusters_[c].simulation->estimate(ranks).parts) {
      if (part.part == "data set" || part.part == "program" || part.part == "checkpoints") continue;
      part.part = fmt::format("cluster {}: {}", c, part.part);
      parts.push_back(std::move(part));
    }
  }
  parts.push_back(answer_footprint(world_, *together_, clusters_.size()));
  return parts;
}

ClusterModels& cluster_models_of(const World& world) {
  for (const auto& stage : world.stages) {
    if (auto* clusters = dynamic_cast<ClusterModels*>(stage.get())) return *clusters;
  }
  SOUK_EXPECT(false);
  std::abort();
}

namespace {

const RegisterStage register_clusters(
    {.name = "clusters",
     .place = Place::learning,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.has_clusters(); },
     .make = [](const World& world) -> std::unique_ptr<Stage> { return std::make_unique<ClusterModels>(world); }});

}  // namespace
}  // namespace souk
