// Noise that hangs together over rounds, drawn as unit vectors, so that what comes of it shows which draws are in it.
#include "agents/privacy/noise_correlation.hpp"

#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "scenarios/privacy.pb.h"
#include "sim/privacy/noise_over_rounds.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::noise_correlation_test {
namespace {

constexpr std::size_t draws = 40;

/// [rounds] The noise of every step, in draws.
std::vector<std::vector<float>> steps_of(const std::string& privacy, std::uint64_t rounds) {
  const auto correlation = make_noise_correlation(fixtures::parse<scenario::Privacy>(privacy), rounds);
  std::vector<std::vector<float>> steps;
  std::size_t drawn = 0;
  for (std::uint64_t t = 0; t < rounds; ++t) {
    auto& step = steps.emplace_back(draws, 0.0F);
    correlation->add_next([&](std::size_t, std::span<float> columns) { columns[drawn++] += 1.0F; }, step);
  }
  return steps;
}

/// [rounds] Variances of the noise of the sums of the first steps.
std::vector<double> variances_of_sums(const std::vector<std::vector<float>>& steps) {
  std::vector<double> sum(draws, 0.0), variances;
  for (const auto& step : steps) {
    for (std::size_t v = 0; v < draws; ++v) sum[v] += static_cast<double>(step[v]);
    variances.push_back(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
  }
  return variances;
}

TEST(NoiseCorrelation, sums_in_a_tree_have_the_noise_of_a_block_for_each_bit) {
  EXPECT_THAT(variances_of_sums(steps_of("tree {}", 8)), testing::ElementsAre(1, 1, 2, 1, 2, 2, 3, 1));
}

TEST(NoiseCorrelation, honakers_estimate_has_less_of_it) {
  const std::vector<double> expected{1.0, .6667, 1.6667, .5714, 1.5714, 1.2381, 2.2381, .5333};
  EXPECT_THAT(variances_of_sums(steps_of("tree { honaker: true }", 8)),
              testing::Pointwise(testing::DoubleNear(1e-4), expected));
}

TEST(NoiseCorrelation, steps_of_a_toeplitz_matrix_have_the_noise_of_its_inverse) {
  const auto steps = steps_of("toeplitz {}", 6);
  EXPECT_THAT(std::vector<float>(steps.back().begin(), steps.back().begin() + 6),
              testing::ElementsAre(-.02734375F, -.0390625F, -.0625F, -.125F, -.5F, 1.0F));
  const auto variances = variances_of_sums(steps_of("toeplitz {}", 10));
  EXPECT_NEAR(variances.back(), 1.791, 5e-4) << "the largest error of a sum is the sensitivity";
}

/// C times the noise of the steps is what was drawn, whatever the band.
TEST(NoiseCorrelation, the_matrix_makes_independent_noise_of_it) {
  for (const std::uint64_t band : {0, 1, 2, 4}) {
    const std::size_t rounds = 12;
    const auto steps = steps_of("toeplitz { band: " + std::to_string(band) + " }", rounds);
    const std::vector<double> c = square_root_coefficients(rounds, band);
    for (std::size_t t = 0; t < rounds; ++t) {
      for (std::size_t draw = 0; draw < rounds; ++draw) {
        double value = 0.0;
        for (std::size_t s = 0; s <= t; ++s) value += c[t - s] * static_cast<double>(steps[s][draw]);
        EXPECT_NEAR(value, t == draw ? 1.0 : 0.0, 1e-6) << "band " << band << ", round " << t;
      }
    }
  }
}

TEST(NoiseCorrelation, rounds_have_noise_of_their_own_where_nothing_else_is_chosen) {
  EXPECT_EQ(make_noise_correlation(fixtures::parse<scenario::Privacy>("independent {}"), 8), nullptr);
}

}  // namespace
}  // namespace souk::noise_correlation_test
