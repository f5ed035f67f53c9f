#include "agents/cast/forgotten.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sim/base/archive.hpp"

namespace souk {
namespace {

template <class Value>
void unite(std::vector<Value>& into, const std::vector<Value>& more) {
  std::vector<Value> all;
  std::ranges::set_union(into, more, std::back_inserter(all));
  into = std::move(all);
}

}  // namespace

void Forgotten::add(const Forgotten& other) {
  unite(clients, other.clients);
  unite(units, other.units);
  unite(graph.nodes, other.graph.nodes);
  unite(graph.edges, other.graph.edges);
  unite(graph.features, other.graph.features);
}

void Forgotten::serialize(Archive& archive) {
  std::vector<std::int64_t> who, what(units.begin(), units.end()), nodes(graph.nodes.begin(), graph.nodes.end()),
      features(graph.features.begin(), graph.features.end()), ends;
  for (const AgentId client : clients) who.push_back(client.value);
  for (const auto& [low, high] : graph.edges) ends.insert(ends.end(), {low, high});
  archive.field("forgotten clients", who);
  archive.field("forgotten units", what);
  archive.field("forgotten nodes", nodes);
  archive.field("forgotten edges", ends);
  archive.field("forgotten features", features);
  if (!archive.loading()) return;
  *this = {};
  for (const std::int64_t id : who) clients.push_back({static_cast<std::uint32_t>(id)});
  for (const std::int64_t unit : what) units.push_back(static_cast<SampleIndex>(unit));
  for (const std::int64_t node : nodes) graph.nodes.push_back(static_cast<NodeIndex>(node));
  for (const std::int64_t node : features) graph.features.push_back(static_cast<NodeIndex>(node));
  for (std::size_t i = 0; i + 1 < ends.size(); i += 2) {
    graph.edges.emplace_back(static_cast<NodeIndex>(ends[i]), static_cast<NodeIndex>(ends[i + 1]));
  }
}

std::string text_of(const Forgotten& what) {
  std::string text;
  const auto add = [&text](std::size_t count, const char* one, const char* many) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, count == 1 ? one : many);
  };
  add(what.clients.size(), "client", "clients");
  add(what.units.size(), "sample", "samples");
  add(what.graph.nodes.size(), "node", "nodes");
  add(what.graph.edges.size(), "edge", "edges");
  add(what.graph.features.size(), "node's features", "nodes' features");
  return text;
}

}  // namespace souk
