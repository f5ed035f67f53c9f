#include "sim/data/dataset.hpp"

#include <cmath>

#include <gmock/gmock.h>

namespace souk::dataset_test {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;

// Two channels of 1 x 2 pixels, three samples.
DatasetShape image_shape() { return {3, {2, 1, 2}, Element::u8, {"a", "b"}, 0}; }

TEST(Dataset, copies_the_asked_samples_shifted_and_scaled_per_channel) {
  std::vector<std::uint8_t> bytes{0, 1, 2, 3, 10, 20, 30, 40, 100, 110, 120, 255};
  std::vector<std::int32_t> labels{0, 1, 0};
  const Dataset data(image_shape(), {bytes, {}, labels, {}}, {{1.0f, 2.0f}, {2.0f, 0.5f}});
  const std::vector<SampleIndex> which{2, 0};
  std::vector<float> out(8);

  data.copy_features(which, out);

  EXPECT_THAT(out, ElementsAre(198, 218, 59, 126.5f, -2, 0, 0, 0.5f));
}

TEST(Dataset, scales_every_column_of_a_table_by_its_own) {
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  std::vector<std::int32_t> labels{0, 1};
  const Dataset data({2, {3, 1, 1}, Element::f32, {"a", "b"}, 0}, {{}, values, labels, {}}, {{1, 1, 1}, {1, 10, 100}});
  const std::vector<SampleIndex> which{1};
  std::vector<float> out(3);

  data.copy_features(which, out);

  EXPECT_THAT(out, ElementsAre(3, 40, 500));
}

TEST(StandardScaling, of_bytes_is_the_exact_mean_and_population_deviation) {
  std::vector<std::uint8_t> bytes{0, 2, 7, 7, 4, 6, 7, 7, 0, 0, 7, 7};  // second channel constant

  const Scaling scaling = fit_standard_scaling(image_shape(), {bytes, {}, {}, {}});

  EXPECT_THAT(scaling.shift, ElementsAre(2.0f, 7.0f));
  EXPECT_THAT(scaling.scale, ElementsAre(FloatEq(static_cast<float>(std::sqrt(6.0 / 32.0))), 1.0f));  // var 32/6
}

TEST(StandardScaling, of_many_bytes_does_not_overflow) {
  std::vector<std::uint8_t> bytes(200'000, 255);
  bytes[0] = 0;

  const Scaling scaling = fit_standard_scaling({2, {1, 1, 100'000}, Element::u8, {"a", "b"}, 0}, {bytes, {}, {}, {}});

  const double mean = 255.0 * 199'999 / 200'000, std = 255.0 * std::sqrt(199'999.0) / 200'000;
  EXPECT_FLOAT_EQ(scaling.shift[0], static_cast<float>(mean));
  EXPECT_FLOAT_EQ(scaling.scale[0], static_cast<float>(1.0 / std));
}

TEST(StandardScaling, of_floats_far_from_zero_keeps_its_digits) {
  std::vector<float> values{1'000'001, 0.1f, 1'000'003, 0.1f, 1'000'001, 0.1f, 1'000'003, 0.1f};

  const Scaling scaling = fit_standard_scaling({4, {2, 1, 1}, Element::f32, {"a", "b"}, 0}, {{}, values, {}, {}});

  EXPECT_THAT(scaling.shift, ElementsAre(1'000'002.0f, 0.1f));
  EXPECT_THAT(scaling.scale, ElementsAre(FloatNear(1.0f, 1e-6f), 1.0f));
}

TEST(UnitScaling, divides_bytes_by_255_and_leaves_floats) {
  EXPECT_THAT(unit_scaling(image_shape()).scale, ElementsAre(1.0f / 255.0f, 1.0f / 255.0f));
  EXPECT_THAT(unit_scaling({1, {1, 1, 1}, Element::f32, {}, 0}).scale, ElementsAre(1.0f));
  EXPECT_THAT(raw_scaling(image_shape()).scale, ElementsAre(1.0f, 1.0f));
}

}  // namespace
}  // namespace souk::dataset_test
