#include <algorithm>

#include "attacks/data_attack.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Features of the chosen samples, one after the other.
std::vector<float> chosen_features(const PoisonBatch& batch) {
  std::vector<float> features;
  features.reserve(batch.chosen.size() * batch.facts.features());
  for (const std::size_t i : batch.chosen) {
    const std::span<const float> sample = batch.features_of(i);
    features.insert(features.end(), sample.begin(), sample.end());
  }
  return features;
}

/// Shejwalkar, Houmansadr, Kairouz, Ramage, "Back to the Drawing Board: A Critical Evaluation of Poisoning Attacks on
/// Production Federated Learning", IEEE S&P 2022, section IV-B2, with the global model as the surrogate.
class DynamicLabelFlip final : public DataAttack {
 public:
  explicit DynamicLabelFlip(const scenario::DynamicLabelFlip&) {}

  void poison(const PoisonBatch& batch, Stream&) const override {
    const std::vector<float> answers = batch.now.probabilities(chosen_features(batch));
    auto of_sample = answers.begin();
    for (const std::size_t i : batch.chosen) {
      const auto next = of_sample + batch.facts.classes;
      batch.labels[i] = static_cast<std::int32_t>(std::min_element(of_sample, next) - of_sample);
      of_sample = next;
    }
  }
};

const Register<DataAttack, DynamicLabelFlip, scenario::DynamicLabelFlip> register_dynamic_label_flip;

}  // namespace
}  // namespace souk
