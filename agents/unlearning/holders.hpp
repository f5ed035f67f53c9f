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

/// Of what is about to be forgotten, who trains on what: all of clients that go, the units that go of others.
std::vector<DealtUnits> holders_of(const Federation& federation, const Forgotten& what);

/// All units of some holders, ascending, each once.
std::vector<SampleIndex> units_of(std::span<const DealtUnits> holders);

/// Holders of two lists, those of both with the units of both; ascending.
std::vector<DealtUnits> united(std::span<const DealtUnits> a, std::span<const DealtUnits> b);

/// Whether any of it is root data of one of so many owners, or held out for validation.
bool touches_root(const Federation& federation, const Forgotten& what, std::size_t owners);

}  // namespace souk
