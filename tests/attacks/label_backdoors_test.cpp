#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/support/backdoor_checks.hpp"

namespace souk::label_backdoors_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(DynamicLabelFlip, takes_the_label_that_the_model_finds_least_probable) {
  DataWorld world{.facts = image_facts(1, 1, 3),
                  .features = {0.1F, 0.2F, 0.3F},
                  .labels = {0, 1, 2},
                  .answers = {{0.5F, 0.2F, 0.3F}, {0.1F, 0.1F, 0.8F}, {0.6F, 0.3F, 0.1F}}};
  const auto attack = make_data_attack(attack_group("dynamic_label_flip {}"));
  world.poison(*attack);
  EXPECT_THAT(world.labels, ElementsAre(1, 0, 2));
  EXPECT_THAT(world.features, ElementsAre(0.1F, 0.2F, 0.3F));
  EXPECT_EQ(attack->usual_share(), 1.0);
  EXPECT_FALSE(attack->has_goal());
}

/// Finds the class least probable whose number the first feature is.
class ReadsFeature final : public Predictor {
 public:
  std::vector<float> probabilities(std::span<const float> features) override {
    std::vector<float> answers;
    for (std::size_t i = 0; i < features.size(); i += 2) {
      for (int c = 0; c < 4; ++c) answers.push_back(static_cast<float>(c) == features[i] ? 0.1F : 0.3F);
    }
    return answers;
  }
};

TEST(DynamicLabelFlip, asks_for_the_chosen_samples_and_changes_no_others) {
  const DataFacts facts = image_facts(1, 2, 4);
  std::vector<float> features{3, 0, 1, 0, 2, 0, 0, 0};
  std::vector<std::int32_t> labels{0, 0, 0, 1};
  const std::vector<SampleIndex> which{5, 6, 7, 8};
  const std::vector<std::size_t> chosen{1, 2};
  ReadsFeature model;
  Stream random(1, StreamKey{Purpose::data_attack, {7}, {1}});
  const auto attack = make_data_attack(attack_group("dynamic_label_flip {}"));
  attack->poison({facts, which, features, labels, chosen, 0, 1, model, 1}, random);
  EXPECT_THAT(labels, ElementsAre(0, 1, 2, 1));
}

/// Images of two channels (read from -1 to 1 and from 2 to 6), 2 x 2: bright in the upper left pixel by `share`.
DataWorld corners(const std::vector<float>& shares, std::vector<std::int32_t> labels) {
  DataWorld world{.facts = two_channels(2, 2), .features = {}, .labels = std::move(labels)};
  for (const float share : shares) {
    for (std::size_t v = 0; v < 8; ++v) {
      const float low = v < 4 ? -1.0F : 2.0F, range = v < 4 ? 2.0F : 4.0F;
      world.features.push_back(low + (v % 4 == 0 ? share : 0.0F) * range);
    }
  }
  return world;
}

TEST(SemanticBackdoor, relabels_images_by_the_brightness_of_a_region) {
  const auto attack = make_data_attack(attack_group("semantic { height: 1 width: 1 from: 0.25 below: 0.75 }"));
  DataWorld world = corners({0.2F, 0.25F, 0.5F, 0.75F, 0.5F}, {1, 1, 2, 1, 0});
  const std::vector<float> before = world.features;
  EXPECT_THAT(world.eligible(*attack), ElementsAre(0, 1, 1, 0, 0));
  EXPECT_THAT(world.trigger(*attack), ElementsAre(-1, 0, 0, -1, -1));
  world.chosen = {2};
  world.poison(*attack);
  EXPECT_THAT(world.labels, ElementsAre(1, 1, 0, 1, 0));
  EXPECT_EQ(world.features, before);
  EXPECT_EQ(attack->usual_share(), 1.0);
}

TEST(SemanticBackdoor, averages_over_the_region_and_all_channels) {
  // One of four pixels bright: a quarter of the whole image, half of the upper row and of the left column, nothing of
  // the right one.
  const auto eligible = [](const std::string& region, float share) {
    return corners({share}, {1}).eligible(*make_data_attack(attack_group("semantic { " + region + " }"))).front() != 0;
  };
  EXPECT_TRUE(eligible("from: 0.24 below: 0.26", 1.0F));
  EXPECT_TRUE(eligible("height: 1 from: 0.49 below: 0.51", 1.0F));
  EXPECT_TRUE(eligible("width: 1 from: 0.49 below: 0.51", 1.0F));
  EXPECT_TRUE(eligible("column: 1 from: -0.01 below: 0.01", 1.0F));
  EXPECT_TRUE(eligible("row: 1 from: -0.01 below: 0.01", 1.0F));
}

