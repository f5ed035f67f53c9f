#include "sim/stats/student_t.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "sim/stats/normal_distribution.hpp"

namespace souk::student_t_test {
namespace {

TEST(StudentT, quantiles_are_those_of_published_tables) {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: critical values of Student's t.
  const struct {
    double degrees, p, t;
  } table[] = {{1, 0.90, 3.078},  {1, 0.975, 12.706}, {1, 0.995, 63.657}, {2, 0.975, 4.303},  {3, 0.95, 2.353},
               {4, 0.975, 2.776}, {5, 0.99, 3.365},   {9, 0.975, 2.262},  {10, 0.995, 3.169}, {19, 0.975, 2.093},
               {30, 0.95, 1.697}, {60, 0.975, 2.000}, {100, 0.99, 2.364}};
  for (const auto& [degrees, p, t] : table) {
    EXPECT_NEAR(student_t_quantile(p, degrees), t, 0.0005) << degrees << " " << p;
    EXPECT_NEAR(student_t_quantile(1.0 - p, degrees), -t, 0.0005) << degrees << " " << p;
  }
}

TEST(StudentT, has_its_closed_forms_for_few_degrees_of_freedom) {
  for (const double t : {-1000.0, -3.0, -0.7, -1e-3, 0.0, 0.2, 1.0, 5.0, 1e4}) {
    EXPECT_NEAR(student_t_cdf(t, 1), 0.5 + std::atan(t) / std::numbers::pi, 1e-13) << t;
    EXPECT_NEAR(student_t_cdf(t, 2), 0.5 + t / (2.0 * std::sqrt(2.0 + t * t)), 1e-13) << t;
    EXPECT_NEAR(student_t_cdf(t, 4), 0.5 + t / std::sqrt(4.0 + t * t) * (0.5 + 1.0 / (4.0 + t * t)), 1e-13) << t;
  }
}

TEST(StudentT, becomes_the_normal_distribution) {
  for (const double p : {0.001, 0.3, 0.975}) {
    EXPECT_NEAR(student_t_quantile(p, 1e8), normal_quantile(p), 1e-6);
  }
}

TEST(StudentT, the_quantile_inverts_the_distribution) {
  for (const double degrees : {1.0, 2.5, 7.0, 199.0}) {
    for (const double p : {1e-6, 0.025, 0.4, 0.5, 0.77, 0.999}) {
      EXPECT_NEAR(student_t_cdf(student_t_quantile(p, degrees), degrees), p, 1e-12);
    }
  }
}

}  // namespace
}  // namespace souk::student_t_test
