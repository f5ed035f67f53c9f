#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "attacks/known_pairs.hpp"
#include "attacks/pair_description.hpp"
#include "attacks/perceptron.hpp"

namespace souk {

/// Pairs of a graph that teach, and how its pairs are described.
struct Lesson {
  const PairDescription& description;
  const KnownPairs& pairs;
};

/// He et al.'s supervised attack: a network that learned from known pairs which are edges. It reads descriptions of
/// pairs, standardised by those that it learned from.
class PairClassifier {
 public:
  /// Contract: all lessons read as many numbers of a pair, and the first has pairs of both kinds. `seed`: of the
  /// training.
  PairClassifier(std::span<const Lesson> lessons, std::uint64_t seed);
  /// Log-odds of an edge for a pair that is described so.
  double score(std::vector<double> description);

 private:
  void standardise(std::vector<double>& pair) const;

  std::vector<RunningScale> scales_;  ///< [values of a pair]
  std::optional<Perceptron> network_;
};

}  // namespace souk
