#include "sim/stats/assignment.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace souk::assignment_test {
namespace {

double cost_of(const AssignmentCosts& costs, const std::vector<std::optional<std::size_t>>& columns) {
  double sum = 0.0;
  for (std::size_t row = 0; row < columns.size(); ++row) sum += columns[row] ? costs.of(row, *columns[row]) : 0.0;
  return sum;
}

/// The least cost over all permutations of the larger side.
double least_of_all(const AssignmentCosts& costs) {
  const std::size_t few = std::min(costs.rows, costs.columns);
  std::vector<std::size_t> order(std::max(costs.rows, costs.columns));
  std::iota(order.begin(), order.end(), std::size_t{0});
  double least = 1e9;
  do {
    double sum = 0.0;
    for (std::size_t i = 0; i < few; ++i) {
      sum += costs.rows <= costs.columns ? costs.of(i, order[i]) : costs.of(order[i], i);
    }
    least = std::min(least, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

TEST(Assignment, costs_as_little_as_the_best_of_all_permutations) {
  std::mt19937 random(3);
  for (std::size_t rows = 1; rows <= 6; ++rows) {
    for (std::size_t columns = 1; columns <= 6; ++columns) {
      std::vector<double> values(rows * columns);
      for (double& value : values) value = static_cast<double>(random() % 10);  // with ties
      const AssignmentCosts costs{.values = values, .rows = rows, .columns = columns};

      const auto found = least_assignment(costs);

      EXPECT_EQ(cost_of(costs, found), least_of_all(costs)) << rows << " x " << columns;
      std::vector<std::size_t> given;
      for (const auto& column : found) {
        if (column) given.push_back(*column);
      }
      std::ranges::sort(given);
      EXPECT_EQ(given.size(), std::min(rows, columns));
      EXPECT_EQ(std::ranges::adjacent_find(given), given.end());
    }
  }
}

TEST(Assignment, gives_nothing_where_there_is_nothing) {
  EXPECT_TRUE(least_assignment({}).empty());
  EXPECT_EQ(least_assignment({.values = {}, .rows = 2, .columns = 0}).size(), 2U);
}

}  // namespace
}  // namespace souk::assignment_test
