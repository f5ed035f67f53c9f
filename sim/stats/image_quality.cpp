#include "sim/stats/image_quality.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace souk {
namespace {

/// Weights of a window [side, side], sum 1, and what makes moments in it unbiased.
struct Window {
  std::size_t side = 0;
  std::vector<double> weights;
  double correction = 1.0;
};

Window gaussian_window() {
  constexpr double deviation = 1.5;
  Window window{.side = 11, .weights = {}};
  double sum = 0.0;
  for (std::size_t i = 0; i < window.side * window.side; ++i) {
    const double y = static_cast<double>(i / window.side) - 5.0, x = static_cast<double>(i % window.side) - 5.0;
    sum += window.weights.emplace_back(std::exp(-(x * x + y * y) / (2.0 * deviation * deviation)));
  }
  for (double& weight : window.weights) weight /= sum;
  return window;
}

Window uniform_window() {
  constexpr double places = 49.0;
  return {.side = 7, .weights = std::vector<double>(49, 1.0 / places), .correction = places / (places - 1.0)};
}

/// Of the window with this upper left corner.
double similarity_at(std::span<const double> a, std::span<const double> b, std::size_t width, std::size_t corner,
                     const Window& window) {
  constexpr double c1 = 1e-4, c2 = 9e-4;
  double mean_a = 0.0, mean_b = 0.0, square_a = 0.0, square_b = 0.0, product = 0.0;
  for (std::size_t i = 0; i < window.weights.size(); ++i) {
    const std::size_t at = corner + i / window.side * width + i % window.side;
    const double weight = window.weights[i];
    mean_a += weight * a[at];
    mean_b += weight * b[at];
    square_a += weight * a[at] * a[at];
    square_b += weight * b[at] * b[at];
    product += weight * a[at] * b[at];
  }
  const double variance_a = window.correction * (square_a - mean_a * mean_a);
  const double variance_b = window.correction * (square_b - mean_b * mean_b);
  const double covariance = window.correction * (product - mean_a * mean_b);
  return (2.0 * mean_a * mean_b + c1) * (2.0 * covariance + c2) /
         ((mean_a * mean_a + mean_b * mean_b + c1) * (variance_a + variance_b + c2));
}

}  // namespace

double mean_squared_error(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

double peak_signal_to_noise(double error) {
  constexpr double most = 120.0;
  return error > 0.0 ? std::min(most, -10.0 * std::log10(error)) : most;
}

std::optional<double> structural_similarity(std::span<const double> a, std::span<const double> b,
                                            const PixelGrid& shape) {
  const std::size_t least = std::min(shape.height, shape.width);
  if (least < 7) return std::nullopt;
  const Window window = least < 11 ? uniform_window() : gaussian_window();
  const std::size_t plane = shape.height * shape.width;
  double sum = 0.0, places = 0.0;
  for (std::size_t channel = 0; channel < shape.channels; ++channel) {
    for (std::size_t y = 0; y + window.side <= shape.height; ++y) {
      for (std::size_t x = 0; x + window.side <= shape.width; ++x) {
        sum += similarity_at(a.subspan(channel * plane, plane), b.subspan(channel * plane, plane), shape.width,
                             y * shape.width + x, window);
        places += 1.0;
      }
    }
  }
  return sum / places;
}

}  // namespace souk
