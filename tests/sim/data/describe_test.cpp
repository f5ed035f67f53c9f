#include "sim/data/describe.hpp"

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include "tests/sim/data/npz.hpp"

namespace souk::describe_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

void write_idx_set(const TempDirectory& directory) {
  write_file(directory / "train-images-idx3-ubyte", Bytes{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4});
  write_file(directory / "train-labels-idx1-ubyte", Bytes{0, 0, 8, 1, 0, 0, 0, 2, 3, 3});
  write_file(directory / "t10k-images-idx3-ubyte", Bytes{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9});
  write_file(directory / "t10k-labels-idx1-ubyte", Bytes{0, 0, 8, 1, 0, 0, 0, 1, 0});
}

TEST(Describe, counts_and_measures_a_directory) {
  const TempDirectory directory;
  write_idx_set(directory);

  const DatasetSummary summary = describe_path(directory.path());

  EXPECT_EQ(summary.format, "IDX directory");
  ASSERT_EQ(summary.splits.size(), 2u);
  EXPECT_EQ(summary.splits[0].samples, 2u);
  EXPECT_EQ(summary.splits[0].class_counts[3], 2u);
  EXPECT_EQ(summary.splits[0].channels[0].max, 4.0);
  EXPECT_EQ(summary.splits[0].channels[0].mean, 1.0);
  EXPECT_DOUBLE_EQ(summary.splits[0].channels[0].std, std::sqrt(3.0));
  EXPECT_THAT(summary.text(), AllOf(HasSubstr("train    2 samples"), HasSubstr("min 0  max 4  mean 1")));
}

TEST(Describe, knows_news_from_other_tables) {
  const TempDirectory directory;
  const std::string news =
      "\"2\",\"A title\",\"one two three four five\"\n\"1\",\"Another\",\"six of one two three\"\n";
  write_file(directory / "train.csv", news);
  write_file(directory / "test.csv", news);
  std::string people;
  for (int i = 0; i < 3; ++i) people += "39, State-gov, <=50K\n50, Private, >50K\n";
  write_file(directory / "people.csv", people);

  const DatasetSummary summary = describe_path(directory / "train.csv");

  EXPECT_THAT(summary.text(), AllOf(HasSubstr("news with class numbers"), HasSubstr("64 tokens, numbers below 5"),
                                    HasSubstr("test.csv"), testing::Not(HasSubstr("channel"))));
  EXPECT_THAT(summary.splits[1].class_counts, ElementsAre(1, 1));
  EXPECT_THAT(summary.snippet, HasSubstr("ag_news {"));
  EXPECT_EQ(describe_path(directory / "people.csv").format, "table");
}

TEST(Describe, knows_trecs_directory) {
  const TempDirectory directory;
  write_file(directory / "train_5500.label", std::string("A:a one two\nB:b one two\n"));
  write_file(directory / "TREC_10.label", std::string("B:b one\n"));

  const DatasetSummary summary = describe_path(directory.path());

  EXPECT_EQ(summary.format, "labelled questions (TREC)");
  EXPECT_THAT(summary.shape.class_names, ElementsAre("A", "B"));
  EXPECT_THAT(summary.splits[1].class_counts, ElementsAre(0, 1));
  EXPECT_THAT(summary.snippet, AllOf(HasSubstr("trec {"), HasSubstr("TREC_10.label")));
}

TEST(Describe, gives_a_snippet_that_opens_the_same_data) {
  const TempDirectory directory;
  write_idx_set(directory);
  const std::string snippet = describe_path(directory.path()).snippet;
  ASSERT_THAT(snippet, AllOf(testing::StartsWith("data {\n"), testing::EndsWith("}\n")));

  scenario::Data data;
  const bool parsed = google::protobuf::TextFormat::ParseFromString(snippet.substr(6, snippet.size() - 8), &data);

  ASSERT_TRUE(parsed);
  EXPECT_THAT(load(data, Split::train).labels, ElementsAre(3, 3));
}

