#pragma once

#include <optional>
#include <span>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/training/model_server.hpp"
#include "sim/data/graphs/reduced_graph.hpp"

namespace souk {

/// Pairs of nodes: edges that are forgotten, and as many that never were edges.
struct QuestionedPairs {
  std::vector<EdgeEnds> pairs;
  std::size_t edges = 0;  ///< the first so many are those forgotten
};

/// `graph`: before anything was forgotten of it. Pairs without an edge are drawn by the seed and the round; fewer than
/// asked where the graph has few.
QuestionedPairs questioned_pairs(const Graph& graph, const std::vector<EdgeEnds>& forgotten, std::uint64_t seed,
                                 RoundIndex round);

/// Probabilities of classes for all nodes, [nodes, classes], as anybody is told who may ask about any node. Every rank
/// computes them. Contract: samples are nodes.
std::vector<float> posteriors_of(const Federation& federation, std::span<const float> model);

/// Area under the ROC curve of telling forgotten edges from pairs that never were any by how alike the answers about
/// their ends are, by correlation: attack 0 of He et al., "Stealing Links from Graph Neural Networks", 2021. What is to
/// be reached is the retrained model's value. Null without pairs.
std::optional<double> steal_link_auc(const QuestionedPairs& questioned, std::span<const float> posteriors,
                                     std::size_t classes);

/// The same of who sees two releases: the more the answers about both ends have moved, the rather an edge between them
/// was forgotten. The score, the sum of both lengths, is Souk's.
std::optional<double> release_auc(const QuestionedPairs& questioned, std::span<const float> before,
                                  std::span<const float> after, std::size_t classes);

}  // namespace souk
