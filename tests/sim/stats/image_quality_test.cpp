#include "sim/stats/image_quality.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace souk::image_quality_test {
namespace {

constexpr PixelGrid square{.channels = 1, .height = 16, .width = 16};

std::vector<double> ramp(std::size_t shift) {
  std::vector<double> image;
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < 16; ++j) image.push_back(static_cast<double>((7 * i + 3 * j + shift) % 16) / 15.0);
  }
  return image;
}

TEST(ImageQuality, is_what_the_vectors_say) {
  const std::vector<double> a = ramp(0), b = ramp(1);
  std::vector<double> c = a;
  for (double& value : c) value = 0.8 * value + 0.1;

  EXPECT_NEAR(mean_squared_error(a, b), 0.06666667, 1e-8);
  EXPECT_NEAR(peak_signal_to_noise(mean_squared_error(a, b)), 11.760913, 1e-6);
  EXPECT_NEAR(*structural_similarity(a, b, square), 0.649771, 1e-6);
  EXPECT_NEAR(mean_squared_error(a, c), 0.00377778, 1e-8);
  EXPECT_NEAR(peak_signal_to_noise(mean_squared_error(a, c)), 24.227636, 1e-6);
  EXPECT_NEAR(*structural_similarity(a, c, square), 0.975743, 1e-6);
}

TEST(ImageQuality, of_constants_is_that_of_their_means) {
  const std::vector<double> five(256, 0.5), six(256, 0.6);

  EXPECT_NEAR(*structural_similarity(five, six, square), 0.983609, 1e-6);
}

TEST(ImageQuality, of_an_image_with_itself_is_perfect) {
  const std::vector<double> a = ramp(0);

  EXPECT_DOUBLE_EQ(*structural_similarity(a, a, square), 1.0);
  EXPECT_EQ(peak_signal_to_noise(0.0), 120.0);
}

// 7 x 7: one place, whose sample moments are those of the whole images.
TEST(ImageQuality, of_small_images_is_over_a_uniform_window) {
  const PixelGrid small{.channels = 1, .height = 7, .width = 7};
  std::vector<double> a, b;
  for (std::size_t i = 0; i < 49; ++i) {
    a.push_back(static_cast<double>(i % 5) / 4.0);
    b.push_back(static_cast<double>(i % 3) / 2.0);
  }
  double mean_a = 0.0, mean_b = 0.0, var_a = 0.0, var_b = 0.0, covariance = 0.0;
  for (std::size_t i = 0; i < 49; ++i) {
    mean_a += a[i] / 49.0;
    mean_b += b[i] / 49.0;
  }
  for (std::size_t i = 0; i < 49; ++i) {
    var_a += (a[i] - mean_a) * (a[i] - mean_a) / 48.0;
    var_b += (b[i] - mean_b) * (b[i] - mean_b) / 48.0;
    covariance += (a[i] - mean_a) * (b[i] - mean_b) / 48.0;
  }
  const double expected = (2.0 * mean_a * mean_b + 1e-4) * (2.0 * covariance + 9e-4) /
                          ((mean_a * mean_a + mean_b * mean_b + 1e-4) * (var_a + var_b + 9e-4));

  EXPECT_NEAR(*structural_similarity(a, b, small), expected, 1e-12);
  EXPECT_FALSE(structural_similarity(a, b, {.channels = 1, .height = 1, .width = 49}));
}

}  // namespace
}  // namespace souk::image_quality_test
