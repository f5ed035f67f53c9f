#pragma once

#include <vector>

#include "attacks/pair_features.hpp"
#include "attacks/read_answers.hpp"

namespace souk {

/// What an attacker has of the nodes of a graph.
struct PairSources {
  const ReadAnswers& answers;
  const SparseRows* features = nullptr;    ///< null: not known
  const ReadAnswers* reference = nullptr;  ///< what a network that knows no edges answers; null: it is not read
  /// Whether to read nothing but what is the same for any graph, whatever the number of its classes.
  bool of_any_graph = false;
};

/// What He et al.'s classifier reads of a pair of nodes; the same whichever of them comes first.
class PairDescription {
 public:
  /// The sources must outlive it.
  explicit PairDescription(const PairSources& sources);
  /// Combinations of the answers, unless for any graph; their distances; combinations of their entropies; the last two
  /// of the reference's answers, too; distances of features.
  std::vector<double> of(NodeIndex a, NodeIndex b) const;

 private:
  PairSources sources_;
  std::vector<double> entropies_, reference_entropies_;  ///< [nodes of the answers]
};

/// How many numbers a description has.
std::size_t description_size(const PairSources& sources);

}  // namespace souk
