#include "attacks/least_squares.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace souk::least_squares_test {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

Equations equations_of(const std::vector<std::vector<double>>& rows, const std::vector<double>& right) {
  Equations equations(rows.size(), rows.front().size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) equations.at(r, c) = rows[r][c];
    equations.right[r] = right[r];
  }
  return equations;
}

// A line through (0, 1), (1, 2), (2, 4): slope 3/2, height 5/6.
TEST(LeastSquares, fit_a_line) {
  const auto x = shortest_least_squares(equations_of({{0, 1}, {1, 1}, {2, 1}}, {1, 2, 4}), 1e-9);

  EXPECT_THAT(x, ElementsAre(DoubleNear(1.5, 1e-12), DoubleNear(5.0 / 6.0, 1e-12)));
}

// x + 2 y = 5 alone: (1, 2).
TEST(LeastSquares, take_the_shortest_of_many_solutions) {
  EXPECT_THAT(shortest_least_squares(equations_of({{1, 2}}, {5}), 1e-9),
              ElementsAre(DoubleNear(1, 1e-12), DoubleNear(2, 1e-12)));
}

// What hardly anything is said about is not guessed from rounding.
TEST(LeastSquares, leave_out_directions_below_the_tolerance) {
  const auto of = [](double tolerance) {
    return shortest_least_squares(equations_of({{1, 0}, {0, 1e-8}}, {1, 1}), tolerance);
  };

  EXPECT_THAT(of(1e-6), ElementsAre(DoubleNear(1, 1e-12), DoubleNear(0, 1e-7)));
  EXPECT_THAT(of(1e-9), ElementsAre(DoubleNear(1, 1e-12), DoubleNear(1e8, 1e-3)));
}

}  // namespace
}  // namespace souk::least_squares_test
