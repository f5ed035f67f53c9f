// Sensitivities of noise that hangs together over rounds, against matrices written out.
#include "sim/privacy/noise_over_rounds.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <gmock/gmock.h>

namespace souk::noise_over_rounds_test {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

using Matrix = std::vector<std::vector<double>>;

/// The largest norm of a sum of columns first, first + separation .. of `rows`.
double largest_norm(const Matrix& rows, std::size_t rounds, std::size_t separation) {
  double largest = 0.0;
  for (std::size_t first = 0; first < std::min(separation, rounds); ++first) {
    double square = 0.0;
    for (const auto& row : rows) {
      double sum = 0.0;
      for (std::size_t t = first; t < rounds; t += separation) sum += row[t];
      square += sum * sum;
    }
    largest = std::max(largest, std::sqrt(square));
  }
  return largest;
}

Matrix toeplitz(const std::vector<double>& c, std::size_t rounds) {
  Matrix rows(rounds, std::vector<double>(rounds, 0.0));
  for (std::size_t t = 0; t < rounds; ++t) {
    for (std::size_t s = 0; s <= t; ++s) rows[t][s] = c[t - s];
  }
  return rows;
}

/// One row for each block of 2^h rounds that is over after `rounds`; of sums alone: no second halves.
Matrix tree(std::size_t rounds, bool all) {
  Matrix rows;
  for (std::size_t length = 1; length <= rounds; length *= 2) {
    for (std::size_t block = 0; (block + 1) * length <= rounds; block += all ? 1 : 2) {
      auto& row = rows.emplace_back(rounds, 0.0);
      std::fill_n(row.begin() + static_cast<std::ptrdiff_t>(block * length), length, 1.0);
    }
  }
  return rows;
}

TEST(NoiseOverRounds, coefficients_are_those_of_the_square_root) {
  EXPECT_THAT(square_root_coefficients(6, 0), ElementsAre(1.0, 0.5, 0.375, 0.3125, 0.2734375, 0.24609375));
  const std::vector<double> c = square_root_coefficients(50, 0);
  for (std::size_t k = 0; k < c.size(); ++k) {
    double square = 0.0;
    for (std::size_t i = 0; i <= k; ++i) square += c[i] * c[k - i];
    EXPECT_NEAR(square, 1.0, 1e-14) << k;
  }
  EXPECT_THAT(square_root_coefficients(5, 2), ElementsAre(1.0, 0.5, 0.0, 0.0, 0.0));
}

TEST(NoiseOverRounds, a_client_that_comes_once_moves_it_by_one_column) {
  const std::vector<double> c = square_root_coefficients(1000, 0);
  const std::vector<double> sensitivities = toeplitz_sensitivities(c, 1000);
  EXPECT_NEAR(std::pow(sensitivities[9], 2), 1.791, 5e-4);
  EXPECT_NEAR(std::pow(sensitivities[99], 2), 2.531, 5e-4);
  EXPECT_NEAR(std::pow(sensitivities[999], 2), 3.265, 5e-4);
  EXPECT_DOUBLE_EQ(toeplitz_sensitivities(square_root_coefficients(9, 1), 1)[8], 3.0) << "independent noise: root of T";
}

TEST(NoiseOverRounds, sensitivities_are_norms_of_sums_of_columns) {
  for (const std::size_t separation : {1, 2, 5, 13, 40}) {
    for (const std::uint64_t band : {0, 1, 3}) {
      const std::vector<double> c = square_root_coefficients(23, band);
      const std::vector<double> sensitivities = toeplitz_sensitivities(c, separation);
      for (std::size_t t = 1; t <= 23; ++t) {
        EXPECT_NEAR(sensitivities[t - 1], largest_norm(toeplitz(c, t), t, separation), 1e-12) << separation << " " << t;
      }
    }
    for (const bool all : {false, true}) {
      const auto sensitivities = tree_sensitivities(23, separation, all ? TreeBlocks::all : TreeBlocks::of_sums);
      for (std::size_t t = 1; t <= 23; ++t) {
        EXPECT_NEAR(sensitivities[t - 1], largest_norm(tree(t, all), t, separation), 1e-12) << separation << " " << t;
      }
    }
  }
}

TEST(NoiseOverRounds, in_a_tree_a_round_is_in_one_block_of_every_size) {
  EXPECT_THAT(tree_sensitivities(8, 8, TreeBlocks::all),
              ElementsAre(1.0, DoubleNear(std::sqrt(2.0), 1e-12), DoubleNear(std::sqrt(2.0), 1e-12),
                          DoubleNear(std::sqrt(3.0), 1e-12), DoubleNear(std::sqrt(3.0), 1e-12),
                          DoubleNear(std::sqrt(3.0), 1e-12), DoubleNear(std::sqrt(3.0), 1e-12), 2.0));
}

}  // namespace
}  // namespace souk::noise_over_rounds_test
