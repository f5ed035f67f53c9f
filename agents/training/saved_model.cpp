#include "agents/training/saved_model.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/cast/federation.hpp"
#include "agents/training/source_files.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/graphs/own_graph.hpp"
#include "sim/data/tensor_files.hpp"
#include "sim/engine/checkpoint.hpp"

namespace souk {
namespace {

SavedModel archived_model(const std::string& path) {
  SavedModel model;
  model.archived = true;
  for (NamedTensor& tensor : read_npz(path)) {
    model.tensors.push_back({.name = std::move(tensor.name),
                             .shape = std::move(tensor.shape),
                             .offset = model.parameters.size(),
                             .size = tensor.values.size()});
    model.parameters.insert(model.parameters.end(), tensor.values.begin(), tensor.values.end());
  }
  return model;
}

/// The first thing in which a model's names and shapes differ from those wanted; empty: they are the same.
std::string difference_from(const ParameterLayout& wanted, const std::vector<Slot>& saved) {
  const auto named = [](const auto& slots, const std::string& name) {
    return std::ranges::find_if(slots, [&](const Slot& slot) { return slot.name == name; });
  };
  for (const Slot& slot : wanted.slots()) {
    const auto found = named(saved, slot.name);
    if (found == saved.end()) return fmt::format("there is no \"{}\" [{}]", slot.name, fmt::join(slot.shape, ", "));
    if (found->shape == slot.shape) continue;
    return fmt::format("\"{}\" is [{}], this model's is [{}]", slot.name, fmt::join(found->shape, ", "),
                       fmt::join(slot.shape, ", "));
  }
  for (const Slot& slot : saved) {
    if (named(wanted.slots(), slot.name) == wanted.slots().end()) {
      return fmt::format("\"{}\" is none of this model's", slot.name);
    }
  }
  return {};
}

/// Parameters by name in the places that `wanted` gives them.
std::vector<float> arranged(const SavedModel& saved, const ParameterLayout& wanted) {
  std::vector<float> parameters(wanted.dimension());
  for (const Slot& from : saved.tensors) {
    std::copy_n(saved.parameters.begin() + static_cast<std::ptrdiff_t>(from.offset), from.size,
                parameters.begin() + static_cast<std::ptrdiff_t>(wanted.slot(from.name).offset));
  }
  return parameters;
}

}  // namespace

SavedModel saved_model(const std::filesystem::path& path) {
  if (path.extension() == ".npz") return archived_model(path.string());
  const OpenCheckpoint checkpoint = open_checkpoint(path);
  SavedModel model;
  model.round = checkpoint.head.round;
  model.tensors = slots_of(checkpoint.head.tensors);
  ArchiveReader archive(*checkpoint.state);
  // What a simulation saves first, and its first model saves first.
  archive.field("parameter layout", model.layout);
  archive.field("parameters", model.parameters);
  const std::size_t named =
      model.tensors.empty() ? model.parameters.size() : model.tensors.back().offset + model.tensors.back().size;
  SOUK_REQUIRE(named == model.parameters.size(), "saved state: {} parameters have names, of {}", named,
               model.parameters.size());
  return model;
}

SavedModel saved_model(const scenario::Scenario& scenario) {
  const std::string& from = scenario.server().start_from();
  if (from.empty()) return {};
  const std::string path = data_path("server.start_from", from);
  try {
    return saved_model(std::filesystem::path(path));
  } catch (const InputError& error) {
    throw_input_error("server.start_from = \"{}\": {}", from, error.what());
  }
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
  const ParameterLayout& layout = federation.task().layout();
  const bool named = !saved.tensors.empty();
  const std::string difference = named ? difference_from(layout, saved.tensors) : "";
  SOUK_REQUIRE(difference.empty() && (named || saved.layout == static_cast<std::int64_t>(layout.fingerprint())),
               "server.start_from = \"{}\": its parameters have other names or shapes than this model's{}{}",
               scenario.server().start_from(), named ? ": " : "", difference);
  return named ? arranged(saved, layout) : std::move(saved.parameters);
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
  if (model.archived) more += text_of(model.tensors);  // values are found by name
  more += hash_of_shadows(scenario);
  for (const SourceFile& file : source_files(scenario)) more += file.sha256;
  return more.empty() ? data_hash : sha256_hex(data_hash + more);
}

}  // namespace souk
