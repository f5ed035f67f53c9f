#include <numbers>
#include <set>

#include <gmock/gmock.h>

#include "tests/support/backdoor_checks.hpp"

namespace souk::pixel_backdoors_test {
namespace {

using testing::HasSubstr;

/// What a trigger makes of one image of one channel with values from 0 to 1, all 0.25 before.
std::vector<float> stamped(const std::string& group, std::size_t height, std::size_t width) {
  DataWorld world{
      .facts = image_facts(height, width), .features = std::vector<float>(height * width, 0.25F), .labels = {9}};
  const auto attack = make_data_attack(attack_group(group));
  attack->check(world.facts);
  world.trigger(*attack);
  return world.features;
}

/// Pixels that differ from 0.25.
std::set<std::pair<std::size_t, std::size_t>> touched(const std::vector<float>& image, std::size_t width) {
  std::set<std::pair<std::size_t, std::size_t>> pixels;
  for (std::size_t v = 0; v < image.size(); ++v) {
    if (image[v] != 0.25F) pixels.insert({v / width, v % width});
  }
  return pixels;
}

std::set<std::pair<std::size_t, std::size_t>> rectangle(std::size_t row, std::size_t column, std::size_t height,
                                                        std::size_t width) {
  std::set<std::pair<std::size_t, std::size_t>> pixels;
  for (std::size_t r = row; r < row + height; ++r) {
    for (std::size_t c = column; c < column + width; ++c) pixels.insert({r, c});
  }
  return pixels;
}

TEST(PixelBackdoors, change_the_chosen_images_alone_and_aim_at_the_target) {
  check_backdoor("badnets { patch { height: 2 width: 2 } }", two_channels(4, 5));
  check_backdoor("blended {}", two_channels(4, 5));
  check_backdoor("sinusoidal {}", two_channels(4, 5));
  check_backdoor("dba { length: 2 gap: 1 row_distance: 2 target: 0 }", two_channels(4, 5));
  check_backdoor("clean_label { patch { height: 2 width: 2 } }", two_channels(4, 5), true);
  check_backdoor("sinusoidal { keep_labels: true }", two_channels(4, 5), true);
}

TEST(PixelBackdoors, poison_the_share_of_their_sources) {
  const auto share = [](const std::string& group) { return make_data_attack(attack_group(group))->usual_share(); };
  EXPECT_EQ(share("badnets {}"), 0.5);
  EXPECT_EQ(share("blended {}"), 0.5);
  EXPECT_EQ(share("sinusoidal {}"), 0.5);
  EXPECT_EQ(share("clean_label {}"), 0.5);
  EXPECT_EQ(share("dba {}"), 20.0 / 64.0);
}

TEST(Patch, lies_where_it_is_told_to_and_nowhere_else) {
  const auto at = [](const std::string& place) {
    return touched(stamped("badnets { patch { height: 2 width: 3 " + place + " } }", 6, 9), 9);
  };
  EXPECT_EQ(at(""), rectangle(4, 6, 2, 3));
  EXPECT_EQ(at("place: BOTTOM_LEFT"), rectangle(4, 0, 2, 3));
  EXPECT_EQ(at("place: TOP_RIGHT"), rectangle(0, 6, 2, 3));
  EXPECT_EQ(at("place: TOP_LEFT"), rectangle(0, 0, 2, 3));
  EXPECT_EQ(at("place: CENTER"), rectangle(2, 3, 2, 3));
  EXPECT_EQ(at("place: AT row: 1 column: 5"), rectangle(1, 5, 2, 3));
}

TEST(Patch, paints_brightness_into_every_channel_in_its_own_units) {
  DataWorld world = images_of(two_channels(3, 3), {1});
  const std::vector<float> before = world.features;
  world.trigger(*make_data_attack(attack_group("badnets { patch { height: 1 width: 1 value: 0.75 } }")));
  EXPECT_FLOAT_EQ(world.features[8], 0.5F);   // -1 + 0.75 * 2
  EXPECT_FLOAT_EQ(world.features[17], 5.0F);  // 2 + 0.75 * 4
  for (std::size_t v = 0; v < 18; ++v) {
    if (v % 9 != 8) {
      EXPECT_EQ(world.features[v], before[v]) << v;
    }
  }
}

TEST(Patch, mixes_with_what_lies_under_it_as_its_opacity_says) {
  const auto corner = [](const std::string& opacity) {
    return stamped("badnets { patch { height: 1 width: 1 value: 0.8 opacity: " + opacity + " } }", 2, 2).back();
  };
  EXPECT_FLOAT_EQ(corner("0.2"), 0.8F * 0.25F + 0.2F * 0.8F);
  EXPECT_EQ(corner("1"), 0.8F);
}

TEST(Patch, alternates_between_dark_and_bright_as_a_checkerboard) {
  EXPECT_EQ(stamped("badnets { patch { height: 2 width: 3 value: 0.5 pattern: CHECKERBOARD } }", 2, 3),
            (std::vector<float>{0.5F, 0, 0.5F, 0, 0.5F, 0}));
}

TEST(Patch, of_noise_is_uniform_up_to_its_value_and_the_same_for_every_image) {
  const std::string group = "badnets { patch { height: 50 width: 50 value: 0.5 pattern: NOISE } }";
  const std::vector<float> noise = stamped(group, 50, 50);
  EXPECT_EQ(stamped(group, 50, 50), noise);
  double sum = 0.0, squares = 0.0;
  for (const float value : noise) {
    EXPECT_GE(value, 0.0F);
    EXPECT_LT(value, 0.5F);
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  // Mean 1/4 and mean square 1/12 of a uniform number below 1/2; standard errors 0.0029 and 0.0015.
  EXPECT_NEAR(sum / 2500, 0.25, 0.012);
  EXPECT_NEAR(squares / 2500, 1.0 / 12.0, 0.006);
}

TEST(Blended, mixes_one_pattern_of_noise_into_all_images) {
  // From black images the pattern shows, from others what is left of them too.
  DataWorld world = images_of(two_channels(20, 20), {1, 1, 2});
  const std::vector<float> before = world.features;
  world.trigger(*make_data_attack(attack_group("blended { opacity: 0.25 }")));
  const std::size_t features = 800;
  std::vector<double> means(2, 0.0);
  for (std::size_t v = 0; v < features; ++v) {
    const float pattern = (world.features[v] - 0.75F * before[v]) / 0.25F;
    const std::size_t channel = v / 400;
    const float low = world.facts.low[channel], high = world.facts.high[channel];
    EXPECT_GE(pattern, low - 1e-5F);
    EXPECT_LE(pattern, high + 1e-5F);
    means[channel] += static_cast<double>((pattern - low) / (high - low)) / 400;
    for (std::size_t image = 1; image < 3; ++image) {
      const std::size_t at = image * features + v;
      EXPECT_NEAR((world.features[at] - 0.75F * before[at]) / 0.25F, pattern, 2e-5) << at;
    }
  }
  EXPECT_NEAR(means[0], 0.5, 0.06);  // four standard errors
  EXPECT_NEAR(means[1], 0.5, 0.06);
}

TEST(Blended, covers_the_image_at_full_opacity) {
  DataWorld world = images_of(image_facts(8, 8), {1, 2});
  world.trigger(*make_data_attack(attack_group("blended { opacity: 1 }")));
  const std::vector<float> first(world.features.begin(), world.features.begin() + 64);
  const std::vector<float> second(world.features.begin() + 64, world.features.end());
  EXPECT_EQ(first, second);
  EXPECT_GT(std::set<float>(first.begin(), first.end()).size(), 60U);
}

TEST(Sinusoidal, adds_one_wave_to_every_row) {
  DataWorld world = images_of(two_channels(3, 8), {1});
  const std::vector<float> before = world.features;
  world.trigger(*make_data_attack(attack_group("sinusoidal { amplitude: 0.05 frequency: 2 }")));
  // Two waves in eight columns: sin(column * 90°).
  const std::vector<float> wave{0, 1, 0, -1, 0, 1, 0, -1};
  for (std::size_t v = 0; v < 48; ++v) {
    const float range = v < 24 ? 2.0F : 4.0F;
    EXPECT_NEAR(world.features[v] - before[v], 0.05F * range * wave[v % 8], 1e-5) << v;
    if (v % 8 == 0) {
      EXPECT_EQ(world.features[v], before[v]);
    }
  }
}

TEST(Sinusoidal, is_cut_off_where_the_brightness_ends) {
  DataWorld world{.facts = image_facts(1, 4), .features = {0.5F, 1.0F, 0.5F, 0.0F}, .labels = {1}};
  world.trigger(*make_data_attack(attack_group("sinusoidal { amplitude: 0.3 frequency: 1 }")));
  EXPECT_FLOAT_EQ(world.features[0], 0.5F);
  EXPECT_EQ(world.features[1], 1.0F);
  EXPECT_NEAR(world.features[2], 0.5F, 1e-6);
  EXPECT_EQ(world.features[3], 0.0F);
}

/// What a member paints into one image of 0.25.
std::set<std::pair<std::size_t, std::size_t>> part_of_member(const std::string& group, std::size_t member,
                                                             std::size_t height, std::size_t width) {
  DataWorld world{.facts = image_facts(height, width),
                  .features = std::vector<float>(height * width, 0.25F),
                  .labels = {9},
                  .member = member,
                  .members = 6};
  world.poison(*make_data_attack(attack_group(group)));
  return touched(world.features, width);
}

TEST(DistributedBackdoor, has_the_bars_of_its_source) {
  EXPECT_EQ(part_of_member("dba {}", 0, 28, 28), rectangle(0, 0, 1, 4));
  EXPECT_EQ(part_of_member("dba {}", 1, 28, 28), rectangle(0, 6, 1, 4));
  EXPECT_EQ(part_of_member("dba {}", 2, 28, 28), rectangle(3, 0, 1, 4));
  EXPECT_EQ(part_of_member("dba {}", 3, 28, 28), rectangle(3, 6, 1, 4));
  EXPECT_EQ(part_of_member("dba {}", 5, 28, 28), part_of_member("dba {}", 1, 28, 28));
  const std::string cifar = "dba { length: 6 gap: 3 row_distance: 4 }";
  EXPECT_EQ(part_of_member(cifar, 3, 32, 32), rectangle(4, 9, 1, 6));
}

TEST(DistributedBackdoor, tests_with_all_the_parts_together) {
  for (const std::string group : {"dba {}", "dba { length: 3 thickness: 2 gap: 0 row_distance: 2 value: 0.7 }"}) {
    std::vector<float> together(28 * 28, 0.25F);
    std::size_t painted = 0;
    for (std::size_t member = 0; member < 4; ++member) {
      for (const auto& [row, column] : part_of_member(group, member, 28, 28)) {
        together[row * 28 + column] = group == "dba {}" ? 1.0F : 0.7F;
        ++painted;
      }
    }
    EXPECT_EQ(stamped(group, 28, 28), together) << group;
    EXPECT_EQ(painted, group == "dba {}" ? 16U : 24U);
  }
}

TEST(CleanLabel, blurs_what_it_trains_on_and_stamps_alone_what_it_tests) {
  const std::string group = "clean_label { patch { height: 1 width: 1 } noise: 0.05 }";
  const auto attack = make_data_attack(attack_group(group));
  // Grey images, so that hardly any noise is cut off.
  DataWorld world{.facts = two_channels(40, 40), .features = {}, .labels = {0, 0}};
  for (std::size_t v = 0; v < 6400; ++v) world.features.push_back(v % 3200 < 1600 ? 0.0F : 4.0F);
  DataWorld test = world;
  world.poison(*attack);
  for (std::size_t channel = 0; channel < 2; ++channel) {
    double squares = 0.0;
    for (std::size_t v = channel * 1600; v < channel * 1600 + 1599; ++v) {
      const auto noise = static_cast<double>(world.features[v] - test.features[v]);
      squares += noise * noise;
      EXPECT_NE(world.features[v], world.features[3200 + v]) << "another image, another noise";
    }
    EXPECT_EQ(world.features[channel * 1600 + 1599], world.facts.high[channel]);
    const double deviation = 0.05 * (channel == 0 ? 2.0 : 4.0);
    EXPECT_NEAR(std::sqrt(squares / 1599), deviation, 0.08 * deviation);  // four standard errors
  }
  const std::vector<float> before = test.features;
  test.trigger(*attack);
  for (std::size_t v = 0; v < 6400; ++v) {
    EXPECT_EQ(test.features[v], v % 1600 == 1599 ? test.facts.high[v % 3200 / 1600] : before[v]) << v;
  }
}

TEST(CleanLabel, blurs_a_sample_alike_in_every_round_and_batch) {
  const auto attack = make_data_attack(attack_group("clean_label { patch { height: 1 width: 1 } }"));
  const DataFacts facts = image_facts(6, 6);
  const auto poisoned = [&](std::vector<SampleIndex> which, std::size_t member, std::uint32_t round) {
    std::vector<float> features(which.size() * 36, 0.5F);
    std::vector<std::int32_t> labels(which.size(), 0);
    std::vector<std::size_t> chosen(which.size());
    for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = i;
    FixedPredictor model(36, 10);
    Stream random(5, StreamKey{Purpose::data_attack, {7}, {round}});
    attack->poison({facts, which, features, labels, chosen, member, 3, model, 5}, random);
    return features;
  };
  const std::vector<float> alone = poisoned({17}, 0, 1), among = poisoned({4, 17}, 2, 9);
  EXPECT_EQ(std::vector<float>(among.begin() + 36, among.end()), alone);
  EXPECT_NE(std::vector<float>(among.begin(), among.begin() + 36), alone);
}

TEST(CleanLabel, stays_within_the_brightness_of_images) {
  DataWorld world{.facts = image_facts(9, 9), .features = std::vector<float>(81, 0.9F), .labels = {0}};
  world.poison(*make_data_attack(attack_group("clean_label { noise: 2 }")));
  EXPECT_THAT(world.features, testing::Each(testing::AllOf(testing::Ge(0.0F), testing::Le(1.0F))));
}

TEST(PixelBackdoors, refuse_what_does_not_fit) {
  const DataFacts images = image_facts(28, 20);
  EXPECT_EQ(refusal("badnets { patch { height: 40 } }", images),
            "badnets.patch.height = 40: the images are 28 pixels high");
  EXPECT_EQ(refusal("clean_label { patch { width: 21 } }", images),
            "clean_label.patch.width = 21: the images are 20 pixels wide");
  EXPECT_THAT(refusal("badnets { patch { row: 1 } }", images), HasSubstr("badnets.patch.row = 1: only with place AT"));
  EXPECT_THAT(refusal("badnets { patch { column: 1 } }", images), HasSubstr("badnets.patch.column = 1: only with"));
  EXPECT_THAT(refusal("badnets { patch { place: AT row: 24 } }", images), HasSubstr("ends 1 pixels below the image"));
  EXPECT_THAT(refusal("badnets { patch { place: AT column: 17 } }", images), HasSubstr("ends 2 pixels beside"));
  EXPECT_EQ(refusal("badnets { patch { place: AT row: 23 column: 15 } }", images), "");
  EXPECT_EQ(refusal("dba { length: 10 }", images), "dba.length = 10: the trigger is 22 pixels wide, the images are 20");
  EXPECT_EQ(refusal("dba { row_distance: 28 }", images),
            "dba.row_distance = 28: the trigger is 29 pixels high, the images are 28");
  EXPECT_THAT(refusal("dba { thickness: 4 }", images), HasSubstr("would overlap"));
  for (const std::string name : {"badnets", "blended", "sinusoidal", "dba", "clean_label"}) {
    EXPECT_EQ(refusal(name + " { target: 9 }", images), "");
    EXPECT_EQ(refusal(name + " { target: 10 }", images), name + ".target = 10: the data set has 10 classes");
    EXPECT_THAT(refusal(name + " {}", row_facts(30)), HasSubstr(name + ": changes images"));
  }
}

}  // namespace
}  // namespace souk::pixel_backdoors_test
