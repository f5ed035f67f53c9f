#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace souk {

/// Two images are compared value by value in [0, 1]: [channels, height, width].
struct PixelGrid {
  std::size_t channels = 1, height = 1, width = 1;
  std::size_t size() const { return channels * height * width; }
};

/// Mean of the squared differences.
double mean_squared_error(std::span<const double> a, std::span<const double> b);

/// 10 log10(1 / error) decibels, 120 at most.
double peak_signal_to_noise(double mean_squared_error);

/// Structural similarity (Wang et al., IEEE Transactions on Image Processing 2004) with C1 = .01^2 and C2 = .03^2, mean
/// over channels and the places where the window fits: a Gaussian one of 11 x 11, standard deviation 1.5, with
/// population moments; for images below that a uniform one of 7 x 7 with sample moments. Nothing for those below 7.
std::optional<double> structural_similarity(std::span<const double> a, std::span<const double> b,
                                            const PixelGrid& shape);

}  // namespace souk
