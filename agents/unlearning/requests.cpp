#include "agents/unlearning/requests.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "agents/cast/metric_name.hpp"
#include "agents/unlearning/data_changes.hpp"
#include "agents/unlearning/drawing.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// How often the request has come before.
std::uint32_t occurrence_of(const scenario::ForgetRequest& request, RoundIndex round) {
  return request.every() == 0 ? 0 : (round.value - request.round()) / request.every();
}

bool falls_due(const scenario::ForgetRequest& request, RoundIndex round) {
  if (request.has_rejected()) return round.value >= request.round();
  if (round.value < request.round()) return false;
  return request.every() == 0 ? round.value == request.round() : (round.value - request.round()) % request.every() == 0;
}

std::size_t part_of(double share, std::size_t of) {
  return static_cast<std::size_t>(std::llround(share * static_cast<double>(of)));
}

template <class Value>
void sort_out(std::vector<Value>& values) {
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
}

template <class Value>
std::vector<Value> all_but(const std::vector<Value>& a, const std::vector<Value>& b) {
  std::vector<Value> rest;
  std::ranges::set_difference(a, b, std::back_inserter(rest));
  return rest;
}

}  // namespace

std::string path_of_request(std::size_t index) { return fmt::format("unlearning.requests[{}]", index); }

Requests::Requests(const scenario::Scenario& scenario, const Federation& federation)
    : scenario_(scenario), federation_(federation) {
  for (int i = 0; i < scenario.unlearning().requests_size(); ++i) {
    const scenario::ForgetRequest& request = scenario.unlearning().requests(i);
    kinds_.push_back(plugin_name(chosen(request, "operator")->GetDescriptor()));
    names_.push_back(request.name().empty() ? kinds_.back() : request.name());
    settings_.push_back(kinds_.back() + chosen(request, "operator")->SerializeAsString());
    how_.push_back(settings_.back() + (request.has_reference() ? "/" + request.reference().SerializeAsString() : ""));
    const auto alike = static_cast<std::size_t>(std::ranges::find(settings_, settings_.back()) - settings_.begin());
    operators_.push_back(alike < operators_.size() ? operators_[alike] : make_unlearning_operator(request));
    check(static_cast<std::size_t>(i));
  }
}

void Requests::check(std::size_t index) const {
  const scenario::ForgetRequest& request = scenario_.unlearning().requests(static_cast<int>(index));
  const std::string path = path_of_request(index);
  SOUK_REQUIRE(is_metric_name(names_[index]),
               "{}.name = \"{}\": takes lower-case letters, digits and underscores, 64 of them at most", path,
               names_[index]);
  SOUK_REQUIRE(std::ranges::count(names_, names_[index]) == 1,
               "{}.name: another request is called \"{}\", too: give it a name", path, names_[index]);
  SOUK_REQUIRE(request.round() <= scenario_.rounds(), "{}.round = {}: the run ends with round {}", path,
               request.round(), scenario_.rounds());
  SOUK_REQUIRE(request.what_case() != scenario::ForgetRequest::WHAT_NOT_SET, "{}: does not say what to forget", path);
  const Forgettable can = operators_[index]->forgets();
  const bool clients = request.has_clients() || request.has_rejected(), units = request.has_samples();
  const bool change = request.has_change();
  const char* kind = clients  ? "clients"
                     : units  ? "samples"
                     : change ? "how samples read that stay"
                              : "parts of a graph";
  SOUK_REQUIRE(clients  ? can.clients
               : units  ? can.units
               : change ? can.changes
                        : can.graph,
               "{}.{}: cannot forget {}", path, kinds_[index], kind);
  SOUK_REQUIRE(!scenario_.has_clusters() || !request.has_rejected(),
               "{}.rejected: asks the verdicts of one rule, and each cluster has one of its own", path);
  SOUK_REQUIRE(!scenario_.has_clusters() || can.clusters,
               "{}.{}: changes one model, and the scenario has one of each cluster", path, kinds_[index]);
  if (change) check_change(request.change(), path + ".change", federation_, false);
  const auto all = static_cast<std::int64_t>(federation_.population().clients());
  for (const std::uint32_t id : request.clients().ids()) {
    SOUK_REQUIRE(id < all, "{}.clients.ids = {}: there are {} clients", path, id, all);
  }
  SOUK_REQUIRE(!request.has_clients() || request.clients().ids_size() > 0 || request.clients().count() > 0 ||
                   request.clients().of_group() >= 0,
               "{}.clients: names nobody", path);
  SOUK_REQUIRE(request.clients().of_group() < scenario_.attacks_size(),
               "{}: names the attacker group {}, and there are {}", path, request.clients().of_group(),
               scenario_.attacks_size());
  check_samples(request.samples(), path + ".samples", federation_);
  const bool graph = request.has_nodes() || request.has_edges() || request.has_features();
  const std::size_t nodes = federation_.data().graph.nodes();
  SOUK_REQUIRE(!graph || nodes > 0, "{}: forgets parts of a graph, and the samples of the data set are rows", path);
  SOUK_REQUIRE(!graph || !scenario_.has_service(),
               "{}: forgets parts of a graph, and the service answers about the whole one", path);
  for (const auto* ids : {&request.nodes().ids(), &request.features().ids()}) {
    for (const std::uint32_t id : *ids) {
      SOUK_REQUIRE(id < nodes, "{}: names node {}, and the graph has {}", path, id, nodes);
    }
  }
  SOUK_REQUIRE(!request.has_nodes() || request.nodes().ids_size() > 0 || request.nodes().share() > 0.0,
               "{}.nodes: names none", path);
  SOUK_REQUIRE(!request.has_features() || request.features().ids_size() > 0 || request.features().share() > 0.0,
               "{}.features: names no node", path);
}

