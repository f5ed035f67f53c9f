#include "agents/training/saved_model.hpp"

#include "agents/cast/federation.hpp"
#include "agents/training/source_files.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/graphs/own_graph.hpp"
#include "sim/engine/checkpoint.hpp"

namespace souk {

SavedModel saved_model(const scenario::Scenario& scenario) {
  SavedModel model;
  const std::string& from = scenario.server().start_from();
  if (from.empty()) return model;
  const std::string path = data_path("server.start_from", from);
  try {
    const std::unique_ptr<StateSource> state = open_state(path);
    ArchiveReader archive(*state);
    // What a simulation saves first, and its first model saves first.
    archive.field("parameter layout", model.layout);
    archive.field("parameters", model.parameters);
  } catch (const InputError& error) {
    throw_input_error("server.start_from = \"{}\": {}", from, error.what());
  }
  return model;
}

std::vector<float> initial_parameters(const Federation& federation, std::size_t owner) {
  const scenario::Scenario& scenario = federation.scenario();
  SavedModel saved = saved_model(scenario);
  if (saved.parameters.empty()) {
    saved.parameters.resize(federation.parameters());
    Stream random(scenario.seed(), streams::initial_weights(owner));
    federation.task().initialise(random, saved.parameters);
    return std::move(saved.parameters);
  }
  SOUK_REQUIRE(saved.layout == static_cast<std::int64_t>(federation.task().layout().fingerprint()),
               "server.start_from = \"{}\": its parameters have other names or shapes than this model's",
               scenario.server().start_from());
  return std::move(saved.parameters);
}

namespace {

/// What attackers' own graphs hold, whatever their splits; empty where they have none.
std::string hash_of_shadows(const scenario::Scenario& scenario) {
  std::string hashes;
  for (const scenario::EdgeInference& attack : scenario.service().attacks()) {
    if (!attack.link_stealing().has_shadow()) continue;
    const OwnGraph own(attack.link_stealing().shadow().data(), 1);
    const Graph& graph = own.graph();
    Sha256 hash;
    hash.add(std::as_bytes(graph.edges.offsets));
    hash.add(std::as_bytes(graph.edges.columns));
    hash.add(std::as_bytes(graph.features.offsets));
    hash.add(std::as_bytes(graph.features.columns));
    hash.add(std::as_bytes(graph.features.values));
    hash.add(std::as_bytes(graph.labels));
    hashes += hash.hex();
  }
  return hashes;
}

}  // namespace

std::string contents_hash(const scenario::Scenario& scenario, const std::string& data_hash) {
  const SavedModel model = saved_model(scenario);
  std::string more = model.parameters.empty() ? "" : sha256_hex(std::span<const float>(model.parameters));
  more += hash_of_shadows(scenario);
  for (const SourceFile& file : source_files(scenario)) more += file.sha256;
  return more.empty() ? data_hash : sha256_hex(data_hash + more);
}

}  // namespace souk
