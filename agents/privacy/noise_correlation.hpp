#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "sim/params/update_matrix.hpp"

namespace souk::scenario {
class Privacy;
}

namespace souk {

class Archive;

/// Adds fresh normal noise of the round at hand to a rank's columns of a vector; `part`: which of the round's draws.
using FreshNoise = std::function<void(std::size_t part, std::span<float> columns)>;

/// How the server's noise of one round hangs together with that of others. Clients take part in known rounds, which is
/// what makes the sensitivity known, without sampling (matrix mechanisms).
class NoiseCorrelation {
 public:
  virtual ~NoiseCorrelation() = default;
  /// The noise of the next round's step, added to `step`, out of fresh noise.
  virtual void add_next(const FreshNoise& fresh, std::span<float> step) = 0;
  /// [rounds] Of the rounds up to and with each: by how many bounds a client moves what noise is added to, where it
  /// takes part in every `separation`th round at most.
  virtual std::vector<double> sensitivities(std::uint64_t rounds, std::uint64_t separation) const = 0;
  /// Vectors that it keeps in a run of so many rounds.
  virtual std::uint64_t kept(std::uint64_t rounds) const = 0;
  /// State between rounds. Collective.
  virtual void serialize(Archive& archive, const Comm& comm, std::size_t dimension) = 0;
};

/// The one chosen in the section, for so many rounds; null: rounds have noise of their own.
std::unique_ptr<NoiseCorrelation> make_noise_correlation(const scenario::Privacy& config, std::uint64_t rounds);

}  // namespace souk
