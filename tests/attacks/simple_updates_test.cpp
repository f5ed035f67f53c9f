#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"

namespace souk::simple_updates_test {
namespace {

using testing::Each;
using testing::ElementsAre;

double mean_square(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

/// The rows that an attack crafts of a round, on 1, 2, 3 and 7 ranks: the same bits.
Rows on_any_ranks(const std::string& group, const AttackRound& world) {
  const Rows expected = craft(group, world).rows;
  for (const int ranks : {2, 3, 7}) {
    run_team(ranks, [&](const Comm& comm) {
      const auto attack = std::move(make_update_attacks(attack_group(group)).front());
      const Rows rows = craft(comm, *attack, world).rows;
      if (comm.rank() == 0) {
        EXPECT_EQ(rows, expected) << ranks << " ranks";
      }
    });
  }
  return expected;
}

TEST(ZeroUpdate, is_zero_even_where_the_honest_update_is_no_number) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(craft("zero {}", {.honest = {{1, nan, -3}, {5, 5, 5}}}).rows, ElementsAre(ElementsAre(0, 0, 0)));
}

TEST(FreeRider, delta_is_the_last_change_of_the_global_model) {
  const AttackRound world{.honest = {{1, 1}, {2, 2}, {3, 3}}, .members = 2, .change = {0.5F, -4}};
  EXPECT_THAT(craft("free_rider { kind: DELTA }", world).rows, ElementsAre(ElementsAre(0.5, -4), ElementsAre(0.5, -4)));
}

TEST(FreeRider, random_is_uniform_within_its_radius_and_different_for_every_member) {
  const Rows rows = on_any_ranks("free_rider { kind: RANDOM radius: 3 }",
                                 {.honest = Rows(3, std::vector<float>(20000)), .members = 2});
  for (const auto& row : rows) {
    EXPECT_THAT(row, Each(testing::AllOf(testing::Ge(-3), testing::Le(3))));
    EXPECT_NEAR(mean_square(row), 3.0, 0.1);  // radius^2 / 3
  }
  EXPECT_NE(rows[0], rows[1]);
}

TEST(FreeRider, advanced_delta_adds_noise_as_large_as_the_change) {
  AttackRound world{.honest = Rows(2, std::vector<float>(20000)), .change = std::vector<float>(20000, 0.0F)};
  for (std::size_t c = 0; c < 20000; ++c) world.change[c] = c % 2 == 0 ? 1.0F : 7.0F;  // mean square 25
  std::vector<float> noise = on_any_ranks("free_rider {}", world).front();
  for (std::size_t c = 0; c < noise.size(); ++c) noise[c] -= world.change[c];
  EXPECT_NEAR(mean_square(noise), 25.0, 1.0);
  noise = craft("free_rider { sigma: 2 }", world).rows.front();
  for (std::size_t c = 0; c < noise.size(); ++c) noise[c] -= world.change[c];
  EXPECT_NEAR(mean_square(noise), 4.0, 0.15);
  world.round = 2;
  EXPECT_NE(craft("free_rider {}", world).rows,
            on_any_ranks("free_rider {}", {.honest = world.honest, .change = world.change}));
}

TEST(Scaling, multiplies_by_its_factor_or_up_and_down_to_its_norm) {
  const AttackRound world{.honest = {{3, 4}, {0.3F, -0.4F}, {0, 0}, {9, 9}}, .members = 3};
  EXPECT_THAT(craft("scaling { factor: 3 }", world).rows.front(), ElementsAre(9, 12));
  const Rows rows = craft("scaling { norm: 2 }", world).rows;
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(mean_square(rows[i]) * 2.0, 4.0, 1e-6);
  EXPECT_GT(rows[0][1], 0);
  EXPECT_LT(rows[1][1], 0);
  EXPECT_THAT(rows[2], ElementsAre(0, 0));
}

TEST(Scaling, replaces_the_model_where_honest_updates_cancel) {
  // Two members of five submit 5 / 2 times their update each; the mean of the round is the mean of theirs.
  const Rows honest{{1, 2}, {3, -4}, {2, 2}, {-1, 0}, {-1, -2}};
  const Rows rows = craft("scaling {}", {.honest = honest, .members = 2}).rows;
  EXPECT_THAT(rows, ElementsAre(ElementsAre(2.5, 5), ElementsAre(7.5, -10)));
  EXPECT_FLOAT_EQ((rows[0][0] + rows[1][0] + 2 - 1 - 1) / 5, (honest[0][0] + honest[1][0]) / 2);
  EXPECT_FLOAT_EQ((rows[0][1] + rows[1][1] + 2 + 0 - 2) / 5, (honest[0][1] + honest[1][1]) / 2);
}

TEST(Ipm, submits_the_negative_multiple_of_the_benign_mean) {
  EXPECT_THAT(craft("ipm { epsilon: 0.5 }", {.honest = {{7, 7}, {8, 8}, {2, -4}, {6, 0}}, .members = 2}).rows,
              ElementsAre(ElementsAre(-2, 1), ElementsAre(-2, 1)));
}

TEST(Mimic, copies_the_benign_update_of_its_victim_or_the_last) {
  const AttackRound world{.honest = {{7, 7}, {8, 8}, {1, 2}, {3, 4}}, .members = 2};
  EXPECT_THAT(craft("mimic {}", world).rows, ElementsAre(ElementsAre(1, 2), ElementsAre(1, 2)));
  EXPECT_THAT(craft("mimic { victim: 1 }", world).rows, Each(ElementsAre(3, 4)));
  EXPECT_THAT(craft("mimic { victim: 99 }", world).rows, Each(ElementsAre(3, 4)));
}

TEST(Mpaf, drags_the_global_model_to_one_base_model_in_every_round_and_for_every_member) {
  AttackRound world{
      .honest = Rows(3, std::vector<float>(20000)), .members = 2, .global = std::vector<float>(20000, 0.0F)};
  const Rows from_zero = on_any_ranks("mpaf { lambda: 10 sigma: 0.5 }", world);
  EXPECT_EQ(from_zero[0], from_zero[1]);
  EXPECT_NEAR(mean_square(from_zero[0]), 25.0, 1.0);  // (lambda sigma)^2
  world.global.assign(20000, 2.0F);
  world.round = 5;
  const Rows later = craft("mpaf { lambda: 10 sigma: 0.5 }", world).rows;
  for (std::size_t c = 0; c < 20000; ++c) ASSERT_NEAR(later[1][c], from_zero[0][c] - 20.0F, 1e-4);
  world.seed = 2;
  EXPECT_NE(craft("mpaf { lambda: 10 sigma: 0.5 }", world).rows, later);
}

TEST(MalformedUpdates, are_so_in_their_first_coordinates) {
  const AttackRound world{.honest = {{1, 2, 3}, {4, 5, 6}}};
  const Rows nan = craft("nan { coordinates: 2 }", world).rows;
  EXPECT_TRUE(std::isnan(nan[0][0]) && std::isnan(nan[0][1]));
  EXPECT_EQ(nan[0][2], 3.0F);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(craft("inf {}", world).rows.front(), ElementsAre(infinity, 2, 3));
  EXPECT_THAT(craft("inf { coordinates: 0 }", world).rows.front(), Each(infinity));
}

TEST(MalformedUpdates, count_coordinates_over_all_ranks) {
  const Rows rows = on_any_ranks("inf { coordinates: 1234 }", {.honest = Rows(2, std::vector<float>(5000, 1.0F))});
  EXPECT_EQ(std::ranges::count(rows.front(), std::numeric_limits<float>::infinity()), 1234);
  EXPECT_EQ(rows.front()[1234], 1.0F);
}

TEST(WrongLength, pretends_to_another_length_beside_the_honest_update) {
  const AttackRound world{.honest = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, .members = 2};
  const CraftedRows crafted = craft("wrong_length { difference: 2 }", world);
  EXPECT_THAT(crafted.lengths, ElementsAre(5, 5));
  EXPECT_THAT(crafted.rows, ElementsAre(ElementsAre(1, 2, 3), ElementsAre(4, 5, 6)));
  EXPECT_THAT(craft("wrong_length { difference: -9 }", world).lengths, Each(0));
  EXPECT_THROW(make_update_attacks(attack_group("wrong_length { difference: 0 }")).front()->check(), InputError);
}

}  // namespace
}  // namespace souk::simple_updates_test
