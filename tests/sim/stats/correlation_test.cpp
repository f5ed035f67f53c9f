// Correlations against closed forms and against their definitions.
#include "sim/stats/correlation.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/random.hpp"

namespace souk::correlation_test {
namespace {

using Values = std::vector<double>;

TEST(Correlation, has_its_closed_forms) {
  EXPECT_DOUBLE_EQ(*pearson(Values{1, 2, 3}, Values{10, 20, 30}), 1.0);
  EXPECT_DOUBLE_EQ(*pearson(Values{1, 2, 3}, Values{3, 2, 1}), -1.0);
  EXPECT_DOUBLE_EQ(*pearson(Values{1, 2, 3}, Values{1, 3, 2}), 0.5);
  EXPECT_DOUBLE_EQ(*pearson(Values{0, 0, 1, 1}, Values{0, 1, 0, 1}), 0.0);
  EXPECT_DOUBLE_EQ(*spearman(Values{1, 10, 100}, Values{0.1, 0.2, 7}), 1.0);
  EXPECT_DOUBLE_EQ(*spearman(Values{106, 86, 100, 101, 99, 103, 97, 113, 112, 110},  // hours of television and IQ
                             Values{7, 0, 27, 50, 28, 29, 20, 12, 6, 17}),
                   -29.0 / 165.0);
  // Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: deviations give 4.5 / sqrt(4.5 * 5).
  EXPECT_DOUBLE_EQ(*spearman(Values{1, 2, 2, 3}, Values{1, 2, 3, 4}), 4.5 / std::sqrt(4.5 * 5.0));
}

TEST(Correlation, is_undefined_where_nothing_varies) {
  EXPECT_FALSE(pearson(Values{}, Values{}));
  EXPECT_FALSE(pearson(Values{1}, Values{2}));
  EXPECT_FALSE(pearson(Values{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, Values{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_FALSE(spearman(Values{1, 2, 3}, Values{4, 4, 4}));
  EXPECT_FALSE(RunningCorrelation().value());
}

TEST(Correlation, agrees_with_its_definition_on_random_pairs_far_from_zero) {
  Stream random(3, StreamKey{Purpose::aggregation, nobody, {}});
  for (int trial = 0; trial < 200; ++trial) {
    Values x(2 + random.below(50)), y(x.size());
    double mean_x = 0.0, mean_y = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = 1e6 + random.normal();
      y[i] = 0.3 * x[i] + random.normal();
      mean_x += x[i] / static_cast<double>(x.size());
      mean_y += y[i] / static_cast<double>(x.size());
    }
    double xx = 0.0, yy = 0.0, xy = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      xx += (x[i] - mean_x) * (x[i] - mean_x);
      yy += (y[i] - mean_y) * (y[i] - mean_y);
      xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    EXPECT_NEAR(*pearson(x, y), xy / std::sqrt(xx * yy), 1e-7);
  }
}

TEST(RunningMoments, have_the_mean_and_variance_of_what_came) {
  RunningMoments moments;
  for (const double value : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) moments.add(1e8 + value);

  // Values this large are known to 1.5e-8, half a unit in the last place; sums of their squares would be off by 2.
  EXPECT_NEAR(moments.mean, 1e8 + 5.0, 1e-7);
  EXPECT_NEAR(moments.variance(), 4.0, 1e-7);
}

}  // namespace
}  // namespace souk::correlation_test
