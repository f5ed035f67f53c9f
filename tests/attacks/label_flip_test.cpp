#include <gmock/gmock.h>

#include "sim/base/error.hpp"
#include "tests/support/data_attack_world.hpp"

namespace souk::label_flip_test {
namespace {

using testing::Each;
using testing::ElementsAre;

DataWorld labelled(std::vector<std::int32_t> labels) {
  const std::size_t samples = labels.size();
  return {.facts = image_facts(1, 1), .features = std::vector<float>(samples), .labels = std::move(labels)};
}

TEST(LabelFlip, mirrors_all_labels_without_a_source) {
  DataWorld world = labelled({0, 3, 9});
  const auto attack = make_data_attack(attack_group("label_flip {}"));
  EXPECT_THAT(world.trigger(*attack), ElementsAre(9, 6, 0));
  world.poison(*attack);
  EXPECT_THAT(world.labels, ElementsAre(9, 6, 0));
}

TEST(LabelFlip, changes_the_source_alone_into_the_target) {
  DataWorld world = labelled({0, 3, 9, 3});
  const auto attack = make_data_attack(attack_group("label_flip { source: 3 target: 7 }"));
  EXPECT_THAT(world.eligible(*attack), ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(world.trigger(*attack), ElementsAre(-1, 7, -1, 7));
  world.chosen = {3};
  world.poison(*attack);
  EXPECT_THAT(world.labels, ElementsAre(0, 3, 9, 7));
}

TEST(LabelFlip, at_random_gives_every_sample_another_class_once_and_for_all) {
  DataWorld world = labelled(std::vector<std::int32_t>(5000, 4));
  const auto attack = make_data_attack(attack_group("label_flip { random: true }"));
  world.poison(*attack);
  EXPECT_THAT(world.labels, Each(testing::AllOf(testing::Ge(0), testing::Lt(10), testing::Ne(4))));
  std::vector<int> counts(10);
  for (const std::int32_t label : world.labels) ++counts[static_cast<std::size_t>(label)];
  for (std::size_t c = 0; c < 10; ++c) EXPECT_NEAR(counts[c], c == 4 ? 0.0 : 5000.0 / 9, c == 4 ? 0 : 80) << c;
  DataWorld again = labelled(std::vector<std::int32_t>(5000, 4));
  again.poison(*attack);
  EXPECT_EQ(again.labels, world.labels);
  EXPECT_FALSE(attack->has_goal());
}

TEST(LabelFlip, refuses_classes_that_the_data_set_does_not_have) {
  const auto refused = [](const std::string& text) {
    EXPECT_THROW(make_data_attack(attack_group(text))->check(image_facts(1, 1)), InputError) << text;
  };
  refused("label_flip { source: 3 target: 10 }");
  refused("label_flip { source: 10 target: 1 }");
  refused("label_flip { target: 1 }");
  refused("label_flip { source: 3 target: 3 }");
  refused("label_flip { source: 3 target: 4 random: true }");
}

}  // namespace
}  // namespace souk::label_flip_test
