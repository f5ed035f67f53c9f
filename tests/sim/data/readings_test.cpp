// Samples that read otherwise: what a data set shows of them, and of all others.
#include "sim/data/readings.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/data/dataset.hpp"

namespace souk::readings_test {
namespace {

using testing::ElementsAre;

/// Three samples of two features and a class.
struct Small {
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  std::vector<std::int32_t> labels{0, 1, 1};
  Dataset data{{.samples = 3, .sample_shape = {2, 1, 1}, .class_names = {"a", "b"}},
               {.u8 = {}, .f32 = values, .labels = labels, .groups = {}},
               raw_scaling({.samples = 3, .sample_shape = {2, 1, 1}, .class_names = {"a", "b"}})};
  std::vector<float> features(const Dataset& of, std::vector<SampleIndex> which) const {
    std::vector<float> out(which.size() * 2);
    of.copy_features(which, out);
    return out;
  }
};

TEST(Readings, are_shown_in_the_place_of_what_is_stored) {
  const Small small;
  const Readings readings{{1, {.label = 0, .features = {{.first = 1, .count = 1, .value = 9.0F}}}},
                          {2, {.weight = 0.5}}};
  const Dataset revised = small.data.revised(revised_rows(small.data, readings));
  EXPECT_THAT(revised.labels(), ElementsAre(0, 0, 1));
  EXPECT_THAT(revised.weights(), ElementsAre(1.0F, 1.0F, 0.5F));
  EXPECT_THAT(small.features(revised, {2, 1, 0}), ElementsAre(5, 6, 3, 9, 1, 2));
  EXPECT_THAT(small.data.labels(), ElementsAre(0, 1, 1));
  EXPECT_TRUE(small.data.weights().empty());
  EXPECT_THAT(small.features(small.data, {1}), ElementsAre(3, 4));
}

TEST(Readings, of_features_are_set_in_their_order) {
  const Small small;
  const Readings readings{{0, {.features = {{.first = 0, .count = 2, .value = 7.0F}, {.first = 0, .count = 1}}}}};
  EXPECT_THAT(small.features(small.data.revised(revised_rows(small.data, readings)), {0}), ElementsAre(0, 7));
}

TEST(Readings, of_samples_held_back_show_nothing_else) {
  const Small small;
  EXPECT_EQ(revised_rows(small.data, {{0, {.held_back = true}}}), nullptr);
  EXPECT_EQ(revised_rows(small.data, {}), nullptr);
  EXPECT_TRUE(Reading{}.as_stored());
  EXPECT_FALSE((Reading{.held_back = true}.as_stored()));
}

}  // namespace
}  // namespace souk::readings_test
