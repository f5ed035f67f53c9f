#include "sim/stats/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/base/streams.hpp"

namespace souk {

Interval bootstrap_of_mean(std::span<const double> values) {
  if (values.size() < 2) return {std::nan(""), std::nan("")};
  Stream stream(1, streams::bootstrap());
  const auto count = static_cast<std::uint32_t>(values.size());
  std::vector<double> means(bootstrap_resamples);
  for (double& mean : means) {
    double sum = 0.0;
    for (std::uint32_t i = 0; i < count; ++i) sum += values[stream.below(count)];
    mean = sum / count;
  }
  std::ranges::sort(means);
  constexpr std::size_t left_out = bootstrap_resamples / 40;
  return {means[left_out], means[bootstrap_resamples - 1 - left_out]};
}

}  // namespace souk
