#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/federation.hpp"
#include "attacks/inference_attack.hpp"
#include "attacks/table_cells.hpp"
#include "sim/data/readings.hpp"

namespace souk::scenario {
class SampleProperty;
}

namespace souk {

/// What is true of the samples of some clients: who these are, how samples must read for it to be so, and what
/// attackers know of it. The same on every rank, and a function of the scenario and the deal.
class SampleProperty {
 public:
  /// Throws InputError where the data set or the cast does not allow it.
  explicit SampleProperty(const Federation& federation);
  /// How training samples read that do not read as stored.
  Readings readings() const;
  /// Clients that were chosen to have it, ascending.
  const std::vector<AgentId>& holders() const { return holders_; }
  /// How many samples with the property the client trains on, as the federation is now.
  std::size_t count(AgentId client) const;
  /// The attackers' own samples with the property and without it. A mark is put on all of them.
  KnownProperty known_of(std::span<const float> features, std::span<const std::int32_t> labels);

 private:
  void check() const;
  void choose_holders();
  std::size_t kept(std::size_t held) const;
  bool may_hold(AgentId client) const;
  bool has_by_itself(SampleIndex sample, std::span<const float> features) const;
  void read_client(AgentId client, Readings& readings) const;

  const Federation& federation_;
  const scenario::SampleProperty& config_;
  std::vector<FeatureRun> mark_;  ///< empty: samples have it by themselves
  std::vector<TableCell> cells_;  ///< as networks read them; of a column
  std::vector<AgentId> holders_;
  std::vector<float> with_, without_;  ///< [samples, features] what is known
  std::vector<std::int32_t> labels_with_, labels_without_;
};

}  // namespace souk
