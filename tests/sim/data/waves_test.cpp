// The generator of numbers to predict, against what its description says.
#include <cmath>
#include <vector>

#include <gmock/gmock.h>

#include "sim/data/dataset.hpp"
#include "tests/sim/data/support.hpp"

namespace souk::waves_test {
namespace {

using namespace test;

scenario::Data waves(std::uint32_t samples, std::uint32_t features = 4) {
  scenario::Data data;
  data.mutable_waves()->set_train_samples(samples);
  data.mutable_waves()->set_test_samples(10);
  data.mutable_waves()->set_features(features);
  return data;
}

double mean_product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum / static_cast<double>(a.size());
}

std::vector<double> column(const Loaded& rows, std::size_t f) {
  std::vector<double> values;
  for (std::size_t i = f; i < rows.f32.size(); i += rows.shape.features()) values.push_back(rows.f32[i]);
  return values;
}

/// R² of least squares without an intercept, by the normal equations.
double linear_r2(const Loaded& rows) {
  const std::size_t d = rows.shape.features();
  const std::vector<double> y(rows.numbers.begin(), rows.numbers.end());
  std::vector<std::vector<double>> a(d, std::vector<double>(d + 1));
  for (std::size_t f = 0; f < d; ++f) {
    for (std::size_t g = 0; g < d; ++g) a[f][g] = mean_product(column(rows, f), column(rows, g));
    a[f][d] = mean_product(column(rows, f), y);
  }
  for (std::size_t f = 0; f < d; ++f) {
    for (std::size_t g = 0; g < d; ++g) {
      if (g == f) continue;
      const double factor = a[g][f] / a[f][f];
      for (std::size_t c = f; c <= d; ++c) a[g][c] -= factor * a[f][c];
    }
  }
  double residual = mean_product(y, y);
  const double total = residual;
  for (std::size_t f = 0; f < d; ++f) residual -= a[f][d] / a[f][f] * mean_product(column(rows, f), y);
  return 1.0 - residual / total;
}

// Of 20,000 rows: means and correlations err by less than .03, four standard errors.
TEST(Waves, features_are_of_unit_variance_and_correlated_by_their_distance) {
  scenario::Data data = waves(20000);
  data.mutable_waves()->set_correlation(0.6);
  const Loaded rows = load(data, Split::train);
  for (std::size_t f = 0; f < 4; ++f) {
    for (std::size_t g = 0; g < 4; ++g) {
      const double expected = std::pow(0.6, std::abs(static_cast<double>(f) - static_cast<double>(g)));
      EXPECT_NEAR(mean_product(column(rows, f), column(rows, g)), expected, 0.03) << f << " " << g;
    }
  }
}

TEST(Waves, without_waves_and_noise_a_line_explains_everything_and_the_number_has_unit_variance) {
  scenario::Data data = waves(20000);
  data.mutable_waves()->set_waves(0), data.mutable_waves()->set_noise(0);
  const Loaded rows = load(data, Split::train);
  EXPECT_NEAR(linear_r2(rows), 1.0, 1e-6);
  const std::vector<double> y(rows.numbers.begin(), rows.numbers.end());
  EXPECT_NEAR(mean_product(y, y), 1.0, 0.05);
}

TEST(Waves, with_waves_a_line_explains_about_half) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const double r2 = linear_r2(load(waves(20000), Split::train, seed));
    EXPECT_GT(r2, 0.3) << seed;
    EXPECT_LT(r2, 0.65) << seed;
  }
}

TEST(Waves, noise_has_the_scale_it_is_told_and_heavy_tails_if_wanted) {
  scenario::Data data = waves(20000, 1);
  const auto noise = [&](double scale, double tails) {
    data.mutable_waves()->set_noise(0);
    const Loaded clean = load(data, Split::train);
    data.mutable_waves()->set_noise(scale), data.mutable_waves()->set_tails(tails);
    const Loaded noisy = load(data, Split::train);
    std::vector<double> difference;
    for (std::size_t i = 0; i < clean.numbers.size(); ++i) {
      difference.push_back(static_cast<double>(noisy.numbers[i]) - static_cast<double>(clean.numbers[i]));
    }
    return difference;
  };
  const std::vector<double> normal = noise(0.5, 0), heavy = noise(0.5, 3);
  EXPECT_NEAR(mean_product(normal, normal), 0.25, 0.015);
  const auto beyond = [](const std::vector<double>& values) {  // five times the scale: .0000006 and .0154 of a draw
    return std::ranges::count_if(values, [](double value) { return std::abs(value) > 2.5; });
  };
  EXPECT_EQ(beyond(normal), 0);
  EXPECT_NEAR(static_cast<double>(beyond(heavy)), 0.0154 * 20000, 70.0);
}

TEST(Waves, rows_do_not_depend_on_who_reads_which) {
  const auto reader = open_dataset(waves(30), {7});
  const Loaded all = load(*reader, Split::train), some = load(*reader, Split::train, RowRange{10, 20});
  EXPECT_TRUE(std::equal(some.numbers.begin(), some.numbers.end(), all.numbers.begin() + 10));
  EXPECT_TRUE(std::equal(some.f32.begin(), some.f32.end(), all.f32.begin() + 40));
  EXPECT_NE(load(waves(30), Split::train, 8).numbers, all.numbers);
}

TEST(Waves, standard_scaling_takes_numbers_to_mean_0_and_variance_1) {
  Loaded rows = load(waves(500), Split::train);
  for (float& number : rows.numbers) number = 100.0f * number + 3000.0f;
  const Dataset data(rows.shape, rows.buffers(), fit_standard_scaling(rows.shape, rows.buffers()));
  std::vector<SampleIndex> all(500);
  for (std::uint32_t i = 0; i < 500; ++i) all[i] = i;
  std::vector<float> scaled(500);
  data.copy_numbers(all, scaled);
  const std::vector<double> values(scaled.begin(), scaled.end());
  EXPECT_NEAR(mean_product(values, std::vector<double>(500, 1.0)), 0.0, 1e-4);
  EXPECT_NEAR(mean_product(values, values), 1.0, 1e-4);
}

}  // namespace
}  // namespace souk::waves_test
