#include "aggregators/stats/gap_statistic.hpp"

#include <algorithm>
#include <cmath>

#include "aggregators/stats/kmeans_1d.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"

namespace souk {
namespace {

/// How many k are worth a look: with more clusters there is nothing left to explain.
std::size_t largest_k(std::span<const double> dispersions, std::size_t n) {
  const auto exact = std::find(dispersions.begin(), dispersions.end(), 0.0);
  const std::size_t clusters = static_cast<std::size_t>(exact - dispersions.begin()) + (exact != dispersions.end());
  return std::max<std::size_t>(1, std::min(clusters, n - 1));
}

std::vector<double> uniform(std::size_t n, Stream& random) {
  std::vector<double> values(n);
  for (double& value : values) value = random.uniform();
  return values;
}

double mean(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  const double centre = mean(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

}  // namespace

GapStatistic gap_statistic(std::span<const double> values, std::size_t k_max, std::size_t references, Stream& random) {
  SOUK_EXPECT(!values.empty() && k_max >= 1 && references >= 1);
  const std::vector<double> dispersions = kmeans_1d_dispersions(values, k_max);
  if (dispersions.front() == 0.0) return {.gaps = {0.0}, .errors = {0.0}};  // one value: one cluster, and no question
  const std::size_t ks = largest_k(dispersions, values.size());
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double log_squared_range = 2.0 * std::log(*high - *low);

  // Sets are drawn in [0, 1]: a range of a few units in the last place would make their values equal.
  std::vector<std::vector<double>> logs(ks);  // log W*_kb, [k][b]
  for (std::size_t b = 0; b < references; ++b) {
    const std::vector<double> reference = kmeans_1d_dispersions(uniform(values.size(), random), ks);
    for (std::size_t k = 0; k < ks; ++k) logs[k].push_back(std::log(reference[k]) + log_squared_range);
  }
  GapStatistic result;
  for (std::size_t k = 0; k < ks; ++k) {
    result.gaps.push_back(mean(logs[k]) - std::log(dispersions[k]));
    result.errors.push_back(standard_deviation(logs[k]) * std::sqrt(1.0 + 1.0 / static_cast<double>(references)));
  }
  return result;
}

std::size_t first_by_gap(const GapStatistic& statistic) {
  const std::size_t ks = statistic.gaps.size();
  for (std::size_t k = 1; k < ks; ++k) {
    if (statistic.gaps[k - 1] >= statistic.gaps[k] - statistic.errors[k]) return k;
  }
  return ks;
}

std::size_t largest_by_gap(const GapStatistic& statistic) {
  const auto largest = std::max_element(statistic.gaps.begin(), statistic.gaps.end());
  return static_cast<std::size_t>(largest - statistic.gaps.begin()) + 1;
}

}  // namespace souk
