#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/support/data_attack_world.hpp"

namespace souk {

/// What the attack says to a data set, or "" where it accepts it.
inline std::string refusal(const std::string& group, const DataFacts& facts) {
  try {
    make_data_attack(attack_group(group))->check(facts);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Rows of a table or texts: every column with another scaling.
inline DataFacts row_facts(std::size_t columns, int classes = 3) {
  DataFacts facts;
  facts.classes = classes;
  facts.shape = {columns, 1, 1};
  for (std::size_t c = 0; c < columns; ++c) {
    const auto column = static_cast<float>(c);
    facts.shift.push_back(1.7F * column - 3.1F);
    facts.scale.push_back(0.3F + 0.11F * column);
    facts.low.push_back((0.0F - facts.shift[c]) * facts.scale[c]);
    facts.high.push_back((100.0F - facts.shift[c]) * facts.scale[c]);
  }
  return facts;
}

/// Two channels whose values the network reads from -1 to 1 and from 2 to 6.
inline DataFacts two_channels(std::size_t height, std::size_t width, int classes = 3) {
  return {.classes = classes,
          .shape = {2, height, width},
          .shift = {0.5F, 0.0F},
          .scale = {2.0F, 4.0F},
          .low = {-1.0F, 2.0F},
          .high = {1.0F, 6.0F}};
}

/// Values spread over the range of each channel, all different from 0 and from its ends.
inline DataWorld images_of(const DataFacts& facts, std::vector<std::int32_t> labels) {
  DataWorld world{.facts = facts, .features = {}, .labels = std::move(labels)};
  const std::size_t pixels = facts.shape[1] * facts.shape[2];
  for (std::size_t v = 0; v < facts.features() * world.labels.size(); ++v) {
    const std::size_t channel = v % facts.features() / pixels;
    const float share = 0.1F + 0.8F * static_cast<float>(v * 37 % 101) / 101.0F;
    world.features.push_back(facts.low[channel] + share * (facts.high[channel] - facts.low[channel]));
  }
  return world;
}

/// A backdoor poisons samples of all classes but its target, 0, or of that alone; changes the chosen samples and no
/// others; and at a test stamps what it wants to be taken for the target. Labels in the world: 0, 1 and 2.
inline void check_backdoor(const std::string& group, const DataFacts& facts, bool clean = false) {
  const auto attack = make_data_attack(attack_group(group));
  attack->check(facts);
  const DataWorld honest = images_of(facts, {1, 0, 2, 1});
  DataWorld world = honest;
  EXPECT_EQ(world.eligible(*attack),
            clean ? (std::vector<std::uint8_t>{0, 1, 0, 0}) : (std::vector<std::uint8_t>{1, 0, 1, 1}));
  world.chosen = clean ? std::vector<std::size_t>{1} : std::vector<std::size_t>{2};
  world.poison(*attack);
  EXPECT_EQ(world.labels, clean ? (std::vector<std::int32_t>{1, 0, 2, 1}) : (std::vector<std::int32_t>{1, 0, 0, 1}));
  const std::size_t features = facts.features(), first = world.chosen.front() * features;
  bool changed = false;
  for (std::size_t v = 0; v < world.features.size(); ++v) {
    if (v >= first && v < first + features) {
      changed = changed || world.features[v] != honest.features[v];
    } else {
      EXPECT_EQ(world.features[v], honest.features[v]) << v;
    }
  }
  EXPECT_TRUE(changed);

  EXPECT_TRUE(attack->has_goal());
  DataWorld test = honest;
  EXPECT_EQ(test.trigger(*attack), (std::vector<std::int32_t>{0, -1, 0, 0}));
  EXPECT_EQ(test.labels, honest.labels);
  EXPECT_NE(
      std::vector<float>(test.features.begin(), test.features.begin() + static_cast<std::ptrdiff_t>(features)),
      std::vector<float>(honest.features.begin(), honest.features.begin() + static_cast<std::ptrdiff_t>(features)));
}

}  // namespace souk
