#include "agents/training/rewirer.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/tasks/node_classification.hpp"

namespace souk {
namespace {

/// An attack knows the names of its fields, but not its group.
std::unique_ptr<StructureAttack> make_checked(const scenario::Attack& config, Task& task, int group) {
  auto attack = make_structure_attack(config);
  if (attack == nullptr) return nullptr;
  const std::string name = plugin_name(chosen(config, "structure")->GetDescriptor());
  SOUK_REQUIRE(task.nodes() != nullptr, "attacks[{}].{}: inserts edges, and the samples of the data set are no nodes",
               group, name);
  const GraphNetwork& network = task.nodes()->network();
  SOUK_REQUIRE(network.hops() > 0, "attacks[{}].{}: inserts edges, and the network {} reads none", group, name,
               network.name());
  try {
    attack->check(network);
  } catch (const InputError& error) {
    throw_input_error("attacks[{}].{}", group, error.what());
  }
  return attack;
}

}  // namespace

Rewirer::Rewirer(const Federation& federation) : federation_(federation) {
  const scenario::Scenario& scenario = federation.scenario();
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    groups_.push_back(make_checked(scenario.attacks(g), federation.task(), g));
    if (groups_.back() == nullptr) continue;
    const std::string name = plugin_name(chosen(scenario.attacks(g), "structure")->GetDescriptor());
    note_idle_members(groups_.size() - 1, fmt::format("attacks[{}].{}", g, name));
  }
}

void Rewirer::note_idle_members(std::size_t group, const std::string& path) {
  std::vector<std::uint32_t> idle;
  for (const AgentId member : federation_.population().members_of(static_cast<int>(group))) {
    const std::vector<NodeIndex> own = nodes_of(federation_.validators().training_samples(member));
    if (groups_[group]->budget(federation_.data().graph, own) == 0) idle.push_back(member.value);
  }
  if (idle.empty()) return;
  idle_.push_back(fmt::format("{}: clients {} insert no edge: they have too few edges or pairs to join", path,
                              fmt::join(idle, ", ")));
}

std::vector<NodeIndex> Rewirer::nodes_of(std::span<const SampleIndex> units) const {
  std::vector<NodeIndex> nodes;
  for (const SampleIndex unit : units) nodes.push_back(federation_.data().graph.train_nodes[unit]);
  std::ranges::sort(nodes);
  return nodes;
}

double Rewirer::bytes() const {
  const Graph& graph = federation_.data().graph;
  const auto nodes = static_cast<double>(graph.nodes());
  double bytes = 0.0;
  for (const auto& attack : groups_) {
    if (attack == nullptr) continue;
    const double copy = 8.0 * nodes + 4.0 * static_cast<double>(graph.edges.entries());
    double pass = 0.0;
    for (const std::size_t width : federation_.task().nodes()->network().widths()) {
      pass += 5.0 * nodes * static_cast<double>(width * sizeof(double));
    }
    bytes = std::max(bytes, copy + (attack->is_anew() ? pass : 0.0));
  }
  return bytes;
}

std::span<const Edge> Rewirer::edges(AgentId client, RoundIndex round, std::span<const SampleIndex> mine,
                                     std::span<const float> global) {
  const int group = federation_.population().group_of(client);
  if (group < 0 || groups_[static_cast<std::size_t>(group)] == nullptr) return {};
  const StructureAttack& attack = *groups_[static_cast<std::size_t>(group)];
  const auto found = inserted_.find(client.value);
  if (found != inserted_.end() && (!attack.is_anew() || found->second.round == round)) return found->second.edges;
  const std::vector<NodeIndex> own = nodes_of(mine);
  NodeClassification& task = *federation_.task().nodes();
  const StructureView view{.graph = federation_.data().graph,
                           .own = own,
                           .seed = federation_.scenario().seed(),
                           .member = client,
                           .round = round,
                           .slopes = [&](std::span<const Edge> more) { return task.edge_slopes(global, mine, more); }};
  Inserted& inserted = inserted_[client.value];
  inserted = {.round = round, .edges = attack.choose(view)};
  SOUK_EXPECT(inserted.edges.size() == attack.budget(view.graph, own));
  return inserted.edges;
}

}  // namespace souk
