#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/serving/asked_pairs.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

/// How an attack's scores are counted.
struct EdgeCounting {
  std::string name;                  ///< of the attack, in metrics
  bool one_direction = false;        ///< as EdgeAttack has it
  std::optional<double> times_true;  ///< how many pairs are taken for edges; neither: as many as 2-means says
  std::optional<std::size_t> number;
  std::uint32_t resamples = 200;  ///< of intervals
  std::uint64_t seed = 1;
  std::size_t attack = 0;  ///< its number
};

/// A pair that was asked about, and what is true of it.
struct ScoredPair {
  NodeIndex target = 0, candidate = 0;
  double score = no_score;
  bool edge = false, same_class = false;
  std::size_t degree = 0;                               ///< the smaller one of the two
  std::uint32_t first_cluster = 0, second_cluster = 0;  ///< lists or nodes that it belongs to
};

/// All pairs with their scores [questions] [candidates]. A pair asked in both directions is one.
std::vector<ScoredPair> scored_pairs(const AskedPairs& asked, const std::vector<std::vector<double>>& scores,
                                     const Graph& graph, bool one_direction);

/// Adds edges.NAME.auc and so on (docs/metrics.md), those that are defined.
void record_edge_metrics(const EdgeCounting& counting, const AskedPairs& asked, const std::vector<ScoredPair>& pairs,
                         RoundRecord& record);

/// As many as lie in the upper one of the two clusters that fit the scores best (least squares, exact), of their
/// logarithms where none is negative; zeros and what has no score lie in the lower one.
std::size_t upper_cluster(const std::vector<double>& scores);

}  // namespace souk
