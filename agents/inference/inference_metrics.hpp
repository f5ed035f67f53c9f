#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "agents/inference/asked_samples.hpp"
#include "agents/inference/claim_scorer.hpp"
#include "agents/inference/ranking_metrics.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

/// What became of one victim.
struct VictimScore {
  AgentId client;
  std::optional<CountScore> counts{};
  std::vector<Reconstruction> reconstructions{};
  std::optional<ScoredTruth> membership{};  ///< of samples
  std::optional<ScoredTruth> property{};    ///< one score: of all that it has
  std::optional<SourceScore> source{};
  double equations = 0.0;  ///< values that are seen for each unknown one
};

/// Adds inference.NAME.mse and so on (docs/metrics.md), those that are defined.
void record_inference(const std::string& name, std::span<const VictimScore> victims, RoundRecord& record);

/// Adds a row for each reconstruction.
void record_reconstructions(const std::string& name, std::span<const VictimScore> victims, RoundRecord& record);

/// A row of three images for each of the first so many reconstructions: the victim, what was claimed (white: nothing),
/// and what is nearest to that among other images of the class. Empty where there are none, or they are no images.
std::vector<PictureRow> pictures_of(const std::string& name, std::span<const VictimScore> victims,
                                    const PixelGrid& shape, std::size_t most, RoundIndex round);

}  // namespace souk
