#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace souk {

/// What a run is doing when memory is held for a while alone.
enum class Moment : std::uint8_t { training, attacking, aggregating, valuing, testing, saving, forgetting };
inline constexpr std::size_t moments = 7;

/// What a part of a run holds and computes, known before anything runs. Each part states its own, and they add up.
struct Footprint {
  double node = 0.0;                      ///< bytes that the ranks of a node share
  double held = 0.0;                      ///< bytes of a rank, from the first round to the last
  std::array<double, moments> working{};  ///< bytes more of a rank, by moment
  double flops = 0.0;                     ///< floating-point operations of a round, of all ranks together

  double& at(Moment moment) { return working[static_cast<std::size_t>(moment)]; }
  double at(Moment moment) const { return working[static_cast<std::size_t>(moment)]; }
  /// The most that a rank holds at once: what was freed after one moment is used again in the next.
  double rank() const { return held + *std::ranges::max_element(working); }
  Footprint& operator+=(const Footprint& other) {
    node += other.node;
    held += other.held;
    for (std::size_t m = 0; m < moments; ++m) working[m] += other.working[m];
    flops += other.flops;
    return *this;
  }
};

/// A part by its name: "deal", "aggregator krum", ….
struct PartFootprint {
  std::string part;
  Footprint footprint;
};

inline Footprint sum_of(std::span<const PartFootprint> parts) {
  Footprint sum;
  for (const PartFootprint& part : parts) sum += part.footprint;
  return sum;
}

}  // namespace souk
