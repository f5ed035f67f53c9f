#include "attacks/data/backdoor.hpp"
#include "attacks/data/patch.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Turner, Tsipras, Madry, "Label-Consistent Backdoor Attacks", arXiv:1912.02771, 2019. Noise stands in for their
/// adversarial perturbations and generative interpolations, which need a model to attack.
class CleanLabel final : public Backdoor {
 public:
  explicit CleanLabel(const scenario::CleanLabel& config)
      : Backdoor("clean_label", config.target(), Labels::kept),
        patch_(config.patch()),
        noise_(static_cast<float>(config.noise())) {}

  void poison(const PoisonBatch& batch, Stream& random) const override {
    if (noise_ > 0.0F) {
      for (const std::size_t i : batch.chosen) blur(batch, i);
    }
    Backdoor::poison(batch, random);
  }

 private:
  void check_trigger(const DataFacts& facts) const override {
    check_images(field(), facts);
    patch_.check(facts, field() + ".patch");
  }
  void stamp(const Marked& samples) const override {
    for (const std::size_t i : samples.which) patch_.stamp(samples.facts, samples.features_of(i));
  }
  /// The same noise on a sample in every round: of something that changes, a network would learn the mean.
  void blur(const PoisonBatch& batch, std::size_t i) const {
    Stream draw(batch.seed, streams::clean_label_noise(batch.which[i]));
    const std::size_t pixels = batch.facts.shape[1] * batch.facts.shape[2];
    const std::span<float> image = batch.features_of(i);
    for (std::size_t v = 0; v < image.size(); ++v) {
      const std::size_t channel = v / pixels;
      const float change = noise_ * range_of(batch.facts, channel) * static_cast<float>(draw.normal());
      image[v] = shifted(batch.facts, channel, image[v], change);
    }
  }
  Patch patch_;
  float noise_;
};

const Register<DataAttack, CleanLabel, scenario::CleanLabel> register_clean_label;

}  // namespace
}  // namespace souk
