#include "agents/unlearning/edge_looks.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/softmax.hpp"
#include "sim/learn/tasks/node_classification.hpp"
#include "sim/stats/correlation.hpp"
#include "sim/stats/ranking.hpp"

namespace souk {
namespace {

/// AUC of the pairs' scores.
template <class Score>
std::optional<double> auc_of(const QuestionedPairs& questioned, const Score& score) {
  std::vector<double> scores;
  std::vector<std::uint8_t> truth(questioned.pairs.size(), 0);
  std::fill_n(truth.begin(), questioned.edges, 1);
  for (const EdgeEnds& pair : questioned.pairs) scores.push_back(score(pair.first, pair.second));
  return area_under_roc(scores, truth);
}

}  // namespace

QuestionedPairs questioned_pairs(const Graph& graph, const std::vector<EdgeEnds>& forgotten, std::uint64_t seed,
                                 RoundIndex round) {
  QuestionedPairs questioned{.pairs = forgotten, .edges = forgotten.size()};
  if (forgotten.empty()) return questioned;
  const std::vector<EdgeEnds> edges = edges_of(graph);
  const auto nodes = static_cast<std::uint32_t>(graph.nodes());
  Stream random(seed, streams::questioned_pairs(round));
  std::vector<EdgeEnds> others;
  for (std::size_t tries = 0; others.size() < forgotten.size() && tries < 100 * forgotten.size(); ++tries) {
    const NodeIndex a = random.below(nodes), b = random.below(nodes);
    const EdgeEnds pair(std::minmax(a, b));
    if (a != b && !std::ranges::binary_search(edges, pair)) others.push_back(pair);
  }
  questioned.pairs.insert(questioned.pairs.end(), others.begin(), others.end());
  return questioned;
}

std::vector<float> posteriors_of(const Federation& federation, std::span<const float> model) {
  const auto logits = federation.task().nodes()->logits(model);
  std::vector<float> posteriors(logits.begin(), logits.end());
  const auto classes = static_cast<std::size_t>(federation.task().classes());
  for (std::size_t first = 0; first < posteriors.size(); first += classes) {
    softmax(std::span(posteriors).subspan(first, classes));
  }
  return posteriors;
}

std::optional<double> steal_link_auc(const QuestionedPairs& questioned, std::span<const float> posteriors,
                                     std::size_t classes) {
  const auto row = [&](NodeIndex node) {
    const auto values = posteriors.subspan(node * classes, classes);
    return std::vector<double>(values.begin(), values.end());
  };
  return auc_of(questioned, [&](NodeIndex a, NodeIndex b) {
    const std::optional<double> correlation = pearson(row(a), row(b));
    return correlation.value_or(0.0);
  });
}

std::optional<double> release_auc(const QuestionedPairs& questioned, std::span<const float> before,
                                  std::span<const float> after, std::size_t classes) {
  const auto moved = [&](NodeIndex node) {
    double squares = 0.0;
    for (std::size_t c = 0; c < classes; ++c) {
      const double d = static_cast<double>(after[node * classes + c]) - static_cast<double>(before[node * classes + c]);
      squares += d * d;
    }
    return std::sqrt(squares);
  };
  return auc_of(questioned, [&](NodeIndex a, NodeIndex b) { return moved(a) + moved(b); });
}

}  // namespace souk
