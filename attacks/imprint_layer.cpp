#include "attacks/imprint_layer.hpp"

#include <algorithm>
#include <cmath>

namespace souk {

std::vector<double> bin_thresholds(std::vector<double> measured, std::size_t bins) {
  std::ranges::sort(measured);
  std::vector<double> thresholds{2.0 * measured.front() - measured.back() - 1.0};
  const auto last = static_cast<double>(measured.size() - 1);
  for (std::size_t b = 1; b < bins; ++b) {
    const double place = last * static_cast<double>(b) / static_cast<double>(bins);
    const auto below = static_cast<std::size_t>(place);
    const double above = measured[std::min(below + 1, measured.size() - 1)];
    thresholds.push_back(measured[below] + (place - static_cast<double>(below)) * (above - measured[below]));
  }
  return thresholds;
}

void difference_bins(std::span<float> weights, std::span<float> biases) {
  const std::size_t bins = biases.size(), inputs = weights.size() / bins;
  for (std::size_t b = 0; b + 1 < bins; ++b) {
    biases[b] -= biases[b + 1];
    for (std::size_t j = 0; j < inputs; ++j) weights[b * inputs + j] -= weights[(b + 1) * inputs + j];
  }
}

double expected_alone(std::size_t bins, std::size_t samples) {
  const auto k = static_cast<double>(bins), n = static_cast<double>(samples);
  return n * std::pow(1.0 - 1.0 / k, n - 1.0);
}

}  // namespace souk