TEST(Describe, recognises_tables_with_and_without_header_and_their_test_table) {
  const TempDirectory directory;
  write_file(directory / "with.csv", std::string("x,y\n1,a\n2,b\n3,a\n"));
  write_file(directory / "set.data", std::string("1,a\n2,b\n"));
  write_file(directory / "set.test", std::string("3,a\n"));

  const DatasetSummary with = describe_path(directory / "with.csv"), without = describe_path(directory / "set.data");

  EXPECT_EQ(with.splits[0].samples + with.splits[1].samples, 3u);
  EXPECT_THAT(without.snippet, AllOf(HasSubstr("header: false"), HasSubstr("set.test")));
  EXPECT_EQ(without.splits[0].samples, 2u);
  EXPECT_EQ(without.splits[1].samples, 1u);
}

TEST(Describe, tells_what_a_lone_file_holds) {
  const TempDirectory directory;
  write_file(directory / "labels.gz", gzip({0, 0, 8, 1, 0, 0, 0, 3, 1, 1, 0}));

  const DatasetSummary summary = describe_path(directory / "labels.gz");

  EXPECT_EQ(summary.splits[0].name, "labels");
  EXPECT_THAT(summary.splits[0].class_counts, ElementsAre(1, 2));
  EXPECT_EQ(summary.snippet, "");
  EXPECT_THAT(summary.text(), HasSubstr("IDX file of bytes"));
}

TEST(Describe, says_what_it_can_read_where_it_recognises_nothing) {
  const TempDirectory directory;
  write_file(directory / "x.bin", std::string("?"));

  EXPECT_THAT(input_error([&] { describe_path(directory.path()); }), HasSubstr("no known data set"));
  EXPECT_THAT(input_error([&] { describe_path(directory / "x.bin"); }), HasSubstr("no known data set"));
  EXPECT_THAT(input_error([&] { describe_path(directory / "y"); }), HasSubstr("no such file or directory"));
}

TEST(Describe, says_which_column_it_took_for_the_class_and_why) {
  const TempDirectory directory;
  std::string letters, ages = "age,city,left\n", named = "class,x,z\n";
  for (int i = 0; i < 60; ++i) {
    letters += fmt::format("{},{},{}\n", static_cast<char>('A' + i % 6), i, i % 4);
    ages += fmt::format("{},{},{}\n", i, i % 3 == 0 ? "Bonn" : "Kiel", i % 2);
    named += fmt::format("{},{},{}\n", i % 3, i, i % 2);
  }
  write_file(directory / "letter-recognition.data", letters);
  write_file(directory / "ages.csv", ages);
  write_file(directory / "named.csv", named);

  const DatasetSummary summary = describe_path(directory / "letter-recognition.data");

  EXPECT_THAT(summary.snippet, HasSubstr("label: \"c0\""));
  EXPECT_THAT(summary.remarks,
              ElementsAre(AllOf(HasSubstr("the class is column \"c0\" with 6 values (A, B, C, …): the only "
                                          "column of words"),
                                HasSubstr("--label COLUMN")),
                          HasSubstr("c2 (4 values)")));
  EXPECT_THAT(describe_path(directory / "ages.csv").snippet, HasSubstr("label: \"left\""));
  EXPECT_THAT(describe_path(directory / "named.csv").snippet, HasSubstr("label: \"class\""));
  const DatasetSummary chosen = describe_path(directory / "ages.csv", "city");
  EXPECT_THAT(chosen.shape.class_names, ElementsAre("Bonn", "Kiel"));
  EXPECT_THAT(
      input_error([&] { describe_path(directory / "ages.csv", "town"); }),
      HasSubstr("--label town: " + (directory / "ages.csv") + " has no such column; it has: age (60 values), city (2"));
}

TEST(Describe, says_that_a_table_has_no_column_of_classes) {
  const TempDirectory directory;
  std::string table = "x,z\n";
  for (int i = 0; i < 50; ++i) table += fmt::format("{}.5,{}.25\n", i, i);
  write_file(directory / "t.csv", table);
  EXPECT_THAT(input_error([&] { describe_path(directory / "t.csv"); }),
              AllOf(HasSubstr("none of its columns has few values, so that none can be the class"),
                    HasSubstr("--label COLUMN"), HasSubstr("x (50 values), z (50 values)")));
}

