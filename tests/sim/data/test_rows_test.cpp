#include "sim/data/test_rows.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::test_rows_test {
namespace {

using testing::HasSubstr;
using namespace test;

TEST(TestRows, leave_every_class_a_row_for_training) {
  std::vector<std::int32_t> labels(300);
  int drawn_for_17 = 0;
  labels[17] = 1, labels[200] = 2, labels[201] = 2;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const std::vector<bool> is_test = draw_test_rows(labels, 0.4, seed, "t.csv");
    EXPECT_FALSE(is_test[17]) << seed;
    EXPECT_FALSE(is_test[200] && is_test[201]) << seed;
    EXPECT_EQ(std::ranges::count(is_test, true), 120) << seed;
    drawn_for_17 += draw_test_rows(std::vector<std::int32_t>(300), 0.4, seed, "t.csv")[17];
  }
  EXPECT_GT(drawn_for_17, 5);  // or the rule had nothing to do
}

TEST(TestRows, are_drawn_as_before_where_every_class_keeps_a_row) {
  const std::vector<std::int32_t> one_class(50), two_classes = [] {
    std::vector<std::int32_t> labels(50);
    for (std::size_t i = 0; i < labels.size(); i += 2) labels[i] = 1;
    return labels;
  }();
  EXPECT_EQ(draw_test_rows(one_class, 0.2, 7, "t"), draw_test_rows(two_classes, 0.2, 7, "t"));
  EXPECT_NE(draw_test_rows(one_class, 0.2, 7, "t"), draw_test_rows(one_class, 0.2, 8, "t"));
}

TEST(TestRows, are_one_at_least) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<bool> is_test = draw_test_rows(std::vector<std::int32_t>{0, 1, 1}, 0.01, seed, "t");
    EXPECT_EQ(std::ranges::count(is_test, true), 1);
    EXPECT_FALSE(is_test[0]);
  }
}

TEST(TestRows, are_refused_where_every_class_needs_all_it_has) {
  EXPECT_THAT(input_error([] {
                draw_test_rows(std::vector<std::int32_t>{0, 1, 2}, 0.2, 1, "t.csv");
              }),
              HasSubstr("t.csv: none of its 3 samples can be taken for testing"));
  EXPECT_THAT(input_error([] { draw_test_rows(std::vector<std::int32_t>{0}, 0.2, 1, "t.csv"); }),
              HasSubstr("t.csv: one sample cannot be split"));
}

}  // namespace
}  // namespace souk::test_rows_test