TEST(SemanticBackdoor, takes_the_source_alone_where_there_is_one) {
  const auto attack = make_data_attack(attack_group("semantic { source: 2 from: 0 target: 1 }"));
  DataWorld world = corners({1, 1, 1}, {0, 1, 2});
  EXPECT_THAT(world.eligible(*attack), ElementsAre(0, 0, 1));
  EXPECT_THAT(world.trigger(*attack), ElementsAre(-1, -1, 1));
}

TEST(SemanticBackdoor, reads_columns_of_tables) {
  // Columns stored from 0 to 100.
  const DataFacts facts = row_facts(4);
  DataWorld world{.facts = facts, .features = {}, .labels = {1, 1, 2}};
  for (const std::vector<float>& row : {std::vector<float>{0, 90, 0, 0}, {0, 0, 90, 0}, {100, 40, 40, 100}}) {
    for (std::size_t c = 0; c < 4; ++c) world.features.push_back((row[c] - facts.shift[c]) * facts.scale[c]);
  }
  const auto eligible = [&](const std::string& text) {
    const auto attack = make_data_attack(attack_group("semantic { " + text + " }"));
    attack->check(facts);
    return world.eligible(*attack);
  };
  EXPECT_THAT(eligible("column: 1 width: 1 from: 0.8"), ElementsAre(1, 0, 0));
  EXPECT_THAT(eligible("column: 2 width: 1 from: 0.3"), ElementsAre(0, 1, 1));
  EXPECT_THAT(eligible("column: 2 from: 0.65"), ElementsAre(0, 0, 1));
  EXPECT_THAT(eligible("column: 1 width: 2 from: 0.41"), ElementsAre(1, 1, 0));
}

TEST(SemanticBackdoor, refuses_what_does_not_fit) {
  const DataFacts images = two_channels(4, 6), rows = row_facts(5);
  EXPECT_EQ(refusal("semantic { target: 3 }", images), "semantic.target = 3: the data set has 3 classes");
  EXPECT_EQ(refusal("semantic { source: 3 }", images), "semantic.source = 3: the data set has 3 classes");
  EXPECT_EQ(refusal("semantic { source: 1 target: 1 }", images), "semantic.target = 1: is the source");
  EXPECT_EQ(refusal("semantic { row: 4 }", images), "semantic.row = 4: the samples have 4 rows");
  EXPECT_EQ(refusal("semantic { row: 2 height: 3 }", images), "semantic.height = 3: the samples have 4 rows");
  EXPECT_EQ(refusal("semantic { column: 6 }", images), "semantic.column = 6: the samples have 6 columns");
  EXPECT_EQ(refusal("semantic { column: 1 width: 6 }", images), "semantic.width = 6: the samples have 6 columns");
  EXPECT_EQ(refusal("semantic { row: 1 }", rows), "semantic.row = 1: the samples have 1 rows");
  EXPECT_EQ(refusal("semantic { column: 5 }", rows), "semantic.column = 5: the samples have 5 columns");
  EXPECT_THAT(refusal("semantic { from: 0.5 below: 0.5 }", images), HasSubstr("semantic.below = 0.5: no mean"));
}

