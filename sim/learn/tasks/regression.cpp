#include "sim/learn/tasks/regression.hpp"

#include <algorithm>
#include <cmath>

namespace souk {

void Regression::tally_answers(std::span<const float> outputs, std::span<const double> losses, const Targets& targets,
                               std::span<double> sums) const {
  std::ranges::fill(sums, 0.0);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const auto wanted = static_cast<double>(targets.numbers[i]);
    const double error = static_cast<double>(outputs[i]) - wanted;
    sums[0] += losses[i];
    sums[1] += 1.0;
    sums[2] += error * error;
    sums[3] += std::abs(error);
    sums[4] += wanted;
    sums[5] += wanted * wanted;
  }
}

Scores Regression::scores(std::span<const double> sums) const {
  const double count = sums[1];
  const double unit = 1.0 / static_cast<double>(data(Split::train).scaling().number_scale);
  // Scaled numbers lie about 0, so that this difference does not cancel.
  const double spread = sums[5] - sums[4] * sums[4] / count;
  Scores scores{.loss = sums[0] / count, .quality = 1.0 - sums[2] / spread};
  if (!(spread > 0.0)) scores.quality = std::nan("");  // nothing varies: R² is not defined
  scores.skill = scores.quality;
  scores.metrics = {{"r2", scores.quality},
                    {"loss", scores.loss},
                    {"rmse", std::sqrt(sums[2] / count) * unit},
                    {"mae", sums[3] / count * unit}};
  return scores;
}

}  // namespace souk
