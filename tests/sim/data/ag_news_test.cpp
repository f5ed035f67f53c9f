#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::ag_news_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

class AgNewsFiles : public testing::Test {
 protected:
  AgNewsFiles() {
    data.mutable_ag_news()->set_train(directory / "train.csv");
    data.mutable_ag_news()->set_test(directory / "test.csv");
    data.mutable_ag_news()->mutable_text()->set_length(5);
    data.mutable_ag_news()->mutable_text()->set_min_count(1);
  }
  void write(const std::string& train, const std::string& test) {
    write_file(directory / "train.csv", train);
    write_file(directory / "test.csv", test);
  }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(AgNewsFiles, become_rows_of_tokens_title_first) {
  write("\"3\",\"Oil up\",\"Oil \"\"up\"\", up,\\again\"\n\"1\",\"Vote\",\"\"\n", "\"3\",\"A vote\",\"on oil\"\n");

  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  // up 3, oil 2, again 1, vote 1
  EXPECT_THAT(train.f32, ElementsAre(3, 2, 3, 2, 2, 5, 0, 0, 0, 0));
  EXPECT_THAT(train.labels, ElementsAre(1, 0));
  EXPECT_THAT(train.shape.class_names, ElementsAre("1", "3"));
  EXPECT_EQ(train.shape.vocabulary, 6U);
  EXPECT_THAT(test.f32, ElementsAre(1, 5, 1, 3, 0));
  EXPECT_THAT(test.labels, ElementsAre(1));
}

TEST_F(AgNewsFiles, may_have_a_header_and_other_columns_of_text) {
  write("label,content\n1,one two\n2,three\n", "2,three,one,two\n");

  EXPECT_THAT(load(data, Split::train).labels, ElementsAre(0, 1));
  EXPECT_THAT(load(data, Split::test).f32, ElementsAre(3, 2, 4, 0, 0));  // one, three, two
}

TEST_F(AgNewsFiles, are_split_by_the_seed_where_no_test_file_is_named) {
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += std::to_string(1 + i % 2) + ",w" + std::to_string(i) + "\n";
  write(lines, "");
  data.mutable_ag_news()->set_test("");
  data.mutable_ag_news()->set_test_fraction(0.25);

  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  EXPECT_EQ(train.labels.size(), 30U);
  EXPECT_EQ(test.labels.size(), 10U);
  EXPECT_EQ(train.shape.vocabulary, 32U);  // the words of test lines are not known
  std::set<float> words;
  for (std::size_t row = 0; row < 30; ++row) words.insert(train.f32[row * 5]);
  EXPECT_EQ(words.size(), 30U);
  for (std::size_t row = 0; row < 10; ++row) EXPECT_EQ(test.f32[row * 5], 1.0F);
  EXPECT_EQ(load(data, Split::train).labels, train.labels);
  EXPECT_NE(load(data, Split::train, 2).labels, train.labels);
}

TEST_F(AgNewsFiles, may_be_packed) {
  const std::string lines = "1,one two\n2,three\n";
  write(lines, lines);
  const Loaded plain = load(data, Split::train);
  write_file(directory / "train.csv", gzip(Bytes(lines.begin(), lines.end())));

  EXPECT_EQ(load(data, Split::train).f32, plain.f32);
}

TEST_F(AgNewsFiles, that_are_malformed_are_refused_with_file_and_line) {
  const std::string good = "1,one\n2,two\n";
  for (const char* number : {"0", "1.5", "-1", "word", "", "70000", "1e300"}) {
    write("1,one\n" + std::string(number) + ",two\n", good);
    EXPECT_THAT(load_error(data), HasSubstr("train.csv: line 2: class \"" + std::string(number) + "\"")) << number;
  }
  write(good, "2,two\n3,three\n");
  EXPECT_THAT(load_error(data), HasSubstr("test.csv: line 2: label \"3\" is in no line of the training file"));
  write("1\n2\n", good);
  EXPECT_THAT(load_error(data), HasSubstr("train.csv: line 1: has no column of text"));
  write("label,content\n", good);
  EXPECT_THAT(load_error(data), HasSubstr("train.csv: has no row beside its header"));
  write("1,one\n", good);
  data.mutable_ag_news()->set_test("");
  EXPECT_THAT(load_error(data), HasSubstr("train.csv: one sample cannot be split"));
  data.mutable_ag_news()->set_train("");
  EXPECT_THAT(load_error(data), testing::StartsWith("task.data.ag_news.train: is empty"));
}

TEST_F(AgNewsFiles, that_are_damaged_are_refused_or_read) {
  const std::string lines = "\"1\",\"Oil \"\"up\"\"\",\"one two\"\n\"2\",\"Vote\",\"three\"\n";
  write(lines, lines);
  survive_damage(directory / "train.csv", [this] { load(data, Split::train), load(data, Split::test); });
  EXPECT_EQ(load_error(data), "");
}

TEST(RealAgNews, has_the_published_counts) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  data.mutable_ag_news()->set_train(*real_data() + "/ag_news/jointmatch_dev.csv");
  data.mutable_ag_news()->set_test(*real_data() + "/ag_news/test.csv");

  for (const auto& [split, each] : {std::pair(Split::train, 2000), std::pair(Split::test, 1900)}) {
    const Loaded loaded = load(data, split);
    EXPECT_EQ(loaded.shape.vocabulary, 10002U);
    for (int c = 0; c < 4; ++c) EXPECT_EQ(std::count(loaded.labels.begin(), loaded.labels.end(), c), each);
  }
}

}  // namespace
}  // namespace souk::ag_news_test
