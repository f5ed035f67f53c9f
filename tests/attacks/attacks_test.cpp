#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attacks/attack.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/params/linear.hpp"
#include "tests/support/matrices.hpp"

namespace souk {
namespace {

using testing::ElementsAre;

std::vector<std::int32_t> flipped(const scenario::Attack& group, std::vector<std::int32_t> labels) {
  const auto attack = make_data_attack(group);
  Stream random(1, Purpose::data_attack, nobody, {});
  attack->poison({.which = {}, .features = {}, .labels = labels, .classes = 10}, random);
  return labels;
}

TEST(LabelFlip, mirrors_all_labels_without_a_source) {
  scenario::Attack group;
  group.mutable_label_flip();
  EXPECT_THAT(flipped(group, {0, 3, 9}), ElementsAre(9, 6, 0));
}

TEST(LabelFlip, changes_the_source_alone_into_the_target) {
  scenario::Attack group;
  group.mutable_label_flip()->set_source(3);
  group.mutable_label_flip()->set_target(7);
  EXPECT_THAT(flipped(group, {0, 3, 9, 3}), ElementsAre(0, 7, 9, 7));
  group.mutable_label_flip()->set_target(10);
  EXPECT_THROW(make_data_attack(group)->check(10), InputError);
}

TEST(SignFlip, submits_the_negative_multiple_of_the_own_update) {
  scenario::Attack group;
  group.mutable_sign_flip()->set_scale(2.0);
  const Comm comm = Comm::self();
  const TestMatrix honest(comm, {{1, -2, 3}});
  const std::vector<AgentId> members{{5}};

  const auto attack = make_update_attack(group);
  const ColumnMatrix crafted = attack->craft({comm, {1}, members, honest.columns(), 1});

  EXPECT_EQ(attack->knowledge(), Knowledge::own);
  EXPECT_THAT(crafted.row(0), ElementsAre(-2, 4, -6));
}

TEST(GaussianNoise, has_its_deviation_and_the_same_bits_on_any_number_of_ranks) {
  scenario::Attack group;
  group.mutable_gaussian()->set_sigma(3.0);
  const Rows rows = random_rows(1, 20000);
  const std::vector<AgentId> members{{5}};
  std::vector<float> expected;
  for (const int ranks : {1, 2, 3, 7}) {
    run_team(ranks, [&](const Comm& comm) {
      const TestMatrix honest(comm, rows);
      const ColumnMatrix crafted = make_update_attack(group)->craft({comm, {1}, members, honest.columns(), 1});
      const std::vector<float> noise = whole(comm, crafted, combine(crafted, std::vector<double>{1.0}));
      if (comm.rank() != 0) return;
      if (expected.empty()) expected = noise;
      EXPECT_EQ(noise, expected) << ranks << " ranks";
    });
  }
  double squares = 0;
  for (const float value : expected) squares += static_cast<double>(value) * static_cast<double>(value);
  EXPECT_NEAR(std::sqrt(squares / 20000), 3.0, 0.06);
}

TEST(Attacks, a_group_without_a_method_has_no_attack) {
  EXPECT_EQ(make_data_attack(scenario::Attack()), nullptr);
  EXPECT_EQ(make_update_attack(scenario::Attack()), nullptr);
}

}  // namespace
}  // namespace souk
