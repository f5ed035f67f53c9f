#include <set>

#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "tests/sim/data/support.hpp"

namespace souk::lines_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace test;

class Lines : public testing::Test {
 protected:
  Lines() {
    lines().set_train(directory / "train.txt"), lines().set_test(directory / "test.txt");
    lines().mutable_text()->set_length(3);
    lines().mutable_text()->set_min_count(1);
  }
  scenario::Lines& lines() { return *data.mutable_lines(); }
  void write(const std::string& train, const std::string& test) {
    write_file(directory / "train.txt", train);
    write_file(directory / "test.txt", test);
  }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(Lines, begin_with_a_label_and_a_tab) {
  write(
      "\xEF\xBB\xBF"
      "ham\tsee you\r\nspam two\tsee it\n\n \nham\tsee\n",
      "spam two\tyou\tit\r");

  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  EXPECT_THAT(train.shape.class_names, ElementsAre("ham", "spam two"));
  EXPECT_THAT(train.labels, ElementsAre(0, 1, 0));
  EXPECT_THAT(train.f32, ElementsAre(2, 4, 0, 2, 3, 0, 2, 0, 0));  // see, it, you
  EXPECT_EQ(train.shape.vocabulary, 5U);
  EXPECT_THAT(test.f32, ElementsAre(4, 3, 0));
  EXPECT_THAT(test.labels, ElementsAre(1));
}

TEST_F(Lines, begin_with_a_label_and_a_space) {
  lines().set_layout(scenario::Lines::LABEL_SPACE_TEXT);
  write("10 a b\n9 b\n", "9.0 a\n");

  EXPECT_THAT(load(data, Split::train).shape.class_names, ElementsAre("9", "10"));  // by value
  EXPECT_THAT(load(data, Split::train).labels, ElementsAre(1, 0));
  EXPECT_THAT(load(data, Split::test).labels, ElementsAre(0));  // equal as a number
}

TEST_F(Lines, may_be_a_table_with_named_columns) {
  lines().set_layout(scenario::Lines::TABLE);
  lines().set_label_column("stars");
  lines().add_text_column("title"), lines().add_text_column("body");
  write("id,title,body,stars\n1,a,\"b, c\",5\n2,\"b\nb\",c,1\n", "id,title,body,stars\n9,c,a,5\n");

  const Loaded train = load(data, Split::train);

  EXPECT_THAT(train.shape.class_names, ElementsAre("1", "5"));
  EXPECT_THAT(train.f32, ElementsAre(4, 2, 3, 2, 2, 3));  // b 3, c 2, a 1
  EXPECT_THAT(load(data, Split::test).f32, ElementsAre(3, 4, 0));
}

TEST_F(Lines, of_glues_tables_hold_quotes_that_close_nothing) {
  lines().set_layout(scenario::Lines::TABLE);
  lines().set_separator("\t");
  lines().add_text_column("sentence");
  write("sentence\tlabel\n\"so it goes\t1\nthe end\t0\n", "sentence\tlabel\nend\"\t1\n");
  EXPECT_THAT(load_error(data), HasSubstr("a quote is never closed"));

  lines().set_quotes(false);

  EXPECT_THAT(load(data, Split::train).labels, ElementsAre(1, 0));
  EXPECT_THAT(load(data, Split::test).labels, ElementsAre(1));
}

TEST_F(Lines, are_split_where_no_test_file_is_named_and_every_class_is_trained) {
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += (i == 3 ? "rare\tw" : i % 2 == 0 ? "even\tw" : "odd\tw") + std::to_string(i) + "\n";
  write(text, "");
  lines().set_test("");
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const Loaded train = load(data, Split::train, seed);
    EXPECT_THAT(std::set<std::int32_t>(train.labels.begin(), train.labels.end()), ElementsAre(0, 1, 2)) << seed;
    EXPECT_EQ(train.labels.size() + load(data, Split::test, seed).labels.size(), 60U);
  }
  EXPECT_NE(load(data, Split::test, 1).labels, load(data, Split::test, 2).labels);
  lines().set_split_seed(5);
  EXPECT_EQ(load(data, Split::test, 1).labels, load(data, Split::test, 2).labels);
}

