#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace souk {

/// What tables say about a run, read from its resolved scenario by the schema alone: a new rule or attack needs
/// nothing here.
struct ScenarioColumns {
  std::uint64_t seed = 0;
  std::uint32_t rounds = 0;
  std::string aggregator;  ///< pre-aggregators and rule, joined by '+'
  std::string attack;      ///< attacks of the groups that can act, joined by '+'; "none" without any
  double malicious = 0.0;  ///< clients in these groups, share of all clients
  std::string partition, dataset, model;
  std::vector<std::pair<std::string, std::string>> settings;  ///< path and value of all that decides the result
  /// Attacker groups that never act, by their index: no round of the run is one of theirs, or they poison no sample, or
  /// have nothing to do. Their members behave.
  std::vector<int> idle_groups = {};
  /// Of seed, aggregator, attack, malicious, partition, dataset or model; nothing of any other column.
  std::optional<std::string> value(const std::string& column) const;
};

/// `ended_after`: the rounds of a run that is over, which may be fewer than the scenario asks for. Throws InputError if
/// the text is no scenario.
ScenarioColumns columns_of_scenario(const std::string& text, std::optional<std::uint32_t> ended_after = {});

/// A field of a scenario as conditions name it (value_at). Throws InputError where there is no such field.
std::optional<std::string> field_of_scenario(const std::string& text, const std::string& path);

}  // namespace souk
