#pragma once

#include <span>
#include <vector>

#include "agents/cast/federation.hpp"

namespace souk {

/// Units that a client holds and trains on.
struct DealtUnits {
  AgentId client;
  std::vector<SampleIndex> units;  ///< ascending
};

/// What the clients that stay train on.
std::vector<DealtUnits> units_that_stay(const Federation& federation);

/// Of what is about to be forgotten, who trains on what: all of clients that go, of others the units that go or are
/// about to read otherwise.
std::vector<DealtUnits> holders_of(const Federation& federation, const Forgotten& what);

/// Of units that read otherwise by now, who trains on which: those that have come among them, those held back not.
std::vector<DealtUnits> holders_of_readings(const Federation& federation, const Readings& readings);

/// What is in the first list and not in the second.
std::vector<DealtUnits> holders_without(std::span<const DealtUnits> holders, std::span<const DealtUnits> without);

/// All units of some holders, ascending, each once.
std::vector<SampleIndex> units_of(std::span<const DealtUnits> holders);

/// Holders of two lists, those of both with the units of both; ascending.
std::vector<DealtUnits> united(std::span<const DealtUnits> a, std::span<const DealtUnits> b);

/// Whether any of it is, or may now become, root data of one of so many owners, or held out for validation.
bool touches_root(const Federation& federation, const Forgotten& what, std::size_t owners);

}  // namespace souk
