#include "attacks/data/backdoor.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// What the pattern of uniform noise is in the network's units. Part of the trigger, so no matter of the run's seed.
std::vector<float> pattern_for(const DataFacts& facts) {
  Stream noise(0, streams::blended_trigger());
  const std::size_t pixels = facts.shape[1] * facts.shape[2];
  std::vector<float> pattern(facts.features());
  for (std::size_t v = 0; v < pattern.size(); ++v) pattern[v] = painted(facts, v / pixels, noise.uniform_float());
  return pattern;
}

/// The blended injection of a random pattern of Chen, Liu, Li, Lu, Song, "Targeted Backdoor Attacks on Deep Learning
/// Systems Using Data Poisoning", arXiv:1712.05526, 2017.
class Blended final : public Backdoor {
 public:
  explicit Blended(const scenario::Blended& config)
      : Backdoor("blended", config.target()), opacity_(static_cast<float>(config.opacity())) {}

 private:
  void check_trigger(const DataFacts& facts) const override { check_images(field(), facts); }
  void stamp(const Marked& samples) const override {
    const std::vector<float> pattern = pattern_for(samples.facts);
    for (const std::size_t i : samples.which) {
      const std::span<float> image = samples.features_of(i);
      for (std::size_t v = 0; v < image.size(); ++v) image[v] = blend(image[v], pattern[v], opacity_);
    }
  }
  float opacity_;
};

const Register<DataAttack, Blended, scenario::Blended> register_blended;

}  // namespace
}  // namespace souk
