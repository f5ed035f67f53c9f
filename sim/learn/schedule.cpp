#include "sim/learn/schedule.hpp"

#include <cmath>
#include <numbers>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"

namespace souk {

double scheduled_learning_rate(const scenario::Training& training, RoundIndex round, std::uint32_t rounds) {
  SOUK_EXPECT(round.value >= 1);
  const double rate = training.learning_rate();
  const std::uint32_t warmup = training.warmup_rounds();
  if (round.value <= warmup) return rate * round.value / (warmup + 1.0);
  const std::uint32_t passed = round.value - 1 - warmup;
  switch (training.schedule_case()) {
    case scenario::Training::kStepDecay:
      return rate * std::pow(training.step_decay().factor(), passed / training.step_decay().every());
    case scenario::Training::kCosineDecay: {
      const double last = training.cosine_decay().final_fraction();
      const double progress = rounds > warmup ? passed / static_cast<double>(rounds - warmup) : 1.0;
      return rate * (last + (1.0 - last) * 0.5 * (1.0 + std::cos(std::numbers::pi * std::fmin(progress, 1.0))));
    }
    default:
      return rate;
  }
}

}  // namespace souk
