#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace souk {

/// A sum of vectors of length at most 1, each there with probability `sampling` independently of the others, under
/// normal noise of standard deviation `noise`; released so many times. Neighbouring data lack one vector.
struct SubsampledGaussian {
  double sampling = 1.0;    ///< q, in (0, 1]
  double noise = 1.0;       ///< sigma, > 0
  std::uint64_t count = 1;  ///< T
  bool operator==(const SubsampledGaussian&) const = default;
};

/// What was released, in any order: only how often each counts.
using Releases = std::span<const SubsampledGaussian>;

}  // namespace souk
