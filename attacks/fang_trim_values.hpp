#pragma once

#include <span>

#include "attacks/knowledge.hpp"

namespace souk {

/// Where the values of a crafted update lie, coordinate by coordinate.
struct Intervals {
  ColumnVector low, high;
};

// Fang, Cao, Jia, Gong, "Local Model Poisoning Attacks to Byzantine-Robust Federated Learning", USENIX Security 2020,
// section 3.3: on the side of the known values against which the coordinate would change, above them where their mean
// is not positive.

/// All updates known: [max, b max] or [min / b, min] where these have the sign for it, else [max, max / b] or
/// [b min, min]. No communication.
Intervals beyond_extremes(const ColumnMatrix& known, double b);

/// Some known: 3 to 4 standard deviations from their mean. No communication.
Intervals beyond_deviations(const ColumnMatrix& known);

/// Independent uniform draws for every member, [members, d].
ColumnMatrix draw_between(const PublicRound& round, std::span<const AgentId> members, const ColumnMatrix& like,
                          const Intervals& intervals);

}  // namespace souk
