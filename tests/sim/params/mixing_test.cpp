#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/comm/thread_team.hpp"
#include "sim/params/linear.hpp"
#include "tests/sim/params/targets.hpp"
#include "tests/support/matrices.hpp"

namespace souk::mixing_test {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

using Coefficients = std::vector<double>;  // [m, n]

/// Numbers of both signs, no two alike; `zeros` of 10 are 0, at places that differ from row to row.
Coefficients some_coefficients(std::size_t m, std::size_t n, std::size_t zeros) {
  Stream random(7, StreamKey{Purpose::update_attack, {static_cast<std::uint32_t>(m)}, {}});
  Coefficients coefficients(m * n);
  for (double& value : coefficients) {
    value = random.normal();
    if (random.below(10) < zeros) value = 0.0;
  }
  return coefficients;
}

Rows mixed_on_one_rank(const Rows& rows, const Coefficients& coefficients) {
  const Comm comm = Comm::self();
  const TestMatrix matrix(comm, rows);
  const ColumnMatrix mixed = mix(comm, matrix.columns(), coefficients);
  Rows out;
  for (std::size_t r = 0; r < mixed.rows(); ++r) out.emplace_back(mixed.row(r).begin(), mixed.row(r).end());
  return out;
}

/// Each value is the sum of its definition, to the rounding of a float and of the sum of magnitudes in double.
void check_against_definition(const Rows& rows, const Coefficients& coefficients) {
  const std::size_t n = rows.size(), d = rows.front().size(), m = coefficients.size() / n;
  const Rows mixed = mixed_on_one_rank(rows, coefficients);
  ASSERT_EQ(mixed.size(), m);
  for (std::size_t r = 0; r < m; ++r) {
    for (std::size_t c = 0; c < d; ++c) {
      double expected = 0.0, magnitudes = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        const double coefficient = coefficients[r * n + i];
        if (coefficient == 0.0) continue;
        expected += coefficient * static_cast<double>(rows[i][c]);
        magnitudes += std::abs(coefficient * static_cast<double>(rows[i][c]));
      }
      ASSERT_NEAR(static_cast<double>(mixed[r][c]), expected, std::abs(expected) * 0x1.01p-24 + magnitudes * 1e-13)
          << m << " of " << n << " rows, row " << r << ", column " << c;
    }
  }
}

TEST(Mixing, agrees_with_the_definition_on_every_instruction_set) {
  for_each_target([] {
    for (const std::size_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 100}) {
      const Rows rows = random_rows(n, 53);
      for (const std::size_t m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 100}) {
        for (const std::size_t zeros : {0, 2, 9}) check_against_definition(rows, some_coefficients(m, n, zeros));
      }
    }
  });
}

TEST(Mixing, agrees_with_the_definition_for_any_number_of_columns) {
  for_each_target([] {
    for (const std::size_t d : {1, 2, 3, 7, 8, 23, 24, 25, 47, 49, 4095, 4097, 9001}) {
      check_against_definition(random_rows(5, d), some_coefficients(9, 5, 2));
    }
    check_against_definition(random_rows(1500, 203), some_coefficients(10, 1500, 2));  // several blocks of few columns
  });
}

TEST(Mixing, bits_do_not_depend_on_the_rank_count) {
  const Rows rows = random_rows(40, 5003);
  for (const std::size_t zeros : {0, 3, 9}) {
    const Coefficients coefficients = some_coefficients(21, 40, zeros);
    const Rows alone = mixed_on_one_rank(rows, coefficients);
    for (int ranks = 2; ranks <= 5; ++ranks) {
      run_team(ranks, [&](const Comm& comm) {
        const TestMatrix matrix(comm, rows);
        const ColumnMatrix mixed = mix(comm, matrix.columns(), coefficients);
        const ColumnRange own = mixed.local_columns();
        for (std::size_t r = 0; r < mixed.rows(); ++r) {
          EXPECT_TRUE(std::equal(mixed.row(r).begin(), mixed.row(r).end(),
                                 alone[r].begin() + static_cast<std::ptrdiff_t>(own.begin)))
              << ranks << " ranks, row " << r;
        }
      });
    }
  }
}

TEST(Mixing, a_row_of_coefficient_zero_may_hold_anything) {
  for_each_target([] {
    const std::size_t n = 12, d = 101;
    for (const float anything : {infinity, -infinity, nan, 3e38F}) {
      Rows rows = random_rows(n, d);
      Coefficients coefficients = some_coefficients(n, n, 0);
      for (std::size_t r = 0; r < n; r += 2) coefficients[r * n + 5] = 0.0;
      const Rows expected = mixed_on_one_rank(rows, coefficients);
      rows[5][40] = anything;
      const Rows mixed = mixed_on_one_rank(rows, coefficients);
      for (std::size_t r = 0; r < n; r += 2) EXPECT_EQ(mixed[r], expected[r]);
      for (std::size_t r = 1; r < n; r += 2) {
        EXPECT_NE(mixed[r][40], expected[r][40]);
        EXPECT_EQ(mixed[r][39], expected[r][39]);
        EXPECT_EQ(mixed[r][41], expected[r][41]);
      }
    }
  });
}

/// The permutation is its own row of W; the copies stand between sums of all rows, and among themselves.
TEST(Mixing, a_single_one_copies_a_row) {
  for_each_target([] {
    const std::size_t n = 9, d = 77;
    const Rows rows = random_rows(n, d, 1e-30);
    for (const bool among_sums : {false, true}) {
      Coefficients coefficients(n * n, 0.0);
      for (std::size_t r = 0; r < n; ++r) {
        if (among_sums && r % 2 == 1) std::fill_n(&coefficients[r * n], n, 0.25);
        if (!among_sums || r % 2 == 0) coefficients[r * n + (r + 4) % n] = 1.0;
      }
      const Rows mixed = mixed_on_one_rank(rows, coefficients);
      for (std::size_t r = 0; r < n; ++r) {
        if (among_sums && r % 2 == 1) continue;
        EXPECT_EQ(mixed[r], rows[(r + 4) % n]);
      }
    }
  });
}

TEST(Mixing, groups_of_rows_without_coefficients_are_zero) {
  Coefficients coefficients = some_coefficients(20, 6, 0);
  std::fill_n(coefficients.begin(), std::size_t{10} * 6, 0.0);
  const Rows mixed = mixed_on_one_rank(random_rows(6, 50), coefficients);
  for (std::size_t r = 0; r < 10; ++r) EXPECT_EQ(mixed[r], std::vector<float>(50, 0.0F));
  EXPECT_NE(mixed[19], std::vector<float>(50, 0.0F));
}

TEST(Mixing, sums_beyond_the_largest_float_are_infinite) {
  for_each_target([] {
    const Rows mixed = mixed_on_one_rank(Rows(4, {3e38F, -3e38F}), Coefficients(16, 1.0));
    for (const auto& row : mixed) EXPECT_THAT(row, testing::ElementsAre(infinity, -infinity));
    const Rows means = mixed_on_one_rank(Rows(4, {3e38F, -3e38F}), Coefficients(16, 0.25));
    for (const auto& row : means) EXPECT_THAT(row, testing::ElementsAre(3e38F, -3e38F));
  });
}

}  // namespace
}  // namespace souk::mixing_test
