#include <algorithm>
#include <numeric>
#include <vector>

#include "agents/unlearning/answer_weights.hpp"
#include "agents/unlearning/holders.hpp"
#include "agents/unlearning/together.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// GraphEraser's LBAggr.
class ByLearnedWeights final : public TogetherRule {
 public:
  explicit ByLearnedWeights(const scenario::LearnedWeights& config) : config_(config) {}

  void check(const Task& task) const override {
    SOUK_REQUIRE(task.classes() > 0,
                 "weights probabilities of classes, and the data set has numbers to predict: take mean_answer");
  }

  /// The first in an order of all that the seed draws: who leaves changes nobody else's place.
  std::vector<SampleIndex> asks_first(const Federation& federation) const override {
    const std::vector<SampleIndex> held = units_of(units_that_stay(federation));
    std::vector<SampleIndex> order(federation.task().units(Split::train)), units;
    std::iota(order.begin(), order.end(), SampleIndex{0});
    Stream(federation.scenario().seed(), streams::units_of_weights()).shuffle(order);
    for (const SampleIndex unit : order) {
      if (units.size() < config_.samples() && std::ranges::binary_search(held, unit)) units.push_back(unit);
    }
    return units;
  }

  void learn(const Federation& federation, std::span<const SampleIndex> units, std::size_t models,
             std::span<const float> said) override {
    std::vector<std::int32_t> labels;
    for (const SampleIndex unit : units) labels.push_back(federation.task().labels()[unit]);
    weights_ = learned_weights(config_,
                               {.models = models,
                                .classes = static_cast<std::size_t>(federation.task().classes()),
                                .said = said,
                                .labels = labels},
                               federation.scenario().seed());
  }

  void answer(std::span<const float> said, std::size_t, std::span<float> out) const override {
    weighted_answer(said, weights_, out);
  }

 private:
  const scenario::LearnedWeights& config_;
  std::vector<double> weights_;
};

const Register<TogetherRule, ByLearnedWeights, scenario::LearnedWeights> register_by_learned_weights;

}  // namespace
}  // namespace souk
