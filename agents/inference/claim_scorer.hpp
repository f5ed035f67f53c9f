#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agents/inference/sample_images.hpp"
#include "attacks/inference_attack.hpp"
#include "sim/base/ids.hpp"
#include "sim/data/dataset.hpp"

namespace souk {

/// Samples behind what an attack saw: those of the victim, and then those of the others.
struct HiddenSamples {
  std::vector<SampleIndex> samples;
  std::size_t of_victim = 0;
};

/// How right a claim of counts is.
struct CountScore {
  double accuracy = 0.0;  ///< sum over classes of the smaller one of the claimed and the true count, over all samples
  double presence = 0.0;  ///< classes of which it is right whether there are any
  double guess = 0.0;     ///< the accuracy of equal counts
};

/// A sample of the victim and what was claimed of it.
struct Reconstruction {
  SampleIndex sample = 0;
  std::int32_t label = 0, claimed_label = -1;  ///< -1: nothing is claimed of it
  bool claimed = false;                        ///< some image is; otherwise the next six say nothing
  std::size_t match = 0;                       ///< which of those claimed
  double error = 0.0;                          ///< mean squared
  std::optional<double> similarity{};          ///< structural; none where images are too small
  bool identified = false;                     ///< of the pool, its victim is nearest to it
  std::vector<double> image{}, nearest_other{};
  std::vector<double> truth{};
  double other_error = 0.0;            ///< of another image of the class in its place
  std::optional<double> mean_error{};  ///< of the mean of the class's auxiliary samples; none without
};

/// Compares claims with the truth, which attackers never see. The same on every rank.
class ClaimScorer {
 public:
  /// `pool`: images of its class among which a reconstruction is to be nearest to its victim, itself among them.
  ClaimScorer(const Dataset& data, const SampleImages& images, std::span<const SampleIndex> auxiliary, std::size_t pool,
              std::uint64_t seed);
  CountScore counts(const ClaimedCounts& claim, const HiddenSamples& hidden) const;
  /// Of the victim's samples, claims given to hidden samples so that the sum of the errors is least.
  std::vector<Reconstruction> samples(const ClaimedSamples& claim, const HiddenSamples& hidden) const;

 private:
  std::vector<SampleIndex> others_of_class(SampleIndex sample) const;
  void compare(std::span<const double> claimed, Reconstruction& reconstruction) const;
  void add_ceilings(Reconstruction& reconstruction) const;

  const Dataset& data_;
  const SampleImages& images_;
  std::size_t pool_;
  std::uint64_t seed_;
  std::vector<std::vector<SampleIndex>> of_class_;
  std::vector<std::vector<double>> class_means_;  ///< [classes] empty where there are no auxiliary samples
};

}  // namespace souk
