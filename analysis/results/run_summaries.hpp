#pragma once

#include <cstdint>

#include "analysis/database.hpp"

namespace souk {

/// The map of clients by rounds (table selection_map) has at most so many bands of clients of one side, and spans of
/// rounds; with more clients or rounds, several share a field.
inline constexpr std::int64_t most_map_bands = 100, most_map_spans = 100;

/// Fills agent_summary, selection_summary and selection_map with run number `run` of the merged view, whose agents are
/// in it, and whose results are attached as `source`.
void summarise_run(Database& view, std::int64_t run);

}  // namespace souk
