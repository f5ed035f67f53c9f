#include "sim/params/columnwise.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/comm/thread_team.hpp"
#include "tests/sim/params/targets.hpp"
#include "tests/support/matrices.hpp"

namespace souk::columnwise_test {
namespace {

using testing::ElementsAre;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float denormal = std::numeric_limits<float>::denorm_min();

std::vector<std::size_t> row_counts() {
  std::vector<std::size_t> counts(70);
  std::iota(counts.begin(), counts.end(), std::size_t{1});
  for (const std::size_t n : {100, 128, 129, 300, 512, 513, 700}) counts.push_back(n);
  return counts;
}

std::vector<double> column(const Rows& rows, std::size_t c) {
  std::vector<double> values;
  for (const auto& row : rows) values.push_back(std::isnan(row[c]) ? infinity : row[c]);
  return values;
}

double expected_median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return 0.5 * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

double expected_trimmed_mean(std::vector<double> values, std::size_t trim) {
  std::sort(values.begin(), values.end());
  const auto ends = static_cast<std::ptrdiff_t>(trim);
  return std::accumulate(values.begin() + ends, values.end() - ends, 0.0) /
         static_cast<double>(values.size() - 2 * trim);
}

double expected_mean_near(const std::vector<double>& values, float center, std::size_t keep) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto distance = [&](std::size_t i) { return std::abs(static_cast<float>(values[i]) - center); };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return distance(a) < distance(b); });
  double sum = 0.0;
  for (std::size_t k = 0; k < keep; ++k) sum += values[order[k]];
  return sum / static_cast<double>(keep);
}

/// Values with many ties, zeros of both signs and denormals, beside normal ones.
Rows awkward_rows(std::size_t n, std::size_t dimension) {
  Rows rows = random_rows(n, dimension);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < dimension; ++c) {
      const float value = rows[i][c];
      if (c % 5 == 1) rows[i][c] = std::round(value);
      if (c % 5 == 2) rows[i][c] = (i + c) % 2 == 0 ? 0.0F : -0.0F;
      if (c % 5 == 3) rows[i][c] = std::round(4 * value) * denormal;
      if (c % 5 == 4) rows[i][c] = value * std::pow(10.0F, static_cast<float>((i * 7 + c) % 60) - 30.0F);
    }
  }
  return rows;
}

void check_against_definitions(const Rows& rows) {
  const std::size_t n = rows.size(), d = rows.front().size();
  const Comm comm = Comm::self();
  const TestMatrix matrix(comm, rows);
  const ColumnMatrix& updates = matrix.columns();
  const ColumnVector center(comm, rows[n / 2]);
  const std::size_t trims[] = {0, (n - 1) / 5, (n - 1) / 2};
  const std::size_t keeps[] = {1, (n + 1) / 2, n};

  const ColumnVector median = median_of_columns(updates);
  for (std::size_t c = 0; c < d; ++c) {
    ASSERT_EQ(median.values()[c], static_cast<float>(expected_median(column(rows, c)))) << n << " rows, column " << c;
  }
  for (const std::size_t trim : trims) {
    const ColumnVector mean = trimmed_mean_of_columns(updates, trim);
    for (std::size_t c = 0; c < d; ++c) {
      const auto expected = static_cast<float>(expected_trimmed_mean(column(rows, c), trim));
      // The order of the double sums differs; what cancels leaves an error relative to the largest value kept.
      double largest = 0.0;
      for (const double value : column(rows, c)) largest = std::max(largest, std::abs(value));
      ASSERT_NEAR(mean.values()[c], expected, std::abs(expected) * 1.2e-7 + largest * 1e-13)
          << n << " rows, trim " << trim << ", column " << c;
    }
  }
  for (const std::size_t keep : keeps) {
    const ColumnVector mean = mean_near(updates, center, keep);
    for (std::size_t c = 0; c < d; ++c) {
      const auto expected = static_cast<float>(expected_mean_near(column(rows, c), rows[n / 2][c], keep));
      double largest = 0.0;
      for (const double value : column(rows, c)) largest = std::max(largest, std::abs(value));
      ASSERT_NEAR(mean.values()[c], expected, std::abs(expected) * 1.2e-7 + largest * 1e-13)
          << n << " rows, keep " << keep << ", column " << c;
    }
  }
}

TEST(Columnwise, agrees_with_sorting_for_any_number_of_rows) {
  for (const std::size_t n : row_counts()) check_against_definitions(awkward_rows(n, 53));
}

TEST(Columnwise, agrees_with_sorting_on_every_instruction_set) {
  for_each_target([] {
    for (const std::size_t n : {1, 2, 7, 16, 17, 33, 50, 65, 129, 513}) check_against_definitions(awkward_rows(n, 37));
  });
}

TEST(Columnwise, agrees_with_sorting_for_any_number_of_columns) {
  for (const std::size_t d : {1, 15, 16, 17, 255, 4096, 4097, 9001}) check_against_definitions(random_rows(5, d));
}

