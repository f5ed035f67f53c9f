#include <algorithm>
#include <vector>

#include "agents/unlearning/answer_map_operator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/adam_steps.hpp"
#include "sim/learn/answer_map.hpp"
#include "sim/learn/softmax.hpp"

namespace souk {
namespace {

/// Logits of a node, and what the matrix is to make of them: other logits, or probabilities.
struct Deletion {
  std::span<const float> logits;  ///< [classes]
  std::vector<double> wanted;     ///< [classes]
  bool probabilities = false;     ///< else logits
  double weight = 0.0;            ///< of the mean squared difference over classes
};

std::vector<double> probabilities_of(std::vector<double> logits) {
  softmax(logits);
  return logits;
}

/// GNNDelete's deletion matrix after the last layer alone, Cheng et al., "GNNDelete: A General Strategy for Unlearning
/// in Graph Neural Networks", ICLR 2023: begun, trained and weighed as in its authors' code. That it is about classes
/// of nodes, whose answers take the place of those about links, is Souk's own.
class GnnDelete final : public AnswerMapOperator {
 public:
  explicit GnnDelete(const scenario::DeletionMatrices& config) : config_(config) {}

 private:
  const char* name() const override { return "gnn_delete"; }
  std::uint32_t steps() const override { return config_.steps(); }

  std::vector<Deletion> deletions_of(const NearAnswers& from) const {
    const auto& [request, near, then, now] = from;
    std::vector<Deletion> deletions;
    const auto others = request.graph_before.test_nodes;
    Stream random(request.scenario().seed(), streams::other_nodes(request.round));
    for (const NodeIndex node : near.touched) {
      const auto like = then.about(others[random.below(static_cast<std::uint32_t>(others.size()))]);
      deletions.push_back({.logits = then.about(node),
                           .wanted = {like.begin(), like.end()},
                           .weight = config_.alpha() / static_cast<double>(near.touched.size())});
    }
    for (const SampleIndex unit : near.stay) {
      const NodeIndex node = request.graph_before.train_nodes[unit];
      const auto answer = then.about(node);
      deletions.push_back({.logits = now.about(node),
                           .wanted = probabilities_of({answer.begin(), answer.end()}),
                           .probabilities = true,
                           .weight = (1.0 - config_.alpha()) / static_cast<double>(near.stay.size())});
    }
    return deletions;
  }

  std::vector<float> learned(const NearAnswers& from) const override {
    const std::vector<Deletion> deletions = deletions_of(from);
    const std::size_t classes = from.then.classes();
    std::vector<double> matrix(classes * classes, 0.001);
    AdamSteps adam(matrix.size(), config_.learning_rate());
    for (std::uint32_t step = 0; step < config_.steps(); ++step) {
      std::vector<double> gradient;
      for (const double value : matrix) gradient.push_back(config_.weight_decay() * value);
      const std::vector<float> weights(matrix.begin(), matrix.end());
      for (const Deletion& deletion : deletions) add_slope_of(deletion, weights, gradient);
      adam.step(gradient, matrix);
    }
    return {matrix.begin(), matrix.end()};
  }

  static void add_slope_of(const Deletion& deletion, std::span<const float> weights, std::vector<double>& gradient) {
    const std::size_t classes = deletion.logits.size();
    const std::vector<double> answer = mapped_logits(weights, deletion.logits);
    const std::vector<double> said = deletion.probabilities ? probabilities_of(answer) : answer;
    std::vector<double> slope;
    double along = 0.0;
    for (std::size_t c = 0; c < classes; ++c) {
      slope.push_back(2.0 * deletion.weight * (said[c] - deletion.wanted[c]) / static_cast<double>(classes));
      along += slope[c] * said[c];
    }
    for (std::size_t c = 0; deletion.probabilities && c < classes; ++c) slope[c] = said[c] * (slope[c] - along);
    add_slope(slope, deletion.logits, gradient);
  }

  const scenario::DeletionMatrices& config_;
};

const Register<UnlearningOperator, GnnDelete, scenario::DeletionMatrices> register_gnn_delete;

}  // namespace
}  // namespace souk
