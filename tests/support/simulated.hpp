#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/hash.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {

/// What is left of a run: its records, its parameters, and everything that a checkpoint would hold.
struct Simulated {
  SetUpRecord set_up;
  std::vector<RoundRecord> records;
  std::string hash, state;
};

/// Runs a scenario's rounds, on ranks that are threads. After round `break_after`, if there is one, the state is saved,
/// and a new simulation goes on from it.
inline Simulated simulate(const std::string& text, int ranks = 1, std::uint32_t break_after = 0) {
  Simulated simulated;
  const ResolvedScenario resolved = resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
  const std::uint32_t rounds = resolved.scenario->rounds();
  run_team(ranks, [&](const Comm& comm) {
    auto simulation = make_simulation(comm, *resolved.scenario, "cpu");
    const SetUpRecord set_up = simulation->set_up_record();
    std::vector<RoundRecord> records;
    const std::optional<InjectedFault> no_fault;
    for (std::uint32_t r = 1; r <= rounds; ++r) {
      RoundRecord record;
      record.round = {r};
      Phases phases(comm, {r}, no_fault);
      simulation->run_round({r}, r == rounds, phases, record);
      records.push_back(std::move(record));
      if (r != break_after) continue;
      SaveArchive saved;
      simulation->serialize(saved);
      simulation = make_simulation(comm, *resolved.scenario, "cpu");
      LoadArchive load(saved.bytes());
      simulation->serialize(load);
      load.expect_end();
    }
    SaveArchive last;
    simulation->serialize(last);
    if (comm.rank() != 0) return;
    simulated = {set_up, std::move(records), sha256_hex(simulation->parameters()), sha256_hex(last.bytes())};
  });
  return simulated;
}

/// What a scenario is refused with; empty: it runs.
inline std::string refusal_of(const std::string& text) {
  try {
    simulate(text);
  } catch (const InputError& error) {
    return error.what();
  } catch (const PhaseError& error) {
    return error.what();
  }
  return {};
}

}  // namespace souk
