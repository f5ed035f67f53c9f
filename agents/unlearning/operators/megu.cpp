#include <algorithm>
#include <vector>

#include "agents/unlearning/answer_map_operator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/answer_map.hpp"
#include "sim/learn/softmax.hpp"

namespace souk {
namespace {

/// What W is to make of logits of a node.
struct MapLesson {
  std::span<const float> logits;  ///< [classes] that W maps
  std::vector<double> kept;       ///< [classes] probabilities before, at the temperature
  std::size_t label = 0;          ///< its class; of what is forgotten the most probable one before
  double weight = 0.0;            ///< of the divergence from what is kept
  double towards = 0.0;           ///< of the cross-entropy with the label: negative is away from it
};

/// MEGU's second operator, Li et al., "Towards Effective and General Graph Unlearning via Mutual Evolution", AAAI 2024,
/// on a model that stays as it is. All training nodes within reach stand for those that its authors select by their
/// features; which nodes W answers for, and that losses are means over each set, are Souk's own.
class Megu final : public AnswerMapOperator {
 public:
  explicit Megu(const scenario::MappedAnswers& config) : config_(config) {}

 private:
  const char* name() const override { return "megu"; }
  std::uint32_t steps() const override { return config_.steps(); }

  std::vector<MapLesson> lessons_of(const NearAnswers& from) const {
    const auto& [request, near, then, now] = from;
    std::vector<MapLesson> lessons;
    const auto gone = static_cast<double>(near.touched.size()), stay = static_cast<double>(near.stay.size());
    for (const NodeIndex node : near.touched) {
      const auto logits = then.about(node);
      lessons.push_back({.logits = logits,
                         .kept = kept(logits),
                         .label = static_cast<std::size_t>(std::ranges::max_element(logits) - logits.begin()),
                         .weight = config_.kappa() / gone,
                         .towards = -config_.kappa() / gone});
    }
    for (const SampleIndex unit : near.stay) {
      const NodeIndex node = request.graph_before.train_nodes[unit];
      lessons.push_back({.logits = now.about(node),
                         .kept = kept(then.about(node)),
                         .label = static_cast<std::size_t>(request.federation().task().labels()[unit]),
                         .weight = 1.0 / stay,
                         .towards = 1.0 / stay});
    }
    return lessons;
  }

  static std::vector<double> at_temperature(std::vector<double> logits, double temperature) {
    for (double& z : logits) z /= temperature;
    softmax(logits);
    return logits;
  }

  std::vector<double> kept(std::span<const float> logits) const {
    return at_temperature({logits.begin(), logits.end()}, config_.temperature());
  }

  /// Steps down the sum of weight T^2 KL(kept || softmax(W f / T)) + towards CE(softmax(W f), label), from the
  /// identity.
  std::vector<float> learned(const NearAnswers& from) const override {
    const std::vector<MapLesson> lessons = lessons_of(from);
    const std::size_t classes = from.then.classes();
    std::vector<float> weights(classes * classes, 0.0F);
    for (std::size_t c = 0; c < classes; ++c) weights[c * classes + c] = 1.0F;
    for (std::uint32_t step = 0; step < config_.steps(); ++step) {
      std::vector<double> gradient(weights.size());
      for (const MapLesson& lesson : lessons) add_slope_of(lesson, weights, gradient);
      for (std::size_t v = 0; v < weights.size(); ++v) {
        weights[v] -= static_cast<float>(config_.learning_rate() * gradient[v]);
      }
    }
    return weights;
  }

  void add_slope_of(const MapLesson& lesson, std::span<const float> weights, std::vector<double>& gradient) const {
    const std::vector<double> answer = mapped_logits(weights, lesson.logits);
    const std::vector<double> soft = at_temperature(answer, config_.temperature()), plain = at_temperature(answer, 1.0);
    std::vector<double> slope;
    for (std::size_t c = 0; c < lesson.logits.size(); ++c) {
      slope.push_back(lesson.weight * config_.temperature() * (soft[c] - lesson.kept[c]) +
                      lesson.towards * (plain[c] - (c == lesson.label ? 1.0 : 0.0)));
    }
    add_slope(slope, lesson.logits, gradient);
  }

  const scenario::MappedAnswers& config_;
};

const Register<UnlearningOperator, Megu, scenario::MappedAnswers> register_megu;

}  // namespace
}  // namespace souk
