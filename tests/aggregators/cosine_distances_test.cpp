#include "aggregators/cosine_distances.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/matrices.hpp"

namespace souk::cosine_distances_test {
namespace {

/// 1 - cos of origin + a and origin + b, formed in extended precision, which has the digits that doubles lack here.
double by_definition(const std::vector<float>& a, const std::vector<float>& b, const std::vector<float>& origin) {
  long double product = 0, first = 0, second = 0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    const long double x = static_cast<long double>(origin[c]) + static_cast<long double>(a[c]);
    const long double y = static_cast<long double>(origin[c]) + static_cast<long double>(b[c]);
    product += x * y;
    first += x * x;
    second += y * y;
  }
  return static_cast<double>(1.0L - product / (std::sqrt(first) * std::sqrt(second)));
}

void expect_as_defined(const Rows& rows, const std::vector<float>& origin) {
  const Comm comm = Comm::self();
  const TestMatrix matrix(comm, rows);
  const SymmetricMatrix distances = cosine_distances(comm, matrix.columns(), ColumnVector(comm, origin));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double expected = by_definition(rows[i], rows[j], origin);
      EXPECT_NEAR(distances(i, j), expected, 1e-5 * expected) << i << ' ' << j;
    }
    EXPECT_EQ(distances(i, i), 0.0);
  }
}

TEST(CosineDistances, are_those_of_the_models) { expect_as_defined(random_rows(6, 400), random_rows(7, 400).back()); }

TEST(CosineDistances, keep_their_digits_where_updates_hardly_turn_the_model) {
  std::vector<float> origin = random_rows(7, 400).back();
  for (float& value : origin) value *= 3000.0F;  // cosines within 1e-7 of 1
  expect_as_defined(random_rows(6, 400), origin);
}

TEST(CosineDistances, of_a_giant_are_not_lost_in_its_length) {
  Rows rows = random_rows(5, 400);
  for (float& value : rows[3]) value *= 1e12F;
  expect_as_defined(rows, random_rows(7, 400).back());
}

TEST(CosineDistances, of_updates_keep_their_digits_where_those_are_nearly_parallel) {
  const Comm comm = Comm::self();
  Rows rows = random_rows(4, 400, 1e-4);
  for (auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) row[c] += c % 2 == 0 ? 1.0F : -2.0F;
  }
  const TestMatrix matrix(comm, rows);
  const SymmetricMatrix distances = cosine_distances(comm, matrix.columns());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double expected = by_definition(rows[i], rows[j], std::vector<float>(400, 0.0F));
      EXPECT_NEAR(distances(i, j), expected, 1e-5 * expected) << i << ' ' << j;
    }
  }
}

TEST(CosineDistances, of_updates_alone_do_not_depend_on_their_lengths) {
  const Comm comm = Comm::self();
  const TestMatrix matrix(comm, {{3, 0}, {1e-15F, 0}, {0, 1e15F}, {-2, 0}, {0, 0}, {0, 0}});

  const SymmetricMatrix distances = cosine_distances(comm, matrix.columns());

  EXPECT_NEAR(distances(0, 1), 0.0, 1e-6);
  EXPECT_NEAR(distances(0, 2), 1.0, 1e-6);
  EXPECT_NEAR(distances(0, 3), 2.0, 1e-6);
  EXPECT_EQ(distances(0, 4), 1.0);
  EXPECT_EQ(distances(4, 5), 1.0);
}

}  // namespace
}  // namespace souk::cosine_distances_test
