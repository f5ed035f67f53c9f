#include "attacks/pair_classifier.hpp"

#include <algorithm>

#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

constexpr std::size_t hidden_of_pairs = 32;
constexpr double dropped_of_pairs = 0.5;
/// Long trainings get fewer passes: more mini-batches change little, and every rank goes through them.
constexpr std::size_t most_batches = 10000;

PerceptronTraining training(std::size_t pairs) {
  PerceptronTraining how;
  how.passes = std::clamp<std::size_t>(most_batches * how.batch / pairs, 1, how.passes);
  return how;
}

}  // namespace

PairClassifier::PairClassifier(std::span<const Lesson> lessons, std::uint64_t seed) {
  std::vector<std::vector<double>> pairs;
  std::vector<std::uint32_t> labels;
  const auto learn = [&](const PairDescription& description, const std::vector<NodePair>& of_kind, bool edges) {
    for (const auto& [a, b] : of_kind) {
      pairs.push_back(description.of(a, b));
      if (pairs.size() % 1000 == 0) heartbeat::beat();
    }
    labels.resize(pairs.size(), edges ? 1 : 0);
  };
  for (const Lesson& lesson : lessons) {
    learn(lesson.description, lesson.pairs.edges, true);
    learn(lesson.description, lesson.pairs.others, false);
  }
  scales_.resize(pairs.front().size());
  for (const std::vector<double>& pair : pairs) {
    for (std::size_t v = 0; v < pair.size(); ++v) scales_[v].add(pair[v]);
  }
  std::vector<InputRow> rows;
  for (std::vector<double>& pair : pairs) {
    standardise(pair);
    rows.push_back({.columns = {}, .values = pair});
  }
  network_ = trained_perceptron({scales_.size(), hidden_of_pairs, hidden_of_pairs, 2}, dropped_of_pairs, rows, labels,
                                training(pairs.size()), seed);
}

void PairClassifier::standardise(std::vector<double>& pair) const {
  for (std::size_t v = 0; v < pair.size(); ++v) pair[v] = scales_[v].standardised(pair[v]);
}

double PairClassifier::score(std::vector<double> description) {
  standardise(description);
  const std::span<const double> logits = network_->logits({.columns = {}, .values = description});
  return logits[1] - logits[0];
}

}  // namespace souk
