#include "sim/sweep/cost_model.hpp"

#include <gmock/gmock.h>

namespace souk::cost_model_test {
namespace {

using testing::ElementsAre;

const std::vector<CostKind> kinds{{"mean", "none"}, {"mean", "alie"}, {"krum", "none"},
                                  {"krum", "alie"}, {"krum", "alie"}, {"median", "none"}};

TEST(CostModel, takes_the_nearest_kind_that_was_measured) {
  std::vector<double> seconds{10, 10, 10, 20, 10, 40};
  refine(kinds, {{2, 5.0}, {3, 60.0}}, seconds);  // krum: half; krum under alie: three times
  // mean and median were not measured: the median of 0.5 and 3, the larger of the two in the middle.
  EXPECT_THAT(seconds, ElementsAre(30, 30, 5, 60, 30, 120));
}

TEST(CostModel, one_outlier_does_not_move) {
  std::vector<double> seconds{1, 1, 1, 1, 1, 1};
  refine({{"a", "x"}, {"a", "x"}, {"a", "x"}, {"a", "x"}, {"a", "x"}, {"a", "x"}},
         {{0, 2.0}, {1, 2.0}, {2, 1000.0}, {3, 2.0}, {4, 2.0}}, seconds);
  EXPECT_EQ(seconds[5], 2.0);
}

TEST(CostModel, knows_nothing_without_a_measurement) {
  std::vector<double> seconds{1, 2, 3, 4, 5, 6};
  refine(kinds, {}, seconds);
  EXPECT_THAT(seconds, ElementsAre(1, 2, 3, 4, 5, 6));
  seconds[0] = 0.0;  // was expected to cost nothing: says nothing of the others
  refine(kinds, {{0, 7.0}}, seconds);
  EXPECT_EQ(seconds[1], 2.0);
}

}  // namespace
}  // namespace souk::cost_model_test