bool Requests::let_clients_leave() const {
  if (!federation_.forgotten().empty()) return true;  // held back at first
  return std::ranges::any_of(scenario_.unlearning().requests(), [](const scenario::ForgetRequest& request) {
    return request.has_clients() || request.has_rejected() || request.has_samples();
  });
}

std::size_t Requests::named_units(std::size_t index) const {
  const scenario::ForgetRequest& request = scenario_.unlearning().requests(static_cast<int>(index));
  if (request.has_samples()) return units_of(request, index, 0).size();
  if (!request.has_clients()) return federation_.dealt().deal.samples.size();
  std::vector<AgentId> thrown_out;
  std::size_t units = 0;
  for (const AgentId client : clients_of(request, index, 0, thrown_out)) {
    if (client.value < federation_.population().genuine()) {
      units += federation_.validators().training_samples(client).size();
    }
  }
  return units;
}

void Requests::serialize(Archive& archive) {
  for (std::size_t i = 0; i < size(); ++i) {
    if (std::ranges::find(operators_, operators_[i]) - operators_.begin() == static_cast<std::ptrdiff_t>(i)) {
      operators_[i]->serialize(archive);
    }
  }
}

std::vector<AgentId> Requests::clients_of(const scenario::ForgetRequest& request, std::size_t index,
                                          std::uint32_t occurrence, std::vector<AgentId>& thrown_out) const {
  std::vector<AgentId> clients;
  if (occurrence == 0) {
    for (const std::uint32_t id : request.clients().ids()) clients.push_back({id});
    if (request.clients().of_group() >= 0)
      thrown_out = federation_.population().members_of(request.clients().of_group());
  }
  clients.insert(clients.end(), thrown_out.begin(), thrown_out.end());
  sort_out(clients);
  std::vector<AgentId> others;
  for (std::uint32_t id = 0; id < federation_.population().genuine(); ++id) {
    if (federation_.takes_part({id}) && !std::ranges::binary_search(clients, AgentId{id})) others.push_back({id});
  }
  Stream random(scenario_.seed(), streams::forgotten(index, occurrence));
  for (const AgentId id : drawn(std::move(others), request.clients().count(), random)) clients.push_back(id);
  return clients;
}

std::vector<AgentId> Requests::rejected(const scenario::ForgetRequest& request, const History& history) const {
  std::vector<AgentId> clients;
  for (std::size_t owner = 0; owner < history.owners(); ++owner) {
    for (const auto& [client, verdicts] : history.of(owner).verdicts()) {
      const bool often = verdicts.rejected >= request.rejected().rounds();
      const double share = static_cast<double>(verdicts.rejected) / static_cast<double>(verdicts.sent);
      if (often && share >= request.rejected().share()) clients.push_back(client);
    }
  }
  return clients;
}

std::vector<SampleIndex> Requests::units_of(const scenario::ForgetRequest& request, std::size_t index,
                                            std::uint32_t occurrence) const {
  Stream random(scenario_.seed(), streams::forgotten(index, occurrence));
  return samples_meeting(request.samples(), federation_.population(), federation_.dealt().deal,
                         federation_.task().labels(), random);
}

