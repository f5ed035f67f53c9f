#include "attacks/reference_network.hpp"

#include <algorithm>

#include "attacks/perceptron.hpp"
#include "attacks/vector_distances.hpp"
#include "sim/learn/softmax.hpp"

namespace souk {
namespace {

constexpr std::size_t hidden_of_nodes = 16;
constexpr double dropped_of_nodes = 0.5;
/// As He et al. train the network that is attacked.
constexpr PerceptronTraining usual{.passes = 100, .batch = 64, .rate = 0.01, .decay = 5e-4};

/// Stored features of some nodes, each over their norm.
class FeatureRows {
 public:
  FeatureRows(const SparseRows& features, std::span<const NodeIndex> nodes) {
    std::vector<std::size_t> ends;
    for (const NodeIndex node : nodes) {
      append(features, node);
      ends.push_back(values_.size());
    }
    std::size_t begin = 0;
    for (std::size_t i = 0; i < nodes.size(); begin = ends[i++]) {
      rows_.push_back({.columns = features.columns.subspan(features.offsets[nodes[i]], ends[i] - begin),
                       .values = std::span(values_).subspan(begin, ends[i] - begin)});
    }
  }
  FeatureRows(const FeatureRows&) = delete;
  FeatureRows& operator=(const FeatureRows&) = delete;
  std::span<const InputRow> rows() const { return rows_; }

 private:
  void append(const SparseRows& features, NodeIndex node) {
    const std::size_t begin = values_.size();
    for (std::uint64_t e = features.offsets[node]; e < features.offsets[node + 1]; ++e) {
      values_.push_back(features.values.empty() ? 1.0 : static_cast<double>(features.values[e]));
    }
    const auto row = std::span(values_).subspan(begin);
    const double size = norm(row);
    for (double& x : row) x /= size > 0.0 ? size : 1.0;
  }

  std::vector<double> values_;
  std::vector<InputRow> rows_;
};

}  // namespace

ReadAnswers reference_answers(const ReadAnswers& answers, const SparseRows& features, std::uint64_t seed) {
  const FeatureRows inputs(features, answers.nodes);
  std::vector<std::uint32_t> classes;
  for (std::size_t i = 0; i < answers.nodes.size(); ++i) {
    const auto values = answers.at(i);
    classes.push_back(static_cast<std::uint32_t>(std::ranges::max_element(values) - values.begin()));
  }
  Perceptron network = trained_perceptron({features.width, hidden_of_nodes, answers.width}, dropped_of_nodes,
                                          inputs.rows(), classes, usual, seed);
  ReadAnswers reference{.nodes = answers.nodes, .width = answers.width, .values = {}};
  for (const InputRow& row : inputs.rows()) {
    const auto logits = network.logits(row);
    reference.values.insert(reference.values.end(), logits.begin(), logits.end());
    softmax(std::span(reference.values).last(answers.width));
  }
  return reference;
}

}  // namespace souk
