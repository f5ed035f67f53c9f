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

/// Four lists: label or -1, weight, held back, and the runs of features as (unit, first, count) with their values.
void serialize_readings(Archive& archive, Readings& readings) {
  std::vector<std::int64_t> units, labels, held, runs;
  std::vector<double> weights, values;
  for (const auto& [unit, reading] : readings) {
    units.push_back(unit);
    labels.push_back(reading.label.value_or(-1));
    held.push_back(reading.held_back ? 1 : 0);
    weights.push_back(reading.weight);
    for (const FeatureRun& run : reading.features) {
      runs.insert(runs.end(), {unit, run.first, run.count});
      values.push_back(static_cast<double>(run.value));
    }
  }
  archive.field("units that read otherwise", units);
  archive.field("their labels", labels);
  archive.field("held back", held);
  archive.field("their weights", weights);
  archive.field("runs of features", runs);
  archive.field("their values", values);
  if (!archive.loading()) return;
  readings.clear();
  for (std::size_t i = 0; i < units.size(); ++i) {
    Reading& reading = readings[static_cast<SampleIndex>(units[i])];
    if (labels[i] >= 0) reading.label = static_cast<std::int32_t>(labels[i]);
    reading.held_back = held[i] != 0;
    reading.weight = weights[i];
  }
  for (std::size_t r = 0; r < values.size(); ++r) {
    readings[static_cast<SampleIndex>(runs[3 * r])].features.push_back(
        {.first = static_cast<std::uint32_t>(runs[3 * r + 1]),
         .count = static_cast<std::uint32_t>(runs[3 * r + 2]),
         .value = static_cast<float>(values[r])});
  }
}

}  // namespace

void Forgotten::add(const Forgotten& other) {
  unite(clients, other.clients);
  unite(units, other.units);
  unite(graph.nodes, other.graph.nodes);
  unite(graph.edges, other.graph.edges);
  unite(graph.features, other.graph.features);
  for (const auto& [unit, reading] : other.readings) {
    readings[unit] = reading;
    if (reading.as_stored()) readings.erase(unit);
  }
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
  serialize_readings(archive, readings);
  if (!archive.loading()) return;
  clients.clear();
  units.clear();
  graph = {};
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
  add(what.readings.size(), "sample that reads otherwise", "samples that read otherwise");
  return text;
}

}  // namespace souk
