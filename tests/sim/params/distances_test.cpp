#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "sim/comm/thread_team.hpp"
#include "sim/params/linear.hpp"
#include "tests/sim/params/targets.hpp"
#include "tests/support/counting_new.hpp"
#include "tests/support/heap_peak.hpp"
#include "tests/support/matrices.hpp"

namespace souk::distances_test {
namespace {

double product(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  return sum;
}

double squared_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    const double difference = static_cast<double>(a[c]) - static_cast<double>(b[c]);
    sum += difference * difference;
  }
  return sum;
}

SymmetricMatrix distances_of(const Rows& rows) {
  const Comm comm = Comm::self();
  const TestMatrix matrix(comm, rows);
  return squared_distances(comm, matrix.columns());
}

/// Every distance agrees with its definition to `tolerance`, relative to itself: however close two rows are.
void expect_right_distances(const Rows& rows, double tolerance = 2e-5) {
  const SymmetricMatrix distances = distances_of(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(distances(i, i), 0.0);
    for (std::size_t j = 0; j < i; ++j) {
      const double expected = squared_distance(rows[i], rows[j]);
      ASSERT_NEAR(distances(i, j), expected, tolerance * expected) << rows.size() << " rows, " << i << ", " << j;
    }
  }
}

void expect_right_products(const Rows& rows, double tolerance = 1e-6) {
  const Comm comm = Comm::self();
  const TestMatrix matrix(comm, rows);
  const SymmetricMatrix products = gram(comm, matrix.columns());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double scale = std::sqrt(product(rows[i], rows[i])) * std::sqrt(product(rows[j], rows[j]));
      ASSERT_NEAR(products(i, j), product(rows[i], rows[j]), tolerance * scale)
          << rows.size() << " rows, " << i << ", " << j;
    }
  }
}

/// `count` copies of every row, each with noise of its own.
Rows clones(const Rows& rows, std::size_t count, double noise) {
  Rows all;
  const Rows noises = random_rows(rows.size() * count, rows.front().size(), noise);
  for (std::size_t i = 0; i < noises.size(); ++i) {
    all.push_back(rows[i % rows.size()]);
    for (std::size_t c = 0; c < all.back().size(); ++c) all.back()[c] += noises[i][c];
  }
  return all;
}

TEST(Distances, agree_with_the_definition_for_any_number_of_rows) {
  for (std::size_t n = 1; n <= 70; ++n) expect_right_distances(random_rows(n, 333));
  for (const std::size_t n : {100, 129, 300, 509, 510, 511, 523, 1025}) expect_right_distances(random_rows(n, 333));
}

TEST(Distances, agree_with_the_definition_for_any_number_of_columns) {
  for (const std::size_t d : {1, 2, 15, 16, 17, 1023, 1025, 2047, 70001}) {
    const Rows rows = random_rows(6, d);
    if (d > 2) expect_right_distances(rows);
    expect_right_products(rows);
  }
}

TEST(Distances, agree_with_the_definition_on_every_instruction_set) {
  for_each_target([] {
    for (const std::size_t n : {1, 2, 3, 4, 5, 6, 9, 11, 14, 64, 527}) {
      expect_right_distances(random_rows(n, 1100));
      // The portable version adds up to 1,024 products in one float: 1024 * 2^-24 is 6e-5 at worst.
      expect_right_products(random_rows(n, 1100), 5e-6);
    }
    expect_right_distances(clones(random_rows(2, 1100), 4, 1e-4));
  });
}

TEST(Distances, bits_do_not_depend_on_the_rank_count) {
  Rows rows = random_rows(17, 5003);
  const Rows more = clones(random_rows(2, 5003), 6, 1e-5);
  rows.insert(rows.end(), more.begin(), more.end());
  std::vector<double> alone;
  for (int ranks = 1; ranks <= 5; ++ranks) {
    run_team(ranks, [&](const Comm& comm) {
      const TestMatrix matrix(comm, rows);
      std::vector<double> all = squared_distances(comm, matrix.columns()).lower;
      const std::vector<double> products = gram(comm, matrix.columns()).lower;
      all.insert(all.end(), products.begin(), products.end());
      if (alone.empty() && comm.size() == 1) alone = all;
      EXPECT_EQ(all, alone) << ranks << " ranks";
    });
  }
}

TEST(Distances, of_many_rows_that_are_close_have_the_same_bits_on_any_number_of_ranks) {
  const Rows rows = clones(random_rows(300, 2100), 2, 1e-5);  // 600: tiles of pairs that are close lie apart
  std::vector<double> alone;
  for (int ranks = 1; ranks <= 3; ++ranks) {
    run_team(ranks, [&](const Comm& comm) {
      const TestMatrix matrix(comm, rows);
      const std::vector<double> all = squared_distances(comm, matrix.columns()).lower;
      if (alone.empty() && comm.size() == 1) alone = all;
      EXPECT_EQ(all, alone) << ranks << " ranks";
    });
  }
  expect_right_distances(rows);
}

TEST(Distances, of_many_rows_take_their_matrix_and_one_tile_per_panel) {
  constexpr std::size_t n = 2500, d = 2048, panels = 2;
  constexpr std::size_t matrix = SymmetricMatrix::entries(n) * sizeof(double), tile = std::size_t{2} << 20;
  for (const int ranks : {1, 2}) {
    run_team(ranks, [&](const Comm& comm) {
      ColumnMatrixBuilder builder(comm, n, d);
      for (std::size_t i = 0; i < n; ++i) std::ranges::fill(builder.row(i), i % 2 == 0 ? 1.0F : -1.0F);
      const ColumnMatrix updates = std::move(builder).finish();
      comm.barrier();
      const HeapPeak heap;  // whichever rank made the last one: before all of them compute
      comm.barrier();
      squared_distances(comm, updates);
      comm.barrier();
      EXPECT_LT(heap.bytes(), static_cast<std::size_t>(ranks) * (matrix + (2 * panels + 3) * tile)) << ranks;
    });
  }
}

