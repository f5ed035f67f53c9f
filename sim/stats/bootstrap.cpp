#include "sim/stats/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Without 2.5 % of the values at each end.
Interval middle_of(std::vector<double> values) {
  if (values.empty()) return {std::nan(""), std::nan("")};
  std::ranges::sort(values);
  const std::size_t left_out = values.size() / 40;
  return {values[left_out], values[values.size() - 1 - left_out]};
}

}  // namespace

Interval bootstrap_of_mean(std::span<const double> values) {
  Stream stream(1, streams::bootstrap());
  return bootstrap_of_clusters(static_cast<std::uint32_t>(values.size()), bootstrap_resamples, stream,
                               [&](std::span<const std::uint32_t> drawn) {
                                 double sum = 0.0;
                                 for (const std::uint32_t i : drawn) sum += values[i];
                                 return sum / static_cast<double>(drawn.size());
                               });
}

Interval bootstrap_of_clusters(std::uint32_t clusters, std::uint32_t resamples, Stream& random,
                               const std::function<double(std::span<const std::uint32_t> drawn)>& statistic) {
  SOUK_EXPECT(resamples >= 1);
  if (clusters < 2) return {std::nan(""), std::nan("")};
  std::vector<double> values;
  values.reserve(resamples);
  std::vector<std::uint32_t> drawn(clusters);
  for (std::uint32_t i = 0; i < resamples; ++i) {
    for (std::uint32_t& cluster : drawn) cluster = random.below(clusters);
    const double value = statistic(drawn);
    if (!std::isnan(value)) values.push_back(value);
  }
  return middle_of(std::move(values));
}

}  // namespace souk