TEST_F(Lines, that_are_malformed_are_refused_with_file_and_line) {
  const std::string good = "a\tx\nb\ty\n";
  write("a\tx\nb y\n", good);
  EXPECT_THAT(load_error(data), HasSubstr("train.txt: line 2: has no tab between a label and a text"));
  write("a\tx\n\n\ty\n", good);
  EXPECT_THAT(load_error(data), HasSubstr("train.txt: line 3: the label is missing"));
  write(good, "a\tx\nc\tx\n");
  EXPECT_THAT(load_error(data), HasSubstr("test.txt: line 2: label \"c\" is in no line of the training file"));
  write("\n\n", good);
  EXPECT_THAT(load_error(data), HasSubstr("train.txt: has no text"));
  write("a\tx\na\ty\n", "a\tx\n");
  EXPECT_THAT(load_error(data), HasSubstr("has 1 class"));
  lines().set_layout(scenario::Lines::TABLE);
  write("label,words\na,x\nb,y\n", good);
  EXPECT_THAT(load_error(data), HasSubstr("task.data.lines.text_column = \"text\": " + (directory / "train.txt") +
                                          " has no such column; it has: label, words"));
  lines().add_text_column("words");
  write("label,words\na,x\n,y\n", good);
  EXPECT_THAT(load_error(data), HasSubstr("train.txt: line 3: column \"label\": the label is missing"));
  lines().set_train("");
  EXPECT_THAT(load_error(data), testing::StartsWith("task.data.lines.train: is empty"));
}

TEST_F(Lines, with_gaps_in_their_labels_warn) {
  write("1\ta\n9\tb\n", "1\ta\n");
  EXPECT_THAT(open_dataset(data, {})->warnings(), ElementsAre(HasSubstr("labelled 2 to 8")));
  write("1\ta\n2\tb\n", "1\ta\n");
  EXPECT_THAT(open_dataset(data, {})->warnings(), IsEmpty());
}

TEST_F(Lines, survive_damage) {
  write("a\tone two\nb\tthree\n", "a\tone\n");
  survive_damage(directory / "train.txt", [this] { load(data, Split::train); });
}

std::string many(const std::string& separator) {
  std::string text;
  for (int i = 0; i < 20; ++i) {
    text += (i % 2 == 0 ? "good" : "bad") + separator + "this is text number " + std::to_string(i) + " of twenty\n";
  }
  return text;
}

TEST_F(Lines, are_recognised_in_every_layout) {
  write_file(directory / "r-train.txt", many("\t"));
  write_file(directory / "r-test.txt", many("\t"));
  EXPECT_THAT(describe_path(directory / "r-train.txt").snippet,
              AllOf(HasSubstr("lines {"), HasSubstr("r-test.txt"), HasSubstr("LABEL_TAB_TEXT")));
  write_file(directory / "sst.txt", many(" "));
  EXPECT_THAT(describe_path(directory / "sst.txt").snippet, HasSubstr("layout: LABEL_SPACE_TEXT"));
  write_file(directory / "table.csv", "sentiment,review\n" + many(","));
  const DatasetSummary table = describe_path(directory / "table.csv");
  EXPECT_THAT(table.snippet, AllOf(HasSubstr("label_column: \"sentiment\""), HasSubstr("text_column: \"review\"")));
  EXPECT_THAT(table.shape.class_names, ElementsAre("bad", "good"));
  std::string glue = "sentence\tlabel\n";
  for (int i = 0; i < 20; ++i)
    glue += "\"it \" is text number " + std::to_string(i) + "\t" + std::to_string(i % 2) + "\n";
  write_file(directory / "glue.tsv", glue);
  EXPECT_THAT(describe_path(directory / "glue.tsv").snippet,
              AllOf(HasSubstr("quotes: false"), HasSubstr("\"sentence\"")));
}

TEST(RealLines, trecs_files_are_labelled_lines_too) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  data.mutable_lines()->set_train(*real_data() + "/trec/train_5500.label");
  data.mutable_lines()->set_layout(scenario::Lines::LABEL_SPACE_TEXT);
  EXPECT_EQ(open_dataset(data, {})->shape(Split::train).class_names.size(), 50U);
}

}  // namespace
}  // namespace souk::lines_test
