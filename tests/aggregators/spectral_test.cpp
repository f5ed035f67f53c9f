// Rules that look along the direction of largest variance, against power iteration on the dense covariance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/column_sample.hpp"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/counting_new.hpp"
#include "tests/support/heap_peak.hpp"
#include "tests/support/matrices.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::spectral_test {
namespace {

using brute_force::Direction;
using brute_force::Indices;
using brute_force::Vector;
using brute_force::Vectors;
using testing::ElementsAre;

constexpr std::size_t d = 9;

/// The first `bad` rows a few times as long as the others and alike, so that the top direction stands out.
Rows rows_with_group(std::size_t n, std::size_t bad) {
  Rows rows = random_rows(n, d);
  for (std::size_t i = 0; i < bad; ++i) {
    for (std::size_t c = 0; c < d; ++c) rows[i][c] += c % 2 == 0 ? 4.0F : -3.0F;
  }
  return rows;
}

double square(double x) { return x * x; }

struct Filtered {
  Vector mean;
  double variance = std::numeric_limits<double>::infinity();
};

/// `of_all`: the largest distance is that of all updates; else, or where such a pass takes less than a hundredth of the
/// weight, of those that have some.
Filtered filter(const Vectors& rows, std::size_t f, bool of_all = true) {
  const auto n = static_cast<double>(rows.size());
  const auto sum = [](const Vector& values) { return std::accumulate(values.begin(), values.end(), 0.0); };
  Vector c(rows.size(), 1.0);
  Filtered best;
  while (sum(c) > n - 2.0 * static_cast<double>(f)) {
    const Vector shares = brute_force::scaled(c, 1.0 / sum(c));
    const Vector mu = brute_force::combination(rows, shares);
    const Direction top = brute_force::top_direction(brute_force::covariance(rows, shares));
    if (top.variance < best.variance) best = {mu, top.variance};
    Vector squares, left(rows.size());
    double most = 0.0, weighted = 0.0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      squares.push_back(square(brute_force::dot(brute_force::minus(rows[i], mu), top.vector)));
      most = std::max(most, squares.back());
      if (c[i] > 0.0) weighted = std::max(weighted, squares.back());
    }
    const auto take = [&](double by) {
      for (std::size_t i = 0; i < rows.size(); ++i) left[i] = c[i] * std::max(0.0, 1.0 - squares[i] / by);
    };
    take(most);
    if (!of_all || sum(left) > 0.99 * sum(c)) take(weighted);
    c = left;
  }
  return best;
}

TEST(Caf, filters_as_on_the_dense_covariance) {
  for (const std::size_t n : {3U, 6U, 11U, 20U, 40U}) {
    for (const std::size_t f : {std::size_t{1}, n / 4, (n - 1) / 2}) {
      const Rows rows = rows_with_group(n, f);
      const Filtered expected = filter(brute_force::of(rows), f);
      if (f == 0) continue;
      const Outcome outcome = run_rule("caf {}", {.rows = rows, .tolerated_f = f});

      brute_force::expect_close(outcome.step, expected.mean, 1e-4);
      EXPECT_NEAR(outcome.diagnostics.at("variance"), expected.variance, 1e-4 * expected.variance) << n << ' ' << f;
    }
  }
}

TEST(Caf, is_the_mean_where_nobody_is_malicious) {
  const Rows rows = random_rows(8, d);

  brute_force::expect_close(run_rule("caf { f: 0 }", {.rows = rows}).step, brute_force::mean(brute_force::of(rows)));
}

TEST(Caf, works_out_a_case_by_hand) {
  // Mean 3, variance 54 / 4; squared deviations 9, 9, 9, 81 -> weights 8/9, 8/9, 8/9, 0: mean 0, variance 0.
  const Outcome outcome = run_rule("caf { f: 1 }", {.rows = {{0}, {0}, {0}, {12}}});

  EXPECT_NEAR(outcome.step[0], 0.0, 1e-6);
  EXPECT_NEAR(outcome.diagnostics.at("variance"), 0.0, 1e-9);
}

TEST(Caf, measures_by_the_farthest_of_all_updates_also_where_it_has_no_weight_left) {
  std::size_t told_apart = 0;
  const Rows many = random_rows(220, d);
  for (std::ptrdiff_t set = 0; set < 20; ++set) {
    const Rows rows(many.begin() + 11 * set, many.begin() + 11 * (set + 1));
    const Filtered expected = filter(brute_force::of(rows), 4);
    brute_force::expect_close(run_rule("caf { f: 4 }", {.rows = rows}).step, expected.mean, 1e-4);
    const Vector apart = brute_force::minus(filter(brute_force::of(rows), 4, false).mean, expected.mean);
    told_apart += brute_force::norm(apart) > 0.01 * brute_force::norm(expected.mean) ? 1U : 0U;
  }
  EXPECT_GT(told_apart, 0U) << "or nothing was tested";
}

TEST(Caf, ends_beside_an_update_that_is_infinitely_far_for_all_purposes) {
  Rows rows = random_rows(12, d);
  for (float& value : rows[5]) value = 1e12F;
  const Outcome outcome = run_rule("caf { f: 5 }", {.rows = rows});

  EXPECT_EQ(outcome.weights[5], 0.0);
  EXPECT_LT(brute_force::norm(brute_force::Vector(outcome.step.begin(), outcome.step.end())), 10.0);
}