void Requests::cut_graph(const scenario::ForgetRequest& request, std::size_t index, std::uint32_t occurrence,
                         Forgotten& what) const {
  const Graph& graph = federation_.data().graph;
  Stream random(scenario_.seed(), streams::forgotten(index, occurrence));
  if (request.has_edges()) {
    std::vector<EdgeEnds> edges = edges_of(graph);
    const std::size_t all = edges.size();
    if (request.edges().among() == scenario::ForgetEdges::OTHER_CLASSES) {
      std::erase_if(edges, [&](const EdgeEnds& e) { return graph.labels[e.first] == graph.labels[e.second]; });
    }
    what.graph.edges = drawn(std::move(edges), part_of(request.edges().share(), all), random);
    return;
  }
  const bool whole = request.has_nodes();
  std::vector<NodeIndex> held;  // training nodes that are still somebody's
  for (const SampleIndex unit : federation_.dealt().deal.samples) held.push_back(graph.train_nodes[unit]);
  sort_out(held);
  const std::size_t count = part_of(whole ? request.nodes().share() : request.features().share(), held.size());
  std::vector<NodeIndex> nodes = drawn(held, count, random);
  if (occurrence == 0) {
    const auto& ids = whole ? request.nodes().ids() : request.features().ids();
    nodes.insert(nodes.end(), ids.begin(), ids.end());
  }
  sort_out(nodes);
  (whole ? what.graph.nodes : what.graph.features) = nodes;
  if (!whole) return;
  for (std::size_t unit = 0; unit < graph.train_nodes.size(); ++unit) {
    if (std::ranges::binary_search(nodes, graph.train_nodes[unit]))
      what.units.push_back(static_cast<SampleIndex>(unit));
  }
}

/// Fake identities go with the clients behind them, and clients take their nodes along.
void Requests::take_along(std::span<const AgentId> clients, Forgotten& what) const {
  const Population& population = federation_.population();
  what.clients.assign(clients.begin(), clients.end());
  sort_out(what.clients);
  const std::vector<AgentId> named = what.clients;
  for (auto id = static_cast<std::uint32_t>(population.genuine()); id < population.clients(); ++id) {
    if (std::ranges::binary_search(named, population.owner_of({id}))) what.clients.push_back({id});
  }
  sort_out(what.clients);
  const Graph& graph = federation_.data().graph;
  if (graph.nodes() == 0) return;
  for (const AgentId client : what.clients) {
    for (const SampleIndex unit : federation_.dealt().deal.of(client.value)) {
      what.graph.nodes.push_back(graph.train_nodes[unit]);
    }
  }
  sort_out(what.graph.nodes);
}

std::vector<DueRequest> Requests::due(RoundIndex round, const History& history) const {
  std::vector<DueRequest> due;
  for (std::size_t i = 0; i < size(); ++i) {
    const scenario::ForgetRequest& request = scenario_.unlearning().requests(static_cast<int>(i));
    if (!falls_due(request, round)) continue;
    const std::uint32_t occurrence = occurrence_of(request, round);
    DueRequest& now = due.emplace_back(DueRequest{.index = i});
    if (request.has_clients()) {
      take_along(clients_of(request, i, occurrence, now.thrown_out), now.what);
    } else if (request.has_rejected()) {
      take_along(rejected(request, history), now.what);
      now.thrown_out = now.what.clients;
    } else if (request.has_samples()) {
      now.what.units = units_of(request, i, occurrence);
    } else if (request.has_change()) {
      Stream random(scenario_.seed(), streams::forgotten(i, occurrence));
      now.what.readings = readings_after(request.change(), federation_, random);
    } else {
      cut_graph(request, i, occurrence, now.what);
    }
    const Forgotten& gone = federation_.forgotten();
    now.what.clients = all_but(now.what.clients, gone.clients);
    now.what.units = all_but(now.what.units, gone.units);
    now.what.graph.nodes = all_but(now.what.graph.nodes, gone.graph.nodes);
    now.what.graph.edges = all_but(now.what.graph.edges, gone.graph.edges);
    now.what.graph.features = all_but(now.what.graph.features, gone.graph.features);
    if (request.has_rejected() && now.what.empty()) due.pop_back();
  }
  return due;
}

}  // namespace souk
