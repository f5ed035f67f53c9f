#pragma once

#include <cstdint>
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
  std::string attack;      ///< attacks of all groups, joined by '+'; "none" without any
  double malicious = 0.0;  ///< clients in attacker groups, share of all clients
  std::string partition, dataset, model;
  std::vector<std::pair<std::string, std::string>> settings;  ///< path and value of all that decides the result
};

/// Throws InputError if the text is no scenario.
ScenarioColumns columns_of_scenario(const std::string& text);

}  // namespace souk
