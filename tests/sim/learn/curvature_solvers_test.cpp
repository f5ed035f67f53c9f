#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/learn/curvature/cholesky_solver.hpp"
#include "sim/learn/curvature/conjugate_gradient.hpp"
#include "sim/learn/curvature/diagonal.hpp"
#include "sim/learn/curvature/largest_eigenvalue.hpp"
#include "sim/learn/curvature/lissa.hpp"
#include "sim/learn/curvature/stochastic.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::curvature_solvers_test {
namespace {

using fixtures::stream;
using ::testing::Each;
using ::testing::ElementsAre;

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Vector random_vector(std::size_t size, std::uint32_t lane) {
  Stream random = stream(lane);
  Vector values(size);
  for (double& value : values) value = random.normal();
  return values;
}

/// Symmetric, with these eigenvalues and random eigenvectors (Gram-Schmidt of normal vectors).
Matrix with_spectrum(const Vector& eigenvalues, std::uint32_t lane = 60) {
  const std::size_t n = eigenvalues.size();
  Matrix vectors;
  for (std::size_t k = 0; k < n; ++k) {
    Vector v = random_vector(n, lane + static_cast<std::uint32_t>(k));
    for (int repetition = 0; repetition < 2; ++repetition) {  // once is not enough for orthogonality to rounding
      for (const Vector& other : vectors) {
        const double share = dot(v, other);
        for (std::size_t i = 0; i < n; ++i) v[i] -= share * other[i];
      }
    }
    const double length = std::sqrt(dot(v, v));
    for (double& value : v) value /= length;
    vectors.push_back(v);
  }
  Matrix matrix(n, Vector(n, 0.0));
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) matrix[i][j] += eigenvalues[k] * vectors[k][i] * vectors[k][j];
    }
  }
  return matrix;
}

/// From smallest to largest, evenly in logarithms.
Vector spread(std::size_t size, double smallest, double largest) {
  Vector values(size);
  for (std::size_t i = 0; i < size; ++i) {
    values[i] = smallest * std::pow(largest / smallest, static_cast<double>(i) / static_cast<double>(size - 1));
  }
  return values;
}

/// In double, rounded at the end.
HessianProduct product_of(const Matrix& matrix) {
  return [matrix](std::span<const float> direction, std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < out.size(); ++j) sum += matrix[i][j] * static_cast<double>(direction[j]);
      out[i] = static_cast<float>(sum);
    }
  };
}

/// Of (matrix + damping I) x = b, by Gauss's elimination with pivots.
Vector eliminate(Matrix matrix, Vector b, double damping) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) matrix[i][i] += damping;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      if (std::abs(matrix[i][k]) > std::abs(matrix[pivot][k])) pivot = i;
    }
    std::swap(matrix[k], matrix[pivot]);
    std::swap(b[k], b[pivot]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = matrix[i][k] / matrix[k][k];
      for (std::size_t j = k; j < n; ++j) matrix[i][j] -= factor * matrix[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) b[k] -= matrix[k][j] * b[j];
    b[k] /= matrix[k][k];
  }
  return b;
}

