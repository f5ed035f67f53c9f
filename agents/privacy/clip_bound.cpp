#include "agents/privacy/clip_bound.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/privacy.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"

namespace souk {

ClipBound::ClipBound(const scenario::Privacy& config, double expected)
    : adaptive_(config.has_adaptive() ? &config.adaptive() : nullptr),
      expected_(expected),
      step_noise_(config.noise_multiplier()),
      length_(config.has_adaptive() ? config.adaptive().initial() : config.fixed().bound()) {
  if (!adapts()) return;
  count_noise_ = adaptive_->count_noise() > 0.0 ? adaptive_->count_noise() : expected / 20.0;
  const double sigma = config.noise_multiplier();
  if (sigma == 0.0) return;
  SOUK_REQUIRE(
      sigma < 2.0 * count_noise_,
      "privacy.noise_multiplier = {}: must be less than twice the noise on the count of short updates, which is {} "
      "(privacy.adaptive.count_noise)",
      sigma, count_noise_);
  step_noise_ = 1.0 / std::sqrt(1.0 / (sigma * sigma) - 1.0 / (4.0 * count_noise_ * count_noise_));
}

void ClipBound::follow(const UpdateLengths& lengths, Stream& random) {
  if (!adapts()) return;
  const double bits = 0.5 * (static_cast<double>(lengths.within) - static_cast<double>(lengths.longer));
  const double share = std::clamp((bits + count_noise_ * random.normal()) / expected_ + 0.5, 0.0, 1.0);
  length_ *= std::exp(-adaptive_->rate() * (share - adaptive_->quantile()));
}

void ClipBound::serialize(Archive& archive) { archive.field("clip bound", length_); }

}  // namespace souk
