#include "attacks/affine_readout.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace souk {
namespace {

float largest_of(std::span<const float> values) {
  float largest = 0.0F;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

bool agrees(std::span<const float> a, std::span<const float> b, double agreement) {
  for (std::size_t j = 0; j < a.size(); ++j) {
    if (!(std::abs(static_cast<double>(a[j]) - static_cast<double>(b[j])) <= agreement)) return false;
  }
  return true;
}

}  // namespace

std::vector<float> affine_readout(const AffineGradient& gradient) {
  const std::size_t rows = gradient.biases.size(), inputs = gradient.weights.size() / rows;
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return std::abs(gradient.biases[a]) > std::abs(gradient.biases[b]); });
  const auto largest = static_cast<double>(largest_of(gradient.biases));
  std::vector<float> found, row(inputs);
  for (const std::size_t r : order) {
    const auto bias = static_cast<double>(gradient.biases[r]);
    const std::span<const float> weights = gradient.weights.subspan(r * inputs, inputs);
    const double least = gradient.tolerance * std::max(largest, static_cast<double>(largest_of(weights)));
    if (!(std::abs(bias) > least)) continue;
    for (std::size_t j = 0; j < inputs; ++j) row[j] = static_cast<float>(static_cast<double>(weights[j]) / bias);
    bool known = false;
    for (std::size_t first = 0; first < found.size() && !known; first += inputs) {
      known = agrees(row, std::span<const float>(found).subspan(first, inputs), gradient.agreement);
    }
    if (!known) found.insert(found.end(), row.begin(), row.end());
  }
  return found;
}

}  // namespace souk
