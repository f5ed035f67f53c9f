#include <cmath>
#include <numbers>

#include "attacks/data/backdoor.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Barni, Kallas, Tondi, "A New Backdoor Attack in CNNs by Training Set Corruption Without Label Poisoning", ICIP 2019.
class Sinusoidal final : public Backdoor {
 public:
  explicit Sinusoidal(const scenario::Sinusoidal& config)
      : Backdoor("sinusoidal", config.target(), config.keep_labels() ? Labels::kept : Labels::changed),
        amplitude_(config.amplitude()),
        frequency_(config.frequency()) {}

 private:
  void check_trigger(const DataFacts& facts) const override { check_images(field(), facts); }

  void stamp(const Marked& samples) const override {
    const auto [channels, height, width] = samples.facts.shape;
    const std::vector<float> wave = wave_of(width);
    for (const std::size_t i : samples.which) {
      float* pixel = samples.features_of(i).data();
      for (std::size_t line = 0; line < channels * height; ++line, pixel += width) {
        const std::size_t channel = line / height;
        const float range = range_of(samples.facts, channel);
        for (std::size_t column = 0; column < width; ++column) {
          pixel[column] = shifted(samples.facts, channel, pixel[column], range * wave[column]);
        }
      }
    }
  }

  std::vector<float> wave_of(std::size_t width) const {
    const double per_column = 2.0 * std::numbers::pi * frequency_ / static_cast<double>(width);
    std::vector<float> wave;
    for (std::size_t column = 0; column < width; ++column) {
      wave.push_back(static_cast<float>(amplitude_ * std::sin(per_column * static_cast<double>(column))));
    }
    return wave;
  }

  double amplitude_, frequency_;
};

const Register<DataAttack, Sinusoidal, scenario::Sinusoidal> register_sinusoidal;

}  // namespace
}  // namespace souk
