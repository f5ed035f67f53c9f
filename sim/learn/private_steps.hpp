#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/base/random.hpp"
#include "sim/data/dataset.hpp"

namespace souk::scenario {
class SamplePrivacy;
class Training;
}  // namespace souk::scenario

namespace souk {

/// What a client's local training in a round is made of where its steps are private.
struct PrivateTraining {
  std::size_t batch = 0;    ///< samples expected in a mini-batch (B)
  double sampling = 1.0;    ///< probability with which each sample is in it, q = B / n
  std::uint64_t steps = 0;  ///< in the round
};

/// That of a client with so many samples, at least 1: B is batch_size, or n where that is less; a pass over the samples
/// has n / B steps, rounded up.
PrivateTraining private_training(const scenario::Training& training, std::size_t samples);

/// The random part of private steps: Abadi, Chu, Goodfellow, McMahan, Mironov, Talwar, Zhang, "Deep Learning with
/// Differential Privacy", CCS 2016, algorithm 1, with mini-batches that samples enter independently of each other.
class PrivateSteps {
 public:
  explicit PrivateSteps(const scenario::SamplePrivacy& config);
  double clip() const { return clip_; }
  /// A client's turn: what its draws are named by.
  void begin(std::uint64_t seed, AgentId client, RoundIndex round);
  /// The samples of the next mini-batch, in the order of `mine`; there may be none.
  std::span<const SampleIndex> draw(std::span<const SampleIndex> mine, double sampling);
  /// The private gradient of the step: (sum + N(0, sigma^2 S^2 I)) / expected, in place.
  void hide(std::span<float> sum, std::size_t expected);

 private:
  double clip_, noise_;
  std::uint64_t seed_ = 1;
  AgentId client_;
  RoundIndex round_;
  std::uint64_t steps_ = 0;           ///< of the turn
  std::optional<Stream> inclusions_;  ///< of the turn
  std::vector<SampleIndex> batch_;
};

}  // namespace souk