TEST(Describe, leaves_names_out_and_finds_the_separator) {
  const TempDirectory directory;
  std::string table = "name;fare;survived\n";
  for (int i = 0; i < 40; ++i) table += fmt::format("passenger {};{}.5;{}\n", i, i, i % 2);
  write_file(directory / "titanic.csv", table);
  const DatasetSummary summary = describe_path(directory / "titanic.csv");
  EXPECT_THAT(summary.snippet,
              AllOf(HasSubstr("ignore: \"name\""), HasSubstr("separator: \";\""), HasSubstr("label: \"survived\"")));
  EXPECT_EQ(summary.shape.features(), 1U);
}

TEST(Describe, tells_decimal_commas_from_separators) {
  const TempDirectory directory;
  std::string table = "left;x;z\n";
  for (int i = 0; i < 40; ++i) table += fmt::format("{};{},5;{}\n", i % 2, i, i % 3 == 0 ? "1" : "2,5");
  write_file(directory / "t.csv", table);
  EXPECT_THAT(input_error([&] { describe_path(directory / "t.csv", "left"); }),
              AllOf(HasSubstr("line 2: column \"x\": \"0,5\" is not a finite number"), HasSubstr("decimal point")));
}

TEST(Describe, names_utf16_and_archives) {
  const TempDirectory directory;
  write_file(directory / "t.csv", std::string("\xFF\xFE"
                                              "x\0,\0y\0",
                                              8));
  write_file(directory / "t.txt", std::string("PK\x03\x04rest"));
  EXPECT_THAT(input_error([&] { describe_path(directory / "t.csv"); }), HasSubstr("t.csv: is UTF-16"));
  EXPECT_THAT(input_error([&] { describe_path(directory / "t.txt"); }), HasSubstr("t.txt: is a zip archive"));
  write_file(directory / "book.xlsx", std::string("PK\x03\x04rest"));
  write_file(directory / "model.pkl", Bytes{0x80, 2, 0, 0, 0, 0, 1, 0});
  write_file(directory / "one.csv", std::string("x\n1\n2\n"));
  EXPECT_THAT(input_error([&] { describe_path(directory / "book.xlsx"); }),
              HasSubstr("book.xlsx: is a zip archive, as work"));
  EXPECT_THAT(input_error([&] { describe_path(directory / "model.pkl"); }), HasSubstr("no known data set"));
  EXPECT_THAT(input_error([&] { describe_path(directory / "one.csv"); }), HasSubstr("one.csv: has one column"));
  write_file(directory / "t.csv", Bytes{0, 1, 0, 0, 2, 0, 0, 3});
  EXPECT_THAT(input_error([&] { describe_path(directory / "t.csv"); }), HasSubstr("t.csv: is no text: byte 0 is zero"));
}

TEST(Describe, refuses_a_label_where_there_are_no_columns) {
  const TempDirectory directory;
  write_idx_set(directory);
  EXPECT_THAT(input_error([&] { describe_path(directory.path(), "y"); }), HasSubstr("has no columns to choose from"));
}

TEST(Describe, names_classes_without_a_sample) {
  const TempDirectory directory;
  write_idx_set(directory);
  EXPECT_THAT(describe_path(directory.path()).text(),
              HasSubstr("warning  9 of the 10 classes have no training sample: \"0\", "
                        "\"1\", \"2\", \"4\", \"5\", …"));
}

TEST(Describe, lists_the_arrays_it_cannot_tell_apart) {
  const TempDirectory directory;
  const std::string archive = directory / "set.npz";
  write_file(archive,
             zip({{"node_features.npy", npy("'|u1'", "(2, 1)", {1, 2})}, {"edges.npy", npy("'|u1'", "(1, 2)", {0, 1})}},
                 false));
  EXPECT_THAT(input_error([&] { describe_path(archive); }), HasSubstr("it has: edges, node_features"));
}

TEST(RealDescribe, prints_the_published_moments_of_fashion_mnist) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";

  EXPECT_THAT(describe_path(*real_data() + "/fashion-mnist").text(), HasSubstr("(of 0..1: mean 0.2860  std 0.3530)"));
}

}  // namespace
}  // namespace souk::describe_test
