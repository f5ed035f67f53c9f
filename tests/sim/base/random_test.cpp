#include "sim/base/random.hpp"

#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace souk::random_test {
namespace {

using testing::ElementsAre;

TEST(Philox, gives_the_three_published_vectors) {
  // Random123, kat_vectors: philox4x32 10.
  EXPECT_THAT(philox4x32_10({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Stream, is_named_by_all_of_its_arguments) {
  const auto first = [](std::uint64_t seed, Purpose purpose, std::uint32_t agent, std::uint32_t round,
                        std::uint16_t lane) {
    return Stream(seed, {purpose, {agent}, {round}, lane}).next();
  };
  const std::uint32_t base = first(1, Purpose::selection, 2, 3, 4);

  EXPECT_EQ(first(1, Purpose::selection, 2, 3, 4), base);
  EXPECT_NE(first(2, Purpose::selection, 2, 3, 4), base);
  EXPECT_NE(first(1, Purpose::partition, 2, 3, 4), base);
  EXPECT_NE(first(1, Purpose::selection, 3, 3, 4), base);
  EXPECT_NE(first(1, Purpose::selection, 2, 4, 4), base);
  EXPECT_NE(first(1, Purpose::selection, 2, 3, 5), base);
  EXPECT_NE(first(std::uint64_t{1} << 32, Purpose::selection, 2, 3, 4), base);
}

TEST(Stream, uniform_and_normal_have_their_moments) {
  Stream random(7, StreamKey{Purpose::selection, nobody, {}});
  constexpr int draws = 200000;
  double sum = 0, sum_squares = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    const double n = random.normal();
    sum += u;
    sum_squares += u * u;
    normal_sum += n;
    normal_squares += n * n;
  }

  EXPECT_NEAR(sum / draws, 0.5, 0.003);  // four standard errors
  EXPECT_NEAR(sum_squares / draws, 1.0 / 3.0, 0.003);
  EXPECT_NEAR(normal_sum / draws, 0.0, 0.009);
  EXPECT_NEAR(normal_squares / draws, 1.0, 0.013);
}

TEST(Stream, below_is_unbiased_for_a_bound_that_does_not_divide_the_range) {
  Stream random(7, StreamKey{Purpose::selection, nobody, {}});
  std::map<std::uint32_t, int> counts;
  for (int i = 0; i < 60000; ++i) ++counts[random.below(6)];

  ASSERT_EQ(counts.size(), 6U);
  for (const auto& [value, count] : counts) EXPECT_NEAR(count, 10000, 400) << value;
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Stream, log_gamma_has_the_mean_and_variance_of_a_gamma_variable) {
  for (const double shape : {0.3, 1.0, 4.5}) {
    Stream random(7, StreamKey{Purpose::partition, nobody, {}});
    constexpr int draws = 100000;
    double sum = 0, squares = 0;
    for (int i = 0; i < draws; ++i) {
      const double value = std::exp(random.log_gamma(shape));
      sum += value;
      squares += value * value;
    }
    const double mean = sum / draws;

    EXPECT_NEAR(mean, shape, 4 * std::sqrt(shape / draws)) << shape;
    EXPECT_NEAR(squares / draws - mean * mean, shape, 0.06 * std::max(1.0, shape)) << shape;
  }
}

TEST(Stream, dirichlet_sums_to_one_even_for_tiny_alphas_and_leaves_out_impossible_values) {
  Stream random(7, StreamKey{Purpose::partition, nobody, {}});
  for (const double alpha : {1e-8, 0.1, 1.0, 1e6}) {
    const std::vector<double> alphas{alpha, 0.0, alpha, alpha};
    std::vector<double> draw(4);
    random.dirichlet(alphas, draw);

    EXPECT_NEAR(std::reduce(draw.begin(), draw.end()), 1.0, 1e-12);
    EXPECT_EQ(draw[1], 0.0);
  }
  std::vector<double> flat(4);
  random.dirichlet(std::vector<double>(4, 1e9), flat);
  for (const double share : flat) EXPECT_NEAR(share, 0.25, 1e-3);
}

TEST(Stream, shuffle_gives_every_permutation_equally_often) {
  std::map<std::vector<std::uint32_t>, int> counts;
  Stream random(7, StreamKey{Purpose::batch_order, nobody, {}});
  for (int i = 0; i < 24000; ++i) {
    std::vector<std::uint32_t> values{0, 1, 2, 3};
    random.shuffle(values);
    ++counts[values];
  }

  ASSERT_EQ(counts.size(), 24U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 130);
}

}  // namespace
}  // namespace souk::random_test