double distance(const Vector& a, const Vector& b) {
  Vector difference(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return std::sqrt(dot(difference, difference) / dot(b, b));
}

double true_residual(const Matrix& matrix, const Vector& x, const Vector& b, double damping) {
  Vector rest = b;
  for (std::size_t i = 0; i < b.size(); ++i) rest[i] -= dot(matrix[i], x) + damping * x[i];
  return std::sqrt(dot(rest, rest) / dot(b, b));
}

class SolversOfSpd : public ::testing::Test {
 protected:
  static constexpr std::size_t size_ = 40;
  static constexpr double damping_ = 0.05;
  Matrix matrix_ = with_spectrum(spread(size_, 0.02, 3.0));
  HessianProduct hessian_ = product_of(matrix_);
  Vector b_ = random_vector(size_, 55);
  Vector expected_ = eliminate(matrix_, b_, damping_);
};

// Residuals of 1e-6, and a condition of 44 with damping.
TEST_F(SolversOfSpd, agree_with_elimination) {
  const Solution gradients = solve_conjugate_gradient(hessian_, b_, {.damping = damping_});
  const Solution direct = solve_cholesky(hessian_, b_, damping_);
  const Solution series =
      solve_lissa(hessian_, b_, {.damping = damping_, .scale = 0.0, .steps = 2000, .tolerance = 1e-6});

  for (const Solution* solution : {&gradients, &direct, &series}) {
    EXPECT_EQ(solution->end, SolveEnd::converged);
    EXPECT_LT(distance(solution->x, expected_), 5e-5);
    EXPECT_LE(solution->residual, 1e-6);
    EXPECT_NEAR(solution->residual, true_residual(matrix_, solution->x, b_, damping_), 2e-7);
  }
  EXPECT_LE(gradients.products, size_ + 2);
  EXPECT_EQ(direct.products, size_);
}

TEST_F(SolversOfSpd, give_the_same_bits_for_the_same_arguments) {
  const auto gradients = [&] { return solve_conjugate_gradient(hessian_, b_, {.damping = damping_}).x; };
  const auto series = [&] { return solve_lissa(hessian_, b_, {.damping = damping_}).x; };
  const auto direct = [&] { return solve_cholesky(hessian_, b_, damping_).x; };

  EXPECT_EQ(gradients(), gradients());
  EXPECT_EQ(series(), series());
  EXPECT_EQ(direct(), direct());
}

// Far below the smallest float, where products of unscaled vectors would be 0.
TEST_F(SolversOfSpd, do_not_care_how_short_b_is) {
  Vector tiny = b_;
  for (double& value : tiny) value *= 1e-60;

  for (const Solution& solution :
       {solve_conjugate_gradient(hessian_, tiny, {.damping = damping_}),
        solve_lissa(hessian_, tiny, {.damping = damping_, .steps = 2000}), solve_cholesky(hessian_, tiny, damping_)}) {
    Vector scaled = solution.x;
    for (double& value : scaled) value *= 1e60;
    EXPECT_LT(distance(scaled, expected_), 1e-4);
  }
}

TEST_F(SolversOfSpd, answer_0_for_0_and_ask_for_no_product) {
  const Vector zero(size_, 0.0);
  const HessianProduct nobody = [](std::span<const float>, std::span<float>) { FAIL(); };
  const SampledProduct nobody_either = [](std::size_t, std::span<const float>, std::span<float>) { FAIL(); };

  for (const Solution& solution :
       {solve_conjugate_gradient(nobody, zero, {}), solve_lissa(nobody, zero, {}), solve_cholesky(nobody, zero, 0.0),
        solve_stochastic(nobody_either, zero, {}), solve_diagonal(Vector(size_, 1.0), zero, 0.0)}) {
    EXPECT_THAT(solution.x, Each(0.0));
    EXPECT_EQ(solution.end, SolveEnd::converged);
    EXPECT_EQ(solution.products, 0U);
  }
}

// The solution of x = b is b: half a gradient of the quadratic would make it 2 b.
TEST(Solvers, have_b_itself_as_the_solution_of_the_identity) {
  const HessianProduct identity = [](std::span<const float> direction, std::span<float> out) {
    std::ranges::copy(direction, out.begin());
  };
  const SampledProduct sampled = [&](std::size_t, std::span<const float> direction, std::span<float> out) {
    identity(direction, out);
  };
  const Vector b = random_vector(20, 56);

  EXPECT_LT(distance(solve_conjugate_gradient(identity, b, {}).x, b), 1e-6);
  EXPECT_LT(distance(solve_lissa(identity, b, {}).x, b), 1e-6);
  EXPECT_LT(distance(solve_cholesky(identity, b, 0.0).x, b), 1e-12);
  EXPECT_LT(distance(solve_diagonal(Vector(20, 1.0), b, 0.0).x, b), 1e-15);
  EXPECT_LT(distance(solve_stochastic(sampled, b, {.learning_rate = 0.02, .patience = 200}).x, b), 1e-3);
}

TEST(ConjugateGradient, stops_where_it_may_no_longer_go_on) {
  const Matrix matrix = with_spectrum(spread(30, 1e-3, 10.0));
  const Vector b = random_vector(30, 57);

  const Solution solution = solve_conjugate_gradient(product_of(matrix), b, {.max_iterations = 5});

  EXPECT_EQ(solution.end, SolveEnd::iterations);
  EXPECT_EQ(solution.products, 6U);  // one for the residual
  EXPECT_NEAR(solution.residual, true_residual(matrix, solution.x, b, 0.0), 1e-6);
}

TEST(ConjugateGradient, reports_negative_curvature_with_the_last_good_iterate) {
  Vector eigenvalues = spread(30, 0.1, 5.0);
  eigenvalues[7] = -2.0;
  const Matrix matrix = with_spectrum(eigenvalues);
  const Vector b = random_vector(30, 58);

  const Solution solution = solve_conjugate_gradient(product_of(matrix), b, {});
  const Solution damped = solve_conjugate_gradient(product_of(matrix), b, {.damping = 2.5});

  EXPECT_EQ(solution.end, SolveEnd::negative_curvature);
  EXPECT_NEAR(solution.residual, true_residual(matrix, solution.x, b, 0.0), 1e-6);
  // Every step before lowered x H x / 2 - b x.
  Vector product(30);
  for (std::size_t i = 0; i < 30; ++i) product[i] = dot(matrix[i], solution.x);
  EXPECT_LE(0.5 * dot(solution.x, product) - dot(b, solution.x), 0.0);
  EXPECT_EQ(damped.end, SolveEnd::converged);
  EXPECT_LT(distance(damped.x, eliminate(matrix, b, 2.5)), 1e-5);
}

TEST(ConjugateGradient, says_0_where_the_first_direction_bends_down) {
  const Matrix matrix = with_spectrum({-1.0, -2.0, -3.0});

  const Solution solution = solve_conjugate_gradient(product_of(matrix), random_vector(3, 59), {});

  EXPECT_EQ(solution.end, SolveEnd::negative_curvature);
  EXPECT_THAT(solution.x, Each(0.0));
  EXPECT_EQ(solution.residual, 1.0);
}

TEST(Solvers, report_products_that_are_no_numbers) {
  const HessianProduct broken = [](std::span<const float>, std::span<float> out) {
    std::ranges::fill(out, std::numeric_limits<float>::quiet_NaN());
  };
  const Vector b = random_vector(5, 59);

  for (const Solution& solution :
       {solve_conjugate_gradient(broken, b, {}), solve_lissa(broken, b, {.scale = 1.0}), solve_lissa(broken, b, {})}) {
    EXPECT_EQ(solution.end, SolveEnd::diverged);
    EXPECT_THAT(solution.x, Each(0.0));
  }
}

class Lissa : public ::testing::Test {
 protected:
  static constexpr double largest_ = 8.0;
  Matrix matrix_ = with_spectrum(spread(30, 0.2, largest_));
  HessianProduct hessian_ = product_of(matrix_);
  Vector b_ = random_vector(30, 61);
};

TEST_F(Lissa, diverges_with_a_scale_below_half_of_the_largest_eigenvalue_and_says_so) {
  for (const double share : {0.1, 0.3, 0.45}) {
    const Solution solution = solve_lissa(hessian_, b_, {.scale = share * largest_, .steps = 500});

    EXPECT_EQ(solution.end, SolveEnd::diverged) << share;
    EXPECT_LE(solution.residual, 1.0) << share;
    EXPECT_NEAR(solution.residual, true_residual(matrix_, solution.x, b_, 0.0), 1e-6) << share;
  }
}

TEST_F(Lissa, reaches_the_answer_of_conjugate_gradients_with_a_scale_above_the_largest_eigenvalue) {
  const Vector expected = solve_conjugate_gradient(hessian_, b_, {.tolerance = 1e-7}).x;

  const Solution given = solve_lissa(hessian_, b_, {.scale = 1.1 * largest_, .steps = 2000});
  const Solution found = solve_lissa(hessian_, b_, {.steps = 2000});

  EXPECT_EQ(given.end, SolveEnd::converged);
  EXPECT_LT(distance(given.x, expected), 1e-5);
  EXPECT_EQ(found.end, SolveEnd::converged);
  EXPECT_LT(distance(found.x, expected), 1e-5);
  EXPECT_NEAR(found.largest_eigenvalue, largest_, 0.01 * largest_);
}

// h = b + h - H h / scale, T times.
TEST_F(Lissa, is_the_truncated_series) {
  const double scale = 1.5 * largest_;
  Vector h = b_;
  for (int step = 0; step < 7; ++step) {
    Vector next(30);
    for (std::size_t i = 0; i < 30; ++i) next[i] = b_[i] + h[i] - dot(matrix_[i], h) / scale;
    h = next;
  }
  for (double& value : h) value /= scale;

  const Solution solution = solve_lissa(hessian_, b_, {.scale = scale, .steps = 7});

  EXPECT_EQ(solution.end, SolveEnd::iterations);
  EXPECT_EQ(solution.products, 8U);  // the last for the residual
  EXPECT_LT(distance(solution.x, h), 1e-6);
}

TEST_F(Lissa, has_no_use_for_negative_eigenvalues) {
  const Matrix matrix = with_spectrum({-1.0, 0.5, 1.0, 2.0});
  const Vector b = random_vector(4, 62);

  EXPECT_EQ(solve_lissa(product_of(matrix), b, {.steps = 500}).end, SolveEnd::diverged);
}

TEST(LargestEigenvalue, is_that_of_a_known_spectrum) {
  Stream random = stream(63);
  Vector eigenvalues = spread(25, 0.01, 2.0);
  eigenvalues.push_back(3.0);
  EXPECT_NEAR(largest_eigenvalue(product_of(with_spectrum(eigenvalues)), 26, 60, random), 3.0, 1e-5);

  eigenvalues.push_back(-6.0);
  EXPECT_NEAR(largest_eigenvalue(product_of(with_spectrum(eigenvalues)), 27, 60, random), -6.0, 1e-5);
}

TEST(LargestEigenvalue, never_says_too_much) {
  const Matrix matrix = with_spectrum(spread(25, 0.01, 2.0));
  double before = 0.0;
  for (const std::size_t steps : {1, 2, 4, 8, 16}) {
    Stream random = stream(64);
    const double estimate = largest_eigenvalue(product_of(matrix), 25, steps, random);
    EXPECT_GE(estimate, before);
    EXPECT_LE(estimate, 2.0 * (1.0 + 1e-6));
    before = estimate;
  }
}

TEST(LargestEigenvalue, of_nothing_is_nothing) {
  Stream random = stream(65);
  EXPECT_EQ(largest_eigenvalue(product_of(Matrix(4, Vector(4, 0.0))), 4, 10, random), 0.0);
}

TEST(CholeskySolver, reports_matrices_that_are_not_positive_definite) {
  const Matrix matrix = with_spectrum({-0.5, 1.0, 2.0, 3.0});
  const Vector b = random_vector(4, 66);

  const Solution solution = solve_cholesky(product_of(matrix), b, 0.4);
  const Solution damped = solve_cholesky(product_of(matrix), b, 0.6);

  EXPECT_EQ(solution.end, SolveEnd::negative_curvature);
  EXPECT_THAT(solution.x, Each(0.0));
  EXPECT_EQ(solution.residual, 1.0);
  EXPECT_EQ(damped.end, SolveEnd::converged);
  EXPECT_LT(distance(damped.x, eliminate(matrix, b, 0.6)), 1e-5);
}

// Several blocks, the last of them not whole.
TEST(CholeskySolver, works_through_several_blocks) {
  Matrix matrix(150, Vector(150));
  for (std::size_t i = 0; i < 150; ++i) {
    for (std::size_t j = 0; j < 150; ++j) {
      matrix[i][j] = std::exp(-0.1 * std::abs(static_cast<double>(i) - static_cast<double>(j)));
    }
  }
  const Vector b = random_vector(150, 67);

  const Solution solution = solve_cholesky(product_of(matrix), b, 0.1);

  EXPECT_LT(distance(solution.x, eliminate(matrix, b, 0.1)), 1e-5);
  EXPECT_LT(solution.residual, 1e-12);
}

/// H is the mean of 8 matrices, of which a step sees one.
class Stochastic : public ::testing::Test {
 protected:
  Stochastic() : mean_(10, Vector(10, 0.0)) {
    for (std::uint32_t k = 0; k < 8; ++k) {
      parts_.push_back(with_spectrum(spread(10, 0.8, 1.5), 200 + 20 * k));
      for (std::size_t i = 0; i < 10; ++i) {
        for (std::size_t j = 0; j < 10; ++j) mean_[i][j] += parts_.back()[i][j] / 8.0;
      }
    }
    for (const Matrix& part : parts_) products_.push_back(product_of(part));
  }
  SampledProduct sampled() {
    return [this](std::size_t step, std::span<const float> direction, std::span<float> out) {
      steps_.push_back(step);
      products_[step % 8](direction, out);
    };
  }
  std::vector<Matrix> parts_;
  std::vector<HessianProduct> products_;
  Matrix mean_;
  Vector b_ = random_vector(10, 68);
  std::vector<std::size_t> steps_;
};

// A sample's Hessian is up to a third off the mean, and so is what the best of them answers.
TEST_F(Stochastic, comes_near_the_solution_of_the_mean) {
  const Solution solution =
      solve_stochastic(sampled(), b_, {.learning_rate = 0.01, .damping = 0.1, .steps = 3000, .patience = 300});

  EXPECT_LT(distance(solution.x, eliminate(mean_, b_, 0.1)), 0.1);
  EXPECT_EQ(solution.end, SolveEnd::iterations);
}

TEST_F(Stochastic, solves_exactly_where_samples_are_all) {
  const Matrix& matrix = parts_[0];
  const SampledProduct all = [&](std::size_t, std::span<const float> direction, std::span<float> out) {
    products_[0](direction, out);
  };

  const Solution solution = solve_stochastic(
      all, b_, {.learning_rate = 0.01, .damping = 0.1, .steps = 5000, .patience = 1000, .tolerance = 1e-4});

  EXPECT_EQ(solution.end, SolveEnd::converged);
  EXPECT_LT(distance(solution.x, eliminate(matrix, b_, 0.1)), 2e-4);
  EXPECT_NEAR(solution.residual, true_residual(matrix, solution.x, b_, 0.1), 1e-6);
}

TEST_F(Stochastic, stops_when_nothing_gets_better_and_gives_the_best) {
  const Solution solution = solve_stochastic(sampled(), b_, {.learning_rate = 0.5, .steps = 2000, .patience = 15});

  EXPECT_LT(steps_.size(), 500U);
  EXPECT_GT(steps_.size(), 20U);
  EXPECT_LT(solution.residual, 1.0);
}

TEST_F(Stochastic, diverges_where_nothing_is_better_than_nothing) {
  const Solution solution = solve_stochastic(sampled(), b_, {.learning_rate = 1e3});

  EXPECT_EQ(solution.end, SolveEnd::diverged);
  EXPECT_THAT(solution.x, Each(0.0));
  EXPECT_EQ(solution.residual, 1.0);
}

TEST(Diagonal, divides) {
  const Vector diagonal{1.0, 3.0, 0.0}, b{2.0, 2.0, 2.0};

  EXPECT_THAT(solve_diagonal(diagonal, b, 1.0).x, ElementsAre(1.0, 0.5, 2.0));
  EXPECT_EQ(solve_diagonal(diagonal, b, 0.0).end, SolveEnd::negative_curvature);
  EXPECT_THAT(solve_diagonal(diagonal, b, 0.0).x, Each(0.0));
}

TEST(EstimateDiagonal, is_exact_for_diagonals) {
  Matrix matrix(4, Vector(4, 0.0));
  for (std::size_t i = 0; i < 4; ++i) matrix[i][i] = static_cast<double>(i) - 1.0;
  Stream random = stream(69);

  EXPECT_THAT(estimate_diagonal(product_of(matrix), 4, 1, random), ElementsAre(-1.0, 0.0, 1.0, 2.0));
}

// Five standard deviations, of which each follows from the squares off the diagonal.
TEST(EstimateDiagonal, is_unbiased) {
  const std::size_t samples = 2000;
  const Matrix matrix = with_spectrum(spread(20, 0.1, 4.0));
  Stream random = stream(70);

  const Vector estimate = estimate_diagonal(product_of(matrix), 20, samples, random);

  for (std::size_t i = 0; i < 20; ++i) {
    const double variance = dot(matrix[i], matrix[i]) - matrix[i][i] * matrix[i][i];
    EXPECT_NEAR(estimate[i], matrix[i][i], 5.0 * std::sqrt(variance / static_cast<double>(samples)));
  }
}

}  // namespace
}  // namespace souk::curvature_solvers_test
