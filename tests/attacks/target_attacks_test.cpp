// Attacks on numbers to predict, by hand.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include "attacks/attack.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/error.hpp"
#include "tests/support/data_attack_world.hpp"

namespace souk::target_attacks_test {
namespace {

using testing::ElementsAre;

std::unique_ptr<DataAttack> attack(const std::string& text) {
  scenario::Attack group;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &group)) << text;
  return make_data_attack(group);
}

/// What an attack makes of numbers whose range in training is -2 to 3.
std::vector<float> poisoned(const std::string& text, std::vector<float> numbers,
                            const std::vector<std::size_t>& chosen) {
  const DataFacts facts{.classes = 0,
                        .shape = {1, 1, 1},
                        .shift = {0},
                        .scale = {1},
                        .low = {0},
                        .high = {1},
                        .least_number = -2.0F,
                        .largest_number = 3.0F};
  const std::vector<SampleIndex> which(numbers.size(), 0);
  std::vector<float> features(numbers.size(), 0.0F);
  FixedPredictor model(1, 1);
  Stream random(1, StreamKey{Purpose::data_attack, {7}, {1}});
  attack(text)->poison({.facts = facts,
                        .which = which,
                        .features = features,
                        .labels = {},
                        .chosen = chosen,
                        .now = model,
                        .numbers = numbers},
                       random);
  return numbers;
}

TEST(TargetShift, adds_the_shift_to_the_chosen_numbers_alone) {
  EXPECT_THAT(poisoned("target_shift { shift: 2.5 }", {1.0F, 2.0F, -1.0F}, {0, 2}), ElementsAre(3.5F, 2.0F, 1.5F));
  EXPECT_FALSE(attack("target_shift {}")->of_classes());
  EXPECT_FALSE(attack("target_shift {}")->has_goal());
  EXPECT_THROW(attack("target_shift { shift: 0 }")->check({}), InputError);
}

TEST(TargetFlip, mirrors_in_the_range_or_takes_the_end_that_is_farther_away) {
  EXPECT_THAT(poisoned("target_flip {}", {-2.0F, 3.0F, 1.0F, 0.5F}, {0, 1, 2, 3}),
              ElementsAre(3.0F, -2.0F, 0.0F, 0.5F));
  EXPECT_THAT(poisoned("target_flip { to_boundary: true }", {-2.0F, 3.0F, 1.0F, 0.4F}, {0, 1, 2, 3}),
              ElementsAre(3.0F, -2.0F, -2.0F, 3.0F));
}

}  // namespace
}  // namespace souk::target_attacks_test
