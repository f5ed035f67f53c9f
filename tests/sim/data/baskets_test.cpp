#include <algorithm>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::baskets_test {
namespace {

using testing::Each;
using testing::ElementsAre;
using namespace test;

constexpr std::size_t features = 200, classes = 4;

scenario::Data baskets(double overlap, std::uint32_t rows = 4000) {
  scenario::Data data;
  scenario::Baskets& config = *data.mutable_baskets();
  config.set_train_samples(rows);
  config.set_test_samples(rows);
  config.set_classes(classes);
  config.set_features(features);
  config.set_overlap(overlap);
  return data;
}

/// How often each feature is 1 in the rows of each class, or with one class in all rows.
std::vector<std::vector<double>> rates(const Loaded& loaded, std::size_t of_classes) {
  std::vector<std::vector<double>> means(of_classes, std::vector<double>(features));
  const double each = static_cast<double>(loaded.labels.size()) / static_cast<double>(of_classes);
  for (std::size_t i = 0; i < loaded.labels.size(); ++i) {
    auto& mean = means[static_cast<std::size_t>(loaded.labels[i]) % of_classes];
    for (std::size_t f = 0; f < features; ++f) mean[f] += static_cast<double>(loaded.f32[i * features + f]) / each;
  }
  return means;
}

TEST(Baskets, are_binary_rows_of_classes_in_turn) {
  const Loaded train = load(baskets(0.8, 10), Split::train);

  EXPECT_THAT(train.shape.sample_shape, ElementsAre(features, 1, 1));
  EXPECT_THAT(train.shape.class_names, ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(train.labels, ElementsAre(0, 1, 2, 3, 0, 1, 2, 3, 0, 1));
  EXPECT_THAT(train.f32, Each(testing::AnyOf(0.0F, 1.0F)));
  EXPECT_GT(std::ranges::count(train.f32, 1.0F), 0);
}

TEST(Baskets, are_the_same_for_the_same_seed_only_and_differ_between_training_and_test) {
  const Loaded once = load(baskets(0.8), Split::train, 5);

  EXPECT_EQ(load(baskets(0.8), Split::train, 5).f32, once.f32);
  EXPECT_NE(load(baskets(0.8), Split::train, 6).f32, once.f32);
  EXPECT_NE(load(baskets(0.8), Split::test, 5).f32, once.f32);
}

TEST(Baskets, are_independent_rows_however_many_there_are) {
  const auto reader = open_dataset(baskets(0.8, 100), {3});

  const Loaded all = load(*reader, Split::train, RowRange{0, 100});
  const Loaded tail = load(*reader, Split::train, RowRange{37, 100});

  EXPECT_TRUE(reader->rows_are_independent());
  EXPECT_TRUE(std::equal(tail.f32.begin(), tail.f32.end(), all.f32.begin() + 37 * features));
  EXPECT_TRUE(std::equal(tail.labels.begin(), tail.labels.end(), all.labels.begin() + 37));
  EXPECT_EQ(load(baskets(0.8, 200), Split::train, 3).f32[99 * features], all.f32[99 * features]);
}

TEST(Baskets, without_overlap_have_one_row_per_class_the_same_in_training_and_test) {
  const Loaded train = load(baskets(0, 40), Split::train), test = load(baskets(0, 40), Split::test);
  const auto row = [](const Loaded& from, std::size_t i) {
    return std::vector<float>(from.f32.begin() + static_cast<long>(i * features),
                              from.f32.begin() + static_cast<long>((i + 1) * features));
  };
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(row(train, i), row(test, i % classes));
    EXPECT_EQ(row(train, i) == row(train, 0), i % classes == 0);
  }
}

TEST(Baskets, with_full_overlap_have_no_classes) {
  // Rates of a class and of all differ by sampling alone: variance p (1 - p) (1/1000 - 1/4000), so the mean square of
  // what is left, over p (1 - p), is 0.00075; 800 of them give it to 5 % (one standard deviation).
  const Loaded train = load(baskets(1), Split::train);
  const auto of_class = rates(train, classes), of_all = rates(train, 1);
  double sum = 0.0;
  for (const auto& mean : of_class) {
    for (std::size_t f = 0; f < features; ++f) {
      const double p = of_all[0][f];
      sum += (mean[f] - p) * (mean[f] - p) / (p * (1.0 - p));
    }
  }
  EXPECT_NEAR(sum / (classes * features), 0.00075, 0.00015);
}

TEST(Baskets, have_in_every_class_one_of_the_two_rates_that_overlap_allows) {
  // Frequencies q are the rates at full overlap; a class has a feature at 0.6 q or at 0.4 + 0.6 q.
  const auto frequency = rates(load(baskets(1, 40'000), Split::train), 1)[0];
  const auto of_class = rates(load(baskets(0.6, 40'000), Split::train), classes);
  double typical = 0.0, expected = 0.0;
  for (std::size_t f = 0; f < features; ++f) {
    EXPECT_GE(frequency[f], 0.09);
    EXPECT_LE(frequency[f], 0.51);
    for (const auto& mean : of_class) {
      const bool has_it = mean[f] > 0.2 + 0.6 * frequency[f];
      EXPECT_NEAR(mean[f], 0.6 * frequency[f] + (has_it ? 0.4 : 0.0), 0.025);  // five standard errors
      typical += has_it ? 1.0 : 0.0;
      expected += frequency[f];
    }
  }
  EXPECT_NEAR(typical, expected, 4 * std::sqrt(0.21 * classes * features));  // of a Bernoulli draw each
}

}  // namespace
}  // namespace souk::baskets_test
