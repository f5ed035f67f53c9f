#include <cmath>

#include <gmock/gmock.h>

#include "attacks/alie_z.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"
#include "tests/support/brute_force.hpp"

namespace souk::alie_test {
namespace {

using testing::ElementsAre;

TEST(AlieZ, is_the_published_one_for_published_sizes) {
  EXPECT_NEAR(alie_z(50, 24), 1.426, 5e-4);
  EXPECT_NEAR(alie_z(51, 12), 0.361, 5e-4);
  EXPECT_NEAR(alie_z(50, 10), 0.25, 5e-3);
  EXPECT_NEAR(alie_z(100, 20), 0.29, 5e-3);
  EXPECT_NEAR(alie_z(30, 9), 0.43, 5e-3);
  EXPECT_NEAR(alie_z(25, 10), 0.84, 5e-3);
}

TEST(AlieZ, leaves_the_formula_where_it_has_no_value) {
  // A majority of 8 among 10: one of two honest updates must be on its side, Phi^-1(1/2).
  EXPECT_NEAR(alie_z(10, 8), 0.0, 1e-12);
  // 6 of 10: one of four, Phi^-1(3/4).
  EXPECT_NEAR(alie_z(10, 6), 0.67449, 1e-5);
  EXPECT_EQ(alie_z(10, 9), 0.0);
  EXPECT_EQ(alie_z(10, 10), 0.0);
  EXPECT_EQ(alie_z(1, 1), 0.0);
  EXPECT_EQ(alie_z(2, 1), 0.0);
  for (std::size_t n = 1; n < 40; ++n) {
    for (std::size_t m = 1; m <= n; ++m) EXPECT_TRUE(std::isfinite(alie_z(n, m))) << n << ' ' << m;
  }
}

TEST(Alie, submits_the_mean_less_z_deviations_of_the_benign_updates) {
  // Benign: 2 and 6, 1 and 1, -3 and 5. Means 4, 1, 1; deviations 2, 0, 4.
  const CraftedRows crafted =
      craft("alie { z: 1.5 }", {.honest = {{50, 50, 50}, {-9, 9, 0}, {2, 1, -3}, {6, 1, 5}}, .members = 2});
  EXPECT_THAT(crafted.rows, ElementsAre(ElementsAre(1, 1, -5), ElementsAre(1, 1, -5)));
  EXPECT_EQ(crafted.diagnostics.at("z"), 1.5);
}

TEST(Alie, takes_z_from_the_size_of_the_round) {
  const Rows honest = random_rows(25, 40);
  const CraftedRows crafted = craft("alie {}", {.honest = honest, .members = 10});
  const double z = crafted.diagnostics.at("z");
  EXPECT_NEAR(z, 0.84162, 1e-5);
  const brute_force::Vectors benign = brute_force::of({honest.begin() + 10, honest.end()});
  brute_force::Vector expected = brute_force::mean(benign);
  for (std::size_t c = 0; c < expected.size(); ++c) {
    double square = 0.0;
    for (const auto& row : benign) square += std::pow(row[c] - brute_force::mean(benign)[c], 2);
    expected[c] -= z * std::sqrt(square / 15.0);
  }
  for (const auto& row : crafted.rows) brute_force::expect_close(row, expected);
}

TEST(Alie, among_colluders_learns_from_the_members_alone) {
  const Rows rows =
      craft("alie { z: 1 }", {.honest = {{1}, {3}, {100}}, .members = 2, .level = Knowledge::colluders}).rows;
  EXPECT_THAT(rows, ElementsAre(ElementsAre(1), ElementsAre(1)));
}

}  // namespace
}  // namespace souk::alie_test