TEST(Distances, do_not_depend_on_the_place_of_a_row) {
  Rows rows = random_rows(23, 1500);
  const SymmetricMatrix before = distances_of(rows);
  std::reverse(rows.begin(), rows.end());
  const SymmetricMatrix after = distances_of(rows);
  for (std::size_t i = 0; i < 23; ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(after(22 - i, 22 - j), before(i, j));
  }
}

TEST(Distances, of_near_clones_rank_as_in_double) {
  // Three clusters of norm 1e3 whose rows differ by 1e-3, and single rows among them. From products in float alone the
  // distances inside a cluster would be noise.
  constexpr std::size_t clusters = 3, size = 7;
  Rows rows = clones(random_rows(clusters, 1000, 30.0), size, 3e-5);
  const Rows others = random_rows(clusters + 7, 1000, 30.0);  // the first ones are what was cloned
  rows.insert(rows.end(), others.begin() + clusters, others.end());
  std::rotate(rows.begin(), rows.begin() + 18, rows.end());
  const SymmetricMatrix distances = distances_of(rows);
  std::size_t compared = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::size_t> cluster;
    for (std::size_t j = 0; j < rows.size(); ++j) {
      if (squared_distance(rows[i], rows[j]) < 1.0) cluster.push_back(j);
    }
    std::vector<std::size_t> order = cluster;
    std::sort(cluster.begin(), cluster.end(),
              [&](auto a, auto b) { return squared_distance(rows[i], rows[a]) < squared_distance(rows[i], rows[b]); });
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return distances(i, a) < distances(i, b); });
    EXPECT_EQ(order, cluster) << i;
    compared += cluster.size() == size;
  }
  EXPECT_EQ(compared, clusters * size);
  expect_right_distances(rows);
}

TEST(Distances, of_clusters_within_clusters_are_right) {
  Rows rows = clones(random_rows(2, 500, 100.0), 3, 1e-1);
  rows = clones(rows, 3, 1e-3);
  expect_right_distances(rows);
}

TEST(Distances, of_a_chain_of_ever_closer_rows_are_right) {
  Rows rows(12, std::vector<float>(64, 0.0F));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t c = 0; c < 64; ++c) rows[i][c] = c == i ? std::pow(10.0F, -static_cast<float>(i)) : 0.0F;
    rows[i][63] = 1.0F;
  }
  expect_right_distances(rows);
}

TEST(Distances, of_equal_rows_are_exactly_zero) {
  Rows rows = random_rows(3, 2000, 1e3);
  for (int copies = 0; copies < 4; ++copies) rows.push_back(rows[1]);
  rows.push_back(std::vector<float>(2000, 0.0F));
  rows.push_back(std::vector<float>(2000, 0.0F));
  const SymmetricMatrix distances = distances_of(rows);
  for (std::size_t i = 3; i < 7; ++i) EXPECT_EQ(distances(1, i), 0.0);
  EXPECT_EQ(distances(7, 8), 0.0);
  EXPECT_GT(distances(1, 2), 0.0);
  EXPECT_GT(distances(1, 7), 0.0);
}

TEST(Distances, of_extreme_magnitudes_are_right) {
  for (const double magnitude : {1e-40, 1e-20, 1e20, 1e37}) {
    Rows rows = random_rows(7, 3000, magnitude);
    expect_right_distances(rows);
    expect_right_products(rows);
  }
}

TEST(Distances, of_the_others_do_not_suffer_from_one_huge_row) {
  Rows rows = random_rows(8, 3000);
  rows[3] = random_rows(1, 3000, 1e30).front();
  rows[5] = random_rows(1, 3000, 1e-30).front();
  expect_right_distances(rows);
  expect_right_products(rows);
}

TEST(Distances, to_a_center_have_the_same_bits_on_every_instruction_set) {
  const Comm comm = Comm::self();
  const TestMatrix matrix(comm, random_rows(5, 5003));
  const ColumnVector center(comm, random_rows(6, 5003).back());
  std::vector<double> first;
  for_each_target([&] {
    std::vector<double> all = squared_distances_to(comm, matrix.columns(), center);
    const DotsAndNorms both = dots_and_norms(comm, matrix.columns(), center);
    all.insert(all.end(), both.dots.begin(), both.dots.end());
    all.insert(all.end(), both.squared_norms.begin(), both.squared_norms.end());
    if (first.empty()) first = all;
    EXPECT_EQ(all, first);
  });
}

TEST(Distances, to_a_center_agree_with_the_definition) {
  for (const std::size_t d : {1, 7, 8, 1025, 9001}) {
    Rows rows = clones(random_rows(1, d, 1e3), 9, 1e-3);
    const std::vector<float> center = rows[4];
    std::vector<double> alone;
    for (int ranks = 1; ranks <= 5; ++ranks) {
      run_team(ranks, [&](const Comm& comm) {
        const TestMatrix matrix(comm, rows);
        const std::vector<double> distances = squared_distances_to(comm, matrix.columns(), ColumnVector(comm, center));
        if (comm.rank() != 0) return;
        if (alone.empty()) alone = distances;
        EXPECT_EQ(distances, alone);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const double expected = squared_distance(rows[i], center);
          EXPECT_NEAR(distances[i], expected, 1e-13 * expected);
        }
      });
    }
  }
}

}  // namespace
}  // namespace souk::distances_test
