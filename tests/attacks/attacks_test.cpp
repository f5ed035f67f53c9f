#include <cmath>

#include <gmock/gmock.h>

#include "sim/base/error.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"

namespace souk::attacks_test {
namespace {

using testing::ElementsAre;

TEST(SignFlip, submits_the_negative_multiple_of_the_own_update) {
  EXPECT_THAT(craft("sign_flip { scale: 2 }", {.honest = {{1, -2, 3}, {5, 5, 5}}, .members = 1}).rows,
              ElementsAre(ElementsAre(-2, 4, -6)));
}

TEST(SignFlip, is_granted_one_member_at_a_time_and_nothing_else) {
  const auto attack = std::move(make_update_attacks(attack_group("sign_flip {}")).front());
  EXPECT_TRUE(attack->needs().one_by_one);
  EXPECT_EQ(attack->usual(), Knowledge::own);
}

TEST(GaussianNoise, has_its_deviation_and_the_same_bits_on_any_number_of_ranks) {
  const Rows rows = random_rows(1, 20000);
  std::vector<float> expected;
  for (const int ranks : {1, 2, 3, 7}) {
    run_team(ranks, [&](const Comm& comm) {
      const auto attack = std::move(make_update_attacks(attack_group("gaussian { sigma: 3 }")).front());
      const Rows noise = craft(comm, *attack, {.honest = rows, .level = Knowledge::own}).rows;
      if (comm.rank() != 0) return;
      if (expected.empty()) expected = noise.front();
      EXPECT_EQ(noise.front(), expected) << ranks << " ranks";
    });
  }
  double squares = 0;
  for (const float value : expected) squares += static_cast<double>(value) * static_cast<double>(value);
  EXPECT_NEAR(std::sqrt(squares / 20000), 3.0, 0.06);
}

TEST(GaussianNoise, fitted_has_mean_and_deviation_of_the_updates_known) {
  // Two benign updates at 2 and 6 in every coordinate: mean 4, deviation 2.
  Rows honest{std::vector<float>(20000, 100.0F), std::vector<float>(20000, 2.0F), std::vector<float>(20000, 6.0F)};
  const Rows noise = craft("gaussian { fitted: true }", {.honest = honest}).rows;
  double sum = 0.0, squares = 0.0;
  for (const float value : noise.front()) {
    sum += static_cast<double>(value);
    squares += (static_cast<double>(value) - 4.0) * (static_cast<double>(value) - 4.0);
  }
  EXPECT_NEAR(sum / 20000, 4.0, 0.06);
  EXPECT_NEAR(std::sqrt(squares / 20000), 2.0, 0.06);
}

// What a level does not grant is no member of the view: an attack that reads it does not compile.
template <class Granted>
concept sees_others = requires(Granted view) {
  view.known;
}
|| requires(Granted view) { view.honest.rows(), view.agents; };
template <class Granted>
concept sees_rule = requires(Granted view) {
  view.rule;
};
template <class Granted>
concept sees_root = requires(Granted view) {
  view.root_update;
};
template <class Granted>
concept trains = requires(Granted view) {
  view.lab;
};

TEST(Attacks, see_what_they_are_granted_and_nothing_else) {
  EXPECT_FALSE(sees_others<View<Own>> || sees_rule<View<Own>> || sees_root<View<Own>> || trains<View<Own>>);
  EXPECT_TRUE(sees_others<View<Pool>>);
  EXPECT_FALSE(sees_rule<View<Pool>> || sees_root<View<Pool>> || trains<View<Pool>>);
  EXPECT_TRUE((sees_others<View<Pool, RuleAccess>> && sees_rule<View<Pool, RuleAccess>>));
  EXPECT_FALSE((sees_root<View<Pool, RuleAccess>>));
  EXPECT_TRUE((trains<View<Pool, Laboratory>>));
}

TEST(Attacks, are_known_by_their_names_in_the_scenario) {
  const auto& attacks = PluginRegistry<UpdateAttack>::instance();
  EXPECT_TRUE(attacks.has("alie") && attacks.has("pivot"));
  EXPECT_FALSE(attacks.has("label_flip"));
  EXPECT_THAT(PluginRegistry<DataAttack>::instance().names(), testing::Contains("label_flip"));
}

TEST(Attacks, a_group_without_a_method_has_no_attack) {
  EXPECT_EQ(make_data_attack(scenario::Attack()), nullptr);
  EXPECT_TRUE(make_update_attacks(scenario::Attack()).empty());
  EXPECT_EQ(make_report_attack(scenario::Attack()), nullptr);
}

}  // namespace
}  // namespace souk::attacks_test
