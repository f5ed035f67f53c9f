#include <algorithm>

#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::trec_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

class TrecFiles : public testing::Test {
 protected:
  TrecFiles() {
    scenario::Trec& trec = *data.mutable_trec();
    trec.set_train(directory / "train"), trec.set_test(directory / "test");
    trec.mutable_text()->set_length(4), trec.mutable_text()->set_min_count(1);
  }
  void write(const std::string& train, const std::string& test) {
    write_file(directory / "train", train);
    write_file(directory / "test", test);
  }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(TrecFiles, become_rows_of_tokens_with_classes_in_ascending_order) {
  write("NUM:date When was X ?\r\n\nHUM:ind Who was X\nNUM:dist How far is X from Y ?\n", "HUM:desc Who is Z");

  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  // x 3; was 2; far, from, how, is, when, who, y 1
  EXPECT_THAT(train.f32, ElementsAre(8, 3, 2, 0, 9, 3, 2, 0, 6, 4, 7, 2));
  EXPECT_THAT(train.labels, ElementsAre(1, 0, 1));
  EXPECT_THAT(train.shape.class_names, ElementsAre("HUM", "NUM"));
  EXPECT_THAT(train.shape.sample_shape, ElementsAre(4, 1, 1));
  EXPECT_EQ(train.shape.vocabulary, 11U);
  EXPECT_THAT(test.f32, ElementsAre(9, 7, 1, 0));  // z is no word of the training file
  EXPECT_THAT(test.labels, ElementsAre(0));
  EXPECT_EQ(test.shape.vocabulary, 11U);
}

TEST_F(TrecFiles, have_fine_classes_if_asked_for) {
  write("NUM:date When\nHUM:ind Who\nNUM:dist How far", "HUM:ind Who");
  data.mutable_trec()->set_labels(scenario::Trec::FINE);

  EXPECT_THAT(load(data, Split::train).shape.class_names, ElementsAre("HUM:ind", "NUM:date", "NUM:dist"));
  EXPECT_THAT(load(data, Split::train).labels, ElementsAre(1, 0, 2));
}

TEST_F(TrecFiles, are_read_in_parts_as_in_whole) {
  write("A:a one two\nB:b three four five six\nA:a one", "A:a two");
  const auto reader = open_dataset(data, {});

  const Loaded whole = load(*reader, Split::train), part = load(*reader, Split::train, RowRange{1, 3});

  EXPECT_TRUE(std::equal(part.f32.begin(), part.f32.end(), whole.f32.begin() + 4, whole.f32.end()));
  EXPECT_THAT(part.labels, ElementsAre(1, 0));
}

TEST_F(TrecFiles, that_are_malformed_are_refused_with_file_and_line) {
  const std::string good = "A:a one\nB:b two\n";
  for (const char* bad : {"A:a one\nnothing here\n", "A:a one\n:b two\n", "A:a one\nB: two\n"}) {
    write(bad, good);
    EXPECT_THAT(load_error(data), HasSubstr("train: line 2: does not begin with COARSE:fine")) << bad;
  }
  write(good, "A:a one\n\nC:c three\n");
  EXPECT_THAT(load_error(data), HasSubstr("test: line 3: label \"C\" is in no line of the training file"));
  write("\n\n", good);
  EXPECT_THAT(load_error(data), HasSubstr("train: has no question"));
  write("A:a one\n", "A:a two\n");
  EXPECT_THAT(load_error(data), HasSubstr("1 class, needs at least 2"));
  data.mutable_trec()->set_test("");
  EXPECT_THAT(load_error(data), testing::StartsWith("task.data.trec.test: is empty"));
  data.mutable_trec()->set_train(directory / "nowhere");
  data.mutable_trec()->set_test(directory / "test");
  EXPECT_THAT(load_error(data), HasSubstr("nowhere: no such file"));
}

TEST_F(TrecFiles, that_are_damaged_are_refused_or_read) {
  write("NUM:date When was X ?\nHUM:ind Who was X\nNUM:dist How far is X from Y ?\n", "HUM:ind Who is Z\n");
  survive_damage(directory / "train", [this] { load(data, Split::train), load(data, Split::test); });
  EXPECT_EQ(load_error(data), "");
}

TEST(RealTrec, has_the_published_counts) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  data.mutable_trec()->set_train(*real_data() + "/trec/train_5500.label");
  data.mutable_trec()->set_test(*real_data() + "/trec/TREC_10.label");

  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  const auto counts = [](const Loaded& split) {
    std::vector<int> of_class(6);
    for (const std::int32_t label : split.labels) ++of_class[static_cast<std::size_t>(label)];
    return of_class;
  };
  EXPECT_THAT(train.shape.class_names, ElementsAre("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"));
  EXPECT_THAT(counts(train), ElementsAre(86, 1162, 1250, 1223, 835, 896));
  EXPECT_THAT(counts(test), ElementsAre(9, 138, 94, 65, 81, 113));
  data.mutable_trec()->set_labels(scenario::Trec::FINE);
  EXPECT_EQ(load(data, Split::train).shape.class_names.size(), 50U);
  EXPECT_EQ(load_error(data), "");
}

}  // namespace
}  // namespace souk::trec_test
