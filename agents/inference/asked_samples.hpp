#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/federation.hpp"
#include "attacks/inference_attack.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

/// Samples about which an attack is asked, in random order, and which of them the victim trained on.
struct AskedSamples {
  std::vector<float> features;          ///< [samples, features] as the network reads them
  std::vector<std::int32_t> labels;     ///< [samples]
  std::vector<std::uint8_t> is_member;  ///< [samples] hidden from attackers
  SampleTable table() const { return {.features = features, .labels = labels}; }
};

/// So many of the victim's samples (0, or more than there are: all) and, if `with_others`, as many of the test set, or
/// all of it where it has fewer.
AskedSamples asked_samples(const Federation& federation, AgentId victim, std::span<const SampleIndex> mine,
                           std::size_t count, bool with_others, RoundIndex round);

/// Shares of a victim's samples whose owner was named right.
struct SourceScore {
  double right = 0.0;
  double by_size = 0.0;   ///< naming the client with most samples
  double by_class = 0.0;  ///< naming the client with most samples of the sample's class
};

/// `clients`: whose the round's updates are; the victim is one of them.
SourceScore source_score(const ClaimedSources& claim, const AskedSamples& asked, std::span<const AgentId> clients,
                         AgentId victim, const Federation& federation);

/// Adds inference.NAME.source_accuracy and so on, means over victims (docs/metrics.md).
void record_sources(const std::string& name, std::span<const SourceScore> victims, RoundRecord& record);

}  // namespace souk
