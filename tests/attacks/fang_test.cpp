#include <cmath>

#include <gmock/gmock.h>

#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"
#include "tests/support/brute_force.hpp"

namespace souk::fang_test {
namespace {

using brute_force::Indices;
using brute_force::Vector;
using brute_force::Vectors;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::Le;

constexpr std::size_t n = 20, m = 4, d = 40;

Rows honest_updates(std::size_t columns = d) {
  Rows honest = random_rows(n, columns);
  for (auto& row : honest) {
    for (std::size_t c = 0; c < columns; ++c) row[c] += c % 3 == 0 ? -0.5F : 0.5F;
  }
  return honest;
}

std::size_t krum_pick(const Vectors& rows) {
  const Indices all = brute_force::everybody(rows.size());
  return brute_force::lowest(all, 1, [&](std::size_t i) { return brute_force::krum_score(rows, all, i, m); }).front();
}

Rows followed_by(Rows rows, const Rows& others) {
  rows.insert(rows.end(), others.begin(), others.end());
  return rows;
}

Vector signs_of_mean(const Rows& rows) {
  Vector signs = brute_force::mean(brute_force::of(rows));
  for (double& value : signs) value = value > 0.0 ? 1.0 : -1.0;
  return signs;
}

/// Theorem 1 as it stands: sums over the n - c - 2 nearest, n workers and c attackers.
double bound(const Rows& benign) {
  const Vectors rows = brute_force::of(benign);
  double least = INFINITY, farthest = 0.0;
  for (const Vector& row : rows) {
    Vector squares;
    for (const Vector& other : rows) {
      if (&other != &row) squares.push_back(std::pow(brute_force::distance(row, other), 2));
    }
    std::sort(squares.begin(), squares.end());
    least = std::min(least, std::accumulate(squares.begin(), squares.begin() + (n - m - 2), 0.0));
    farthest = std::max(farthest, brute_force::norm(row));
  }
  return std::sqrt(least / ((n - 2.0 * m - 1.0) * d)) + farthest / std::sqrt(static_cast<double>(d));
}

TEST(FangKrum, is_what_krum_picks_and_twice_as_far_would_not_be) {
  const Rows honest = honest_updates();
  const Rows benign(honest.begin() + m, honest.end());
  const CraftedRows crafted = craft("fang_krum {}", {.honest = honest, .members = m});
  EXPECT_EQ(crafted.diagnostics.at("picked"), 1.0);
  // Of rows within epsilon of each other, any may be picked.
  EXPECT_LT(krum_pick(brute_force::of(followed_by(crafted.rows, benign))), m);

  const double lambda = crafted.diagnostics.at("lambda");
  const Vector signs = signs_of_mean(benign);
  brute_force::expect_close(crafted.rows.front(), brute_force::scaled(signs, -lambda));
  const double halvings = std::log2(bound(benign) / lambda);
  EXPECT_NEAR(halvings, std::round(halvings), 1e-5);
  ASSERT_GE(halvings, 0.5);
  Vectors beyond = brute_force::of(benign);
  beyond.insert(beyond.end(), m, brute_force::scaled(signs, -2.0 * lambda));
  EXPECT_LT(krum_pick(beyond), benign.size());
}

TEST(FangKrum, is_supported_from_within_epsilon) {
  const Rows rows = craft("fang_krum { epsilon: 0.1 }", {.honest = honest_updates(), .members = m}).rows;
  const Vectors crafted = brute_force::of(rows);
  for (std::size_t i = 1; i < m; ++i) {
    EXPECT_LE(brute_force::distance(crafted[i], crafted[0]), 0.1);
    EXPECT_GT(brute_force::distance(crafted[i], crafted[0]), 0.02);
    EXPECT_GT(brute_force::distance(crafted[i], crafted[i - 1]), 0.02);
  }
  EXPECT_THAT(craft("fang_krum { epsilon: 0 }", {.honest = honest_updates(), .members = m}).rows,
              testing::Each(craft("fang_krum { epsilon: 0 }", {.honest = honest_updates(), .members = m}).rows[0]));
}

TEST(FangKrum, partial_learns_from_the_members_alone) {
  const Rows honest = honest_updates();
  const Rows own(honest.begin(), honest.begin() + m);
  const CraftedRows crafted = craft("fang_krum { partial: true }", {.honest = honest, .members = m});
  const double lambda = crafted.diagnostics.at("lambda");
  brute_force::expect_close(crafted.rows.front(), brute_force::scaled(signs_of_mean(own), -lambda));
  EXPECT_EQ(crafted.diagnostics.at("picked"), 1.0);
  const auto attack = std::move(make_update_attacks(attack_group("fang_krum { partial: true }")).front());
  EXPECT_EQ(attack->usual(), Knowledge::colluders);
}

TEST(FangKrum, gives_up_below_its_threshold) {
  // Benign updates equal but for the member's: nothing beside them is ever picked.
  const Rows honest(8, std::vector<float>{1, -2, 3});
  const CraftedRows crafted = craft("fang_krum { threshold: 0.1 }", {.honest = honest, .members = 1});
  EXPECT_EQ(crafted.diagnostics.at("picked"), 0.0);
  const double lambda = crafted.diagnostics.at("lambda");
  EXPECT_LT(lambda, 0.1);
  EXPECT_GE(lambda, 0.05);
  const auto l = static_cast<float>(lambda);
  EXPECT_THAT(crafted.rows, ElementsAre(ElementsAre(-l, l, -l)));
}

TEST(FangKrum, stays_where_nothing_moves) {
  EXPECT_THAT(craft("fang_krum {}", {.honest = {{5, 5}, {1, 2}, {-1, -2}}}).rows, ElementsAre(ElementsAre(0, 0)));
}

TEST(FangTrim, lies_just_beyond_all_known_values_against_the_change) {
  // Means: 2 grows, from [1, 3]; -2 falls, from [-3, -1]; 1 grows, from [-1, 3]; -1 falls, from [-3, 1].
  const Rows honest{{0, 0, 0, 0}, {0, 0, 0, 0}, {1, -3, -1, -3}, {3, -1, 3, 1}};
  const Rows rows = craft("fang_trim { b: 4 }", {.honest = honest, .members = 2}).rows;
  for (const auto& row : rows) {
    EXPECT_THAT(row, ElementsAre(AllOf(Ge(0.25F), Le(1)), AllOf(Ge(-1), Le(-0.25F)), AllOf(Ge(-4), Le(-1)),
                                 AllOf(Ge(1), Le(4))));
  }
  EXPECT_NE(rows[0], rows[1]);
}

TEST(FangTrim, draws_uniformly_and_the_same_on_any_number_of_ranks) {
  Rows honest(4, std::vector<float>(20000, 1.0F));
  honest[3].assign(20000, 3.0F);
  const AttackRound world{.honest = honest, .members = 2};
  for (const char* group : {"fang_trim {}", "fang_trim { partial: true }", "fang_krum {}"}) {
    const Rows expected = craft(group, world).rows;
    for (const int ranks : {2, 3, 7}) {
      run_team(ranks, [&](const Comm& comm) {
        const auto attack = std::move(make_update_attacks(attack_group(group)).front());
        const Rows rows = craft(comm, *attack, world).rows;
        if (comm.rank() == 0) {
          EXPECT_EQ(rows, expected) << group << ' ' << ranks;
        }
      });
    }
  }
  // In [1/2, 1]: mean 3/4, variance 1/4 / 12.
  const Rows rows = craft("fang_trim {}", world).rows;
  double sum = 0.0, squares = 0.0;
  for (const float value : rows.front()) {
    sum += static_cast<double>(value) - 0.75;
    squares += std::pow(static_cast<double>(value) - 0.75, 2);
  }
  EXPECT_NEAR(sum / 20000, 0.0, 0.005);
  EXPECT_NEAR(squares / 20000, 0.25 / 12, 0.001);
}

TEST(FangTrim, partial_lies_three_to_four_deviations_from_the_members_mean) {
  // Members: 1 and 3, mean 2, deviation 1: below. -1 and -5, mean -3, deviation 2: above. Benign values do not matter.
  const Rows rows = craft("fang_trim { partial: true }", {.honest = {{1, -1}, {3, -5}, {-99, 99}}, .members = 2}).rows;
  for (const auto& row : rows) {
    EXPECT_THAT(row, ElementsAre(AllOf(Ge(-2), Le(-1)), AllOf(Ge(3), Le(5))));
  }
  const auto attack = std::move(make_update_attacks(attack_group("fang_trim { partial: true }")).front());
  EXPECT_EQ(attack->usual(), Knowledge::colluders);
}

}  // namespace
}  // namespace souk::fang_test