TEST(Columnwise, bits_do_not_depend_on_the_rank_count) {
  for (const std::size_t n : {6, 40, 130}) {
    const Rows rows = awkward_rows(n, 5003);
    std::vector<float> alone;
    for (int ranks = 1; ranks <= 5; ++ranks) {
      run_team(ranks, [&](const Comm& comm) {
        const TestMatrix matrix(comm, rows);
        const ColumnVector median = median_of_columns(matrix.columns());
        std::vector<float> all = whole(comm, matrix.columns(), median);
        for (const ColumnVector& more :
             {trimmed_mean_of_columns(matrix.columns(), n / 5), mean_near(matrix.columns(), median, n / 2)}) {
          const std::vector<float> values = whole(comm, matrix.columns(), more);
          all.insert(all.end(), values.begin(), values.end());
        }
        if (comm.rank() != 0) return;
        if (alone.empty()) alone = all;
        EXPECT_EQ(all, alone) << ranks << " ranks";
      });
    }
  }
}

TEST(Columnwise, the_order_of_the_rows_does_not_matter) {
  const Comm comm = Comm::self();
  for (const std::size_t n : {9, 50, 200}) {
    Rows rows = random_rows(n, 300);
    const TestMatrix matrix(comm, rows);
    std::rotate(rows.begin(), rows.begin() + 5, rows.end());
    std::reverse(rows.begin(), rows.begin() + 4);
    const TestMatrix permuted(comm, rows);

    EXPECT_THAT(median_of_columns(permuted.columns()).values(),
                testing::ElementsAreArray(median_of_columns(matrix.columns()).values()));
    const auto mean = trimmed_mean_of_columns(matrix.columns(), 2);
    const auto permuted_mean = trimmed_mean_of_columns(permuted.columns(), 2);
    for (std::size_t c = 0; c < 300; ++c) EXPECT_FLOAT_EQ(permuted_mean.values()[c], mean.values()[c]);
  }
}

TEST(Columnwise, nan_counts_as_infinity) {
  const Comm comm = Comm::self();
  for_each_target([&] {
    const TestMatrix matrix(comm, {{1, nan}, {nan, nan}, {3, 1}, {2, -infinity}, {-nan, 2}});
    EXPECT_THAT(median_of_columns(matrix.columns()).values(), ElementsAre(3, 2));
    EXPECT_THAT(trimmed_mean_of_columns(matrix.columns(), 2).values(), ElementsAre(3, 2));
    const std::vector<float> center{0, 2};
    EXPECT_THAT(mean_near(matrix.columns(), ColumnVector(comm, center), 2).values(), ElementsAre(1.5F, 1.5F));
    EXPECT_THAT(trimmed_mean_of_columns(matrix.columns(), 1).values(), ElementsAre(infinity, infinity));

    Rows many(40, {1.0F});
    for (std::size_t i = 0; i < 9; ++i) many[4 * i] = {nan};
    const TestMatrix large(comm, many);
    EXPECT_THAT(trimmed_mean_of_columns(large.columns(), 8).values(), ElementsAre(infinity));
    EXPECT_THAT(trimmed_mean_of_columns(large.columns(), 9).values(), ElementsAre(1));
  });
}

TEST(Columnwise, what_is_trimmed_costs_no_digits) {
  const Comm comm = Comm::self();
  const TestMatrix matrix(comm, {{1, 1e-20F}, {3e38F, -3e38F}, {2, 2e-20F}, {-1e30F, 3e38F}, {4, 6e-20F}});
  EXPECT_THAT(trimmed_mean_of_columns(matrix.columns(), 1).values(),
              ElementsAre(static_cast<float>(7.0 / 3.0), testing::FloatEq(3e-20F)));
  const std::vector<float> center{2, 0};
  EXPECT_THAT(mean_near(matrix.columns(), ColumnVector(comm, center), 3).values(),
              ElementsAre(static_cast<float>(7.0 / 3.0), testing::FloatEq(3e-20F)));
}

TEST(Columnwise, of_equally_near_values_the_first_rows_count) {
  const Comm comm = Comm::self();
  const TestMatrix matrix(comm, {{3, 5, 7}, {-1, 5, 7}, {1, 4, 7}, {3, 6, 7}});
  const std::vector<float> center{1, 5, 0};
  EXPECT_THAT(mean_near(matrix.columns(), ColumnVector(comm, center), 2).values(), ElementsAre(2, 5, 7));
  EXPECT_THAT(mean_near(matrix.columns(), ColumnVector(comm, center), 3).values(),
              ElementsAre(1, static_cast<float>(14.0 / 3.0), 7));
}

TEST(Columnwise, the_mean_of_the_largest_floats_does_not_overflow) {
  const TestMatrix matrix(Comm::self(), {{3e38F}, {3e38F}, {3e38F}, {3e38F}});
  EXPECT_THAT(median_of_columns(matrix.columns()).values(), ElementsAre(3e38F));
  EXPECT_THAT(trimmed_mean_of_columns(matrix.columns(), 0).values(), ElementsAre(3e38F));
}

}  // namespace
}  // namespace souk::columnwise_test
