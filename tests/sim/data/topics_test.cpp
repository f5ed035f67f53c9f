#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::topics_test {
namespace {

using testing::HasSubstr;
using namespace test;

scenario::Data topics(double noise, std::uint32_t samples = 3000) {
  scenario::Data data;
  scenario::Topics& topics = *data.mutable_topics();
  topics.set_train_samples(samples), topics.set_test_samples(300), topics.set_classes(4), topics.set_length(20);
  topics.set_vocabulary(80), topics.set_noise(noise);  // 10 words a class, 40 shared
  return data;
}

std::vector<std::vector<std::size_t>> texts_of(const Loaded& split) {
  const std::size_t length = split.shape.features();
  std::vector<std::vector<std::size_t>> texts(split.labels.size());
  for (std::size_t i = 0; i < split.f32.size(); ++i) {
    if (split.f32[i] != 0.0F) texts[i / length].push_back(static_cast<std::size_t>(split.f32[i]));
  }
  return texts;
}

TEST(Topics, are_texts_of_half_to_all_of_their_length_followed_by_padding) {
  const Loaded train = load(topics(0.5), Split::train);
  std::map<std::size_t, int> lengths;

  for (std::size_t i = 0; i < train.labels.size(); ++i) {
    const float* row = train.f32.data() + i * 20;
    const auto words = static_cast<std::size_t>(std::find(row, row + 20, 0.0F) - row);
    EXPECT_TRUE(std::all_of(row + words, row + 20, [](float token) { return token == 0.0F; }));
    ++lengths[words];
    for (std::size_t w = 0; w < words; ++w) EXPECT_TRUE(row[w] >= 2.0F && row[w] < 82.0F) << row[w];
  }

  EXPECT_EQ(lengths.begin()->first, 10U);
  EXPECT_EQ(lengths.rbegin()->first, 20U);
  for (const auto& [length, count] : lengths) EXPECT_NEAR(count, 3000.0 / 11, 4 * std::sqrt(3000.0 / 11)) << length;
  EXPECT_EQ(train.shape.vocabulary, 82U);
  EXPECT_EQ(train.shape.class_names.size(), 4U);
}

TEST(Topics, without_noise_share_no_word_and_with_nothing_else_all) {
  const auto words_of_classes = [](double noise) {
    const Loaded train = load(topics(noise), Split::train);
    const auto texts = texts_of(train);
    std::vector<std::set<std::size_t>> words(4);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      words[static_cast<std::size_t>(train.labels[i])].insert(texts[i].begin(), texts[i].end());
    }
    return words;
  };
  std::set<std::size_t> own, shared;
  for (const auto& words : words_of_classes(0.0)) {
    EXPECT_EQ(words.size(), 10U);
    own.insert(words.begin(), words.end());
  }
  EXPECT_EQ(own.size(), 40U);  // no word belongs to two classes
  for (const auto& words : words_of_classes(1.0)) {
    EXPECT_EQ(words.size(), 40U);
    shared.insert(words.begin(), words.end());
  }
  EXPECT_EQ(shared.size(), 40U);
  for (const std::size_t word : own) EXPECT_EQ(shared.count(word), 0U);
}

TEST(Topics, have_words_in_zipfs_proportions_and_the_share_of_noise_asked_for) {
  std::map<std::size_t, double> counts;
  double all = 0;
  for (const auto& text : texts_of(load(topics(1.0), Split::train))) {
    for (const std::size_t word : text) ++counts[word], ++all;
  }
  std::vector<double> falling;
  for (const auto& [word, count] : counts) falling.push_back(count);
  std::sort(falling.rbegin(), falling.rend());
  double harmonic = 0;
  for (int rank = 1; rank <= 40; ++rank) harmonic += 1.0 / rank;
  for (std::size_t rank = 1; rank <= 8; ++rank) {
    const double expected = all / harmonic / static_cast<double>(rank);
    EXPECT_NEAR(falling[rank - 1], expected, 5 * std::sqrt(expected)) << rank;
  }

  double noisy = 0, words = 0;
  for (const auto& text : texts_of(load(topics(0.3), Split::train))) {
    for (const std::size_t word : text) noisy += static_cast<double>(counts.count(word)), ++words;
  }
  EXPECT_NEAR(noisy / words, 0.3, 5 * std::sqrt(0.3 * 0.7 / words));
}

TEST(Topics, depend_on_the_seed_and_on_nothing_that_was_read_before) {
  const Loaded all = load(topics(0.5), Split::train), other = load(topics(0.5), Split::train, 2);
  EXPECT_NE(all.f32, other.f32);
  EXPECT_NE(all.f32, load(topics(0.5), Split::test).f32);
  const auto reader = open_dataset(topics(0.5), {.seed = 1});
  ASSERT_TRUE(reader->rows_are_independent());
  const Loaded part = load(*reader, Split::train, RowRange{700, 705});
  EXPECT_TRUE(std::equal(part.f32.begin(), part.f32.end(), all.f32.begin() + 700 * 20));
  EXPECT_TRUE(std::equal(part.labels.begin(), part.labels.end(), all.labels.begin() + 700));
  const Loaded shorter = load(topics(0.5, 50), Split::train);
  EXPECT_TRUE(std::equal(shorter.f32.begin(), shorter.f32.end(), all.f32.begin()));
}

TEST(Topics, need_a_word_for_every_class) {
  scenario::Data data = topics(0.5);
  data.mutable_topics()->set_classes(41);
  EXPECT_THAT(load_error(data), HasSubstr("task.data.topics.vocabulary = 80: must be at least 82"));
  data.mutable_topics()->set_classes(40);
  EXPECT_EQ(load_error(data), "");
}

}  // namespace
}  // namespace souk::topics_test