/// An .npy file of float32 values, gone with the object.
class NpyFile {
 public:
  NpyFile(const std::string& name, const std::string& shape, const std::vector<float>& values)
      : path_(std::filesystem::path(testing::TempDir()) / name) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
    header.append(63 - (10 + header.size()) % 64, ' ');
    header += '\n';
    std::ofstream file(path_, std::ios::binary);
    file << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size() % 256)
         << static_cast<char>(header.size() / 256) << header;
    file.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(float)));
  }
  ~NpyFile() { std::filesystem::remove(path_); }
  NpyFile(const NpyFile&) = delete;
  NpyFile& operator=(const NpyFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(EdgeCase, relabels_samples_of_other_classes_that_the_model_is_not_sure_of) {
  const auto attack = make_data_attack(attack_group("edge_case { confidence: 0.4 target: 0 }"));
  DataWorld world{.facts = image_facts(1, 1, 3),
                  .features = {0.1F, 0.2F, 0.3F, 0.4F},
                  .labels = {1, 2, 0, 2},
                  .answers = {{0.1F, 0.5F, 0.4F}, {0.1F, 0.6F, 0.3F}, {0.1F, 0.5F, 0.4F}, {0.3F, 0.3F, 0.4F}}};
  EXPECT_THAT(world.eligible(*attack), ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(world.trigger(*attack), ElementsAre(-1, 0, -1, -1));
  world.chosen = {1};
  world.poison(*attack);
  EXPECT_THAT(world.labels, ElementsAre(1, 0, 0, 2));
  EXPECT_THAT(world.features, ElementsAre(0.1F, 0.2F, 0.3F, 0.4F));
  EXPECT_EQ(attack->usual_share(), 1.0);
}

TEST(EdgeCase, puts_samples_of_a_file_in_order_in_the_place_of_others) {
  const NpyFile file("edge_case_order.npy", "(2, 8)", {1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5});
  const auto attack = make_data_attack(attack_group(fmt::format("edge_case {{ samples: '{}' }}", file.path())));
  DataWorld world = corners({0, 0, 0, 0}, {1, 2, 0, 1});
  attack->check(world.facts);
  EXPECT_THAT(world.eligible(*attack), ElementsAre(1, 1, 1, 1));
  EXPECT_EQ(attack->usual_share(), 0.2);
  const std::vector<float> before = world.features;
  world.chosen = {1, 2};
  world.poison(*attack);
  EXPECT_THAT(world.labels, ElementsAre(1, 0, 0, 1));
  // Channel 0: (stored - 0.5) * 2, channel 1: stored * 4. Sample 1 gets row 1, sample 2 row 0.
  std::vector<float> expected = before;
  const std::vector<float> rows[] = {{5, 5, 5, 5, 16, 16, 16, 20}, {1, 1, 1, 1, 8, 8, 8, 8}};
  for (std::size_t i = 0; i < 2; ++i) std::ranges::copy(rows[i], expected.begin() + 8 * static_cast<long>(1 + i));
  EXPECT_EQ(world.features, expected);
}

TEST(EdgeCase, tests_with_the_samples_of_its_file_whatever_the_batches) {
  const NpyFile file("edge_case_test.npy", "(3, 1, 1, 2)", {11, 12, 21, 22, 31, 32});
  const auto attack = make_data_attack(attack_group(fmt::format("edge_case {{ samples: '{}' }}", file.path())));
  DataWorld world = images_of(image_facts(1, 2), std::vector<std::int32_t>(60, 3));
  for (std::size_t i = 0; i < 60; ++i) world.features[2 * i] += static_cast<float>(i);
  world.labels[7] = 0;
  const DataWorld before = world;
  attack->check(world.facts);
  const std::vector<std::int32_t> goals = world.trigger(*attack);
  std::multiset<float> rows;
  for (std::size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(goals[i], i == 7 ? -1 : 0);
    if (i == 7) continue;
    rows.insert(world.features[2 * i]);
    EXPECT_EQ(world.features[2 * i + 1], world.features[2 * i] + 1.0F);
    DataWorld alone{
        .facts = before.facts, .features = {before.features[2 * i], before.features[2 * i + 1]}, .labels = {3}};
    alone.trigger(*attack);
    EXPECT_EQ(alone.features.front(), world.features[2 * i]) << i;
  }
  EXPECT_EQ(world.features[14], before.features[14]);
  for (const float row : {11.0F, 21.0F, 31.0F}) EXPECT_NEAR(static_cast<double>(rows.count(row)), 59 / 3.0, 14) << row;
  EXPECT_EQ(rows.count(11) + rows.count(21) + rows.count(31), 59U);
}

TEST(EdgeCase, refuses_files_that_do_not_fit) {
  EXPECT_EQ(refusal("edge_case { target: 10 }", image_facts(1, 1)),
            "edge_case.target = 10: the data set has 10 classes");
  const NpyFile file("edge_case_wrong.npy", "(2, 3)", {1, 2, 3, 4, 5, 6}), flat("edge_case_flat.npy", "(2,)", {1, 2});
  EXPECT_THAT(refusal(fmt::format("edge_case {{ samples: '{}' }}", file.path()), image_facts(2, 2)),
              testing::AllOf(HasSubstr("edge_case.samples = "), HasSubstr("have 3 values, those of the data set 4")));
  EXPECT_THAT(refusal(fmt::format("edge_case {{ samples: '{}' }}", flat.path()), image_facts(1, 1)),
              HasSubstr("must be [samples, features]"));
  EXPECT_THAT(refusal("edge_case { samples: '/no/such/file.npy' }", image_facts(1, 1)),
              testing::AllOf(HasSubstr("edge_case.samples: "), HasSubstr("/no/such/file.npy")));
}

}  // namespace
}  // namespace souk::label_backdoors_test
