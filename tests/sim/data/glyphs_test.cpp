#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::glyphs_test {
namespace {

using testing::Each;
using namespace test;

scenario::Data glyphs(double difficulty = 1.0) {
  scenario::Data data;
  data.mutable_glyphs()->set_train_samples(1000);
  data.mutable_glyphs()->set_test_samples(100);
  data.mutable_glyphs()->set_difficulty(difficulty);
  return data;
}

TEST(Glyphs, are_the_same_for_the_same_seed_only) {
  const Loaded once = load(glyphs(), Split::train, 5);

  EXPECT_EQ(load(glyphs(), Split::train, 5).u8, once.u8);
  EXPECT_NE(load(glyphs(), Split::train, 6).u8, once.u8);
}

TEST(Glyphs, differ_between_training_and_test) {
  const Loaded train = load(glyphs(), Split::train), test = load(glyphs(), Split::test);

  EXPECT_NE(Bytes(train.u8.begin(), train.u8.begin() + 784), Bytes(test.u8.begin(), test.u8.begin() + 784));
}

TEST(Glyphs, are_independent_rows) {
  const auto reader = open_dataset(glyphs(), {3});

  const Loaded all = load(*reader, Split::train, RowRange{0, 100});
  Loaded head = load(*reader, Split::train, RowRange{0, 37});
  const Loaded tail = load(*reader, Split::train, RowRange{37, 100});
  head.u8.insert(head.u8.end(), tail.u8.begin(), tail.u8.end());
  head.labels.insert(head.labels.end(), tail.labels.begin(), tail.labels.end());

  EXPECT_TRUE(reader->rows_are_independent());
  EXPECT_EQ(head.u8, all.u8);
  EXPECT_EQ(head.labels, all.labels);
}

TEST(Glyphs, do_not_depend_on_how_many_there_are) {
  scenario::Data few = glyphs();
  few.mutable_glyphs()->set_train_samples(10);

  const Loaded ten = load(few, Split::train), thousand = load(glyphs(), Split::train);

  EXPECT_TRUE(std::equal(ten.u8.begin(), ten.u8.end(), thousand.u8.begin()));
}

TEST(Glyphs, hold_every_class_equally_often) {
  const Loaded train = load(glyphs(), Split::train);

  std::vector<int> counts(10);
  for (const std::int32_t label : train.labels) ++counts[static_cast<std::size_t>(label)];

  EXPECT_THAT(counts, Each(100));
}

TEST(Glyphs, without_difficulty_are_ten_clean_images_apart_from_each_other) {
  const Loaded train = load(glyphs(0), Split::train);
  const auto image = [&train](std::size_t i) {
    return Bytes(train.u8.begin() + static_cast<long>(i * 784), train.u8.begin() + static_cast<long>((i + 1) * 784));
  };

  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(image(i), image(i + 10));
    EXPECT_EQ(image(i)[0], 0);
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(image(i), image(j));
  }
}

TEST(Glyphs, keep_the_bits_they_were_calibrated_with) {
  const Loaded train = load(glyphs(), Split::train, 1);

  const auto crc = static_cast<std::uint32_t>(crc32(0, train.u8.data(), static_cast<uInt>(train.u8.size())));

  EXPECT_EQ(crc, 2331238924u);
}

TEST(Glyphs, are_drawn_at_the_hardest_setting) {
  const Loaded train = load(glyphs(3), Split::train);

  EXPECT_GT(std::accumulate(train.u8.begin(), train.u8.end(), 0.0), 0.0);
}

}  // namespace
}  // namespace souk::glyphs_test