/// Divide and conquer on all columns.
Indices divide(const Vectors& rows, std::size_t kept) {
  const Vector alike(rows.size(), 1.0 / static_cast<double>(rows.size()));
  const Vector mu = brute_force::mean(rows);
  const Direction top = brute_force::top_direction(brute_force::covariance(rows, alike));
  return brute_force::lowest(brute_force::everybody(rows.size()), kept, [&](std::size_t i) {
    return square(brute_force::dot(brute_force::minus(rows[i], mu), top.vector));
  });
}

TEST(Dnc, drops_the_farthest_along_the_top_singular_vector) {
  for (std::size_t n = 4; n <= 40; ++n) {
    for (const std::size_t f : {std::size_t{1}, n / 3}) {
      const Rows rows = rows_with_group(n, f);
      const Vectors vectors = brute_force::of(rows);
      for (const double c : {0.5, 1.0, 1.5}) {
        const auto dropped = static_cast<std::size_t>(c * static_cast<double>(f));
        const Indices kept = divide(vectors, n - dropped);
        const Outcome outcome =
            run_rule("dnc { repeats: 2 c: " + std::to_string(c) + " }", {.rows = rows, .tolerated_f = f});

        brute_force::expect_close(outcome.weights, brute_force::shares(kept, n), 1e-12);
        brute_force::expect_close(outcome.step, brute_force::mean(brute_force::some(vectors, kept)));
      }
    }
  }
}

TEST(Dnc, finds_planted_updates_on_random_columns_and_intersects_its_repeats) {
  Rows rows = random_rows(20, 2000);
  for (const std::size_t bad : {4U, 11U, 19U}) {
    for (float& value : rows[bad]) value += 2.0F;
  }
  for (const char* repeats : {"1", "5"}) {
    const Outcome outcome =
        run_rule(std::string("dnc { coordinates: 100 repeats: ") + repeats + " }", {.rows = rows, .tolerated_f = 3});
    for (const std::size_t bad : {4U, 11U, 19U}) EXPECT_EQ(outcome.weights[bad], 0.0) << bad;
  }
  const auto accepted = [](const Outcome& outcome) {
    return std::count_if(outcome.weights.begin(), outcome.weights.end(), [](double weight) { return weight > 0.0; });
  };
  const Rows honest = random_rows(20, 2000);
  EXPECT_EQ(accepted(run_rule("dnc { coordinates: 10 repeats: 1 }", {.rows = honest, .tolerated_f = 3})), 17);
  EXPECT_LT(accepted(run_rule("dnc { coordinates: 10 repeats: 4 }", {.rows = honest, .tolerated_f = 3})), 17);
}

TEST(CentredGram, of_some_columns_agrees_with_its_definition_on_any_number_of_ranks) {
  const std::vector<std::size_t> columns{0, 3, 1023, 1024, 2500, 2999};  // none of the third panel's first thousand
  for (const std::size_t n : {1U, 7U, 511U}) {
    const Rows rows = random_rows(n, 3000);
    std::vector<double> alone;
    for (const int ranks : {1, 3}) {
      run_team(ranks, [&](const Comm& comm) {
        const TestMatrix matrix(comm, rows);
        const std::vector<double> gram = centred_gram_of(comm, matrix.columns(), columns).lower;
        if (comm.size() == 1) alone = gram;
        EXPECT_EQ(gram, alone);
      });
    }
    std::vector<double> means;
    for (const std::size_t column : columns) {
      double sum = 0.0;
      for (const auto& row : rows) sum += static_cast<double>(row[column]);
      means.push_back(sum / static_cast<double>(n));
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        double expected = 0.0;
        for (std::size_t c = 0; c < columns.size(); ++c) {
          expected += (static_cast<double>(rows[i][columns[c]]) - means[c]) *
                      (static_cast<double>(rows[j][columns[c]]) - means[c]);
        }
        ASSERT_NEAR(alone[SymmetricMatrix::place(i, j)], expected, 1e-12) << n << " rows, " << i << ", " << j;
      }
    }
  }
}

TEST(CentredGram, holds_one_tile_of_a_panel_at_a_time) {
  constexpr std::size_t n = 1500, columns = 65536, panels = 64;  // a sum per panel would be 576 MB in all
  const Comm comm = Comm::self();
  ColumnMatrixBuilder builder(comm, n, columns);
  const ColumnMatrix updates = std::move(builder).finish();
  ASSERT_EQ(updates.panels().size(), panels);
  const HeapPeak heap;
  centred_gram_of(comm, updates, {0, 40000});
  EXPECT_LT(heap.bytes(), SymmetricMatrix::entries(n) * sizeof(double) + (6U << 20U));
}

TEST(Dnc, refuses_to_drop_everybody) {
  EXPECT_NO_THROW(make_rule("dnc { c: 1.5 }")->check({.updates = 7, .tolerated_f = 4}));
  EXPECT_THROW(make_rule("dnc { c: 2 }")->check({.updates = 7, .tolerated_f = 4}), InputError);
}

}  // namespace
}  // namespace souk::spectral_test
