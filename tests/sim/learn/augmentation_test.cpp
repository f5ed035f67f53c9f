#include "sim/learn/augmentation.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/learn/fixtures.hpp"

namespace souk::augmentation_test {
namespace {

using ::testing::UnorderedElementsAre;
using Image = std::vector<float>;

/// All outcomes of many draws for one image.
std::set<Image> outcomes(bool flip, std::size_t shift, const std::array<std::size_t, 3>& shape, const Image& image) {
  Augmenter augmenter(flip, shift, shape);
  Stream random = fixtures::stream();
  std::set<Image> seen;
  for (int draw = 0; draw < 300; ++draw) {
    Image changed = image;
    augmenter.apply(random, changed);
    seen.insert(changed);
  }
  return seen;
}

TEST(Augmentation, mirrors_every_channel_alike) {
  EXPECT_THAT(outcomes(true, 0, {2, 1, 3}, {1, 2, 3, 4, 5, 6}),
              UnorderedElementsAre(Image{1, 2, 3, 4, 5, 6}, Image{3, 2, 1, 6, 5, 4}));
}

TEST(Augmentation, shifts_by_up_to_the_padding_and_fills_with_zero) {
  EXPECT_THAT(outcomes(false, 1, {1, 1, 2}, {1, 2}),
              UnorderedElementsAre(Image{1, 2}, Image{0, 1}, Image{2, 0}, Image{0, 0}));
}

TEST(Augmentation, is_off_by_default) {
  EXPECT_FALSE(Augmenter(false, 0, {1, 4, 4}).active());
  EXPECT_THAT(outcomes(false, 0, {1, 1, 2}, {1, 2}), UnorderedElementsAre(Image{1, 2}));
}

}  // namespace
}  // namespace souk::augmentation_test
