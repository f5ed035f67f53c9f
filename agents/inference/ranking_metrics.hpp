#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/engine/round_record.hpp"

namespace souk {

/// Scores that an attack gave in the case of one victim, and what is true of each thing that it was asked about.
struct ScoredTruth {
  std::vector<double> scores;
  std::vector<std::uint8_t> truth;
};

/// Adds PREFIXauc and so on, of what was asked about all victims together; intervals draw victims (docs/metrics.md).
void record_ranking(const std::string& prefix, std::span<const ScoredTruth> victims, std::uint64_t seed,
                    RoundRecord& record);
/// Adds PREFIXaccuracy, the share of victims whose score has the right sign, and PREFIXshare, that of those of whom the
/// truth is 1. Contract: one score for each victim.
void record_properties(const std::string& prefix, std::span<const ScoredTruth> victims, RoundRecord& record);

}  // namespace souk
