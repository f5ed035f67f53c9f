#include <algorithm>

#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::csv_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace test;

class Csv : public testing::Test {
 protected:
  Csv() {
    data.mutable_csv()->set_train(directory / "train.csv"), data.mutable_csv()->set_test(directory / "test.csv");
  }
  void write(const std::string& train, const std::string& test) {
    write_file(directory / "train.csv", train);
    write_file(directory / "test.csv", test);
  }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(Csv, makes_numbers_features_and_other_columns_one_hot) {
  write("x,colour,y\n1.5,red,no\n-2,blue,yes\n", "x,colour,y\n3e2,green,yes\n");

  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  EXPECT_THAT(train.f32, ElementsAre(1.5f, 0, 1, -2, 1, 0));  // x, blue, red
  EXPECT_THAT(train.labels, ElementsAre(0, 1));
  EXPECT_THAT(train.shape.class_names, ElementsAre("no", "yes"));
  EXPECT_THAT(test.f32, ElementsAre(300, 0, 0));  // green was never seen
  EXPECT_THAT(train.shape.sample_shape, ElementsAre(3, 1, 1));
}

TEST_F(Csv, puts_the_training_mean_for_a_missing_number_and_nothing_for_a_missing_category) {
  write("x,c,y\n1,a,0\n?,b,1\n,?,0\nNaN,a,1\n5,a,0\n", "x,c,y\n?,,1\n");

  EXPECT_THAT(load(data, Split::train).f32, ElementsAre(1, 1, 0, 3, 0, 1, 3, 0, 0, 3, 1, 0, 5, 1, 0));
  EXPECT_THAT(load(data, Split::test).f32, ElementsAre(3, 0, 0));
}

TEST_F(Csv, reads_quotes_separators_and_line_ends_of_all_kinds) {
  write("\xEF\xBB\xBF\"a \"\"b\"\", c\",y\r\n\"x, \"\"1\"\"\n2\" ,\"p\"\r\n\r\n z ,q", "\"a \"\"b\"\", c\",y\rz,q\r");
  data.mutable_csv()->set_label("a \"b\", c");

  const Loaded train = load(data, Split::train);

  EXPECT_THAT(train.shape.class_names, ElementsAre("x, \"1\"\n2", "z"));
  EXPECT_THAT(train.f32, ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(load(data, Split::test).labels, ElementsAre(1));
}

TEST_F(Csv, takes_label_group_ignored_and_categorical_columns_by_name) {
  write("1;7;u;10;2\n2;8;v;20;3\n10;9;u;30;2\n", "1;7;w;10;3\n");
  scenario::Csv& csv = *data.mutable_csv();
  csv.set_separator(";"), csv.set_header(false), csv.set_label("c0"), csv.set_group("c2");
  csv.add_ignore("c1"), csv.add_categorical("c4");

  const Loaded train = load(data, Split::train);

  EXPECT_THAT(train.shape.class_names, ElementsAre("1", "2", "10"));  // by value, not by text
  EXPECT_THAT(train.f32, ElementsAre(10, 1, 0, 20, 0, 1, 30, 1, 0));
  EXPECT_THAT(train.groups, ElementsAre(0, 1, 0));
  EXPECT_EQ(train.shape.groups, 2u);
  EXPECT_THAT(load(data, Split::test).labels, ElementsAre(0));
}

TEST_F(Csv, reads_numbers_to_predict_where_it_is_told_to) {
  write("x,price\n1,1000.5\n2,-3e2\n", "x,price\n3,7\n");
  data.mutable_csv()->set_regression(true);

  const Loaded train = load(data, Split::train);

  EXPECT_TRUE(train.shape.numbers);
  EXPECT_THAT(train.shape.class_names, IsEmpty());
  EXPECT_THAT(train.f32, ElementsAre(1, 2));
  EXPECT_THAT(train.numbers, ElementsAre(1000.5f, -300));
  EXPECT_THAT(load(data, Split::test).numbers, ElementsAre(7));
}

TEST_F(Csv, takes_test_rows_out_of_a_table_of_numbers_too) {
  std::string table = "x,y\n";
  for (int i = 0; i < 50; ++i) table += std::to_string(i) + "," + std::to_string(i) + ".5\n";
  write_file(directory / "train.csv", table);
  data.mutable_csv()->set_test(""), data.mutable_csv()->set_regression(true);

  std::vector<float> all = load(data, Split::train).numbers;
  EXPECT_EQ(all.size(), 40u);
  for (const float number : load(data, Split::test).numbers) all.push_back(number);
  std::ranges::sort(all);

  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(all[i], static_cast<float>(i) + 0.5f);
}

TEST_F(Csv, says_which_number_to_predict_is_none) {
  data.mutable_csv()->set_regression(true);
  write("x,y\n1,2\n2,NA\n", "x,y\n1,2\n");
  EXPECT_THAT(load_error(data),
              AllOf(HasSubstr("train.csv"), HasSubstr("3"), HasSubstr("the number to predict is missing")));
  write("x,y\n1,2\n", "x,y\n1,cheap\n");
  EXPECT_THAT(load_error(data), AllOf(HasSubstr("test.csv"), HasSubstr("\"cheap\" is no number")));
  write("x,y\n1,1e300\n", "x,y\n1,2\n");
  EXPECT_THAT(load_error(data), HasSubstr("1e300"));
}

TEST_F(Csv, reads_c45_comments_and_full_stops_after_test_labels) {
  write("1, <=50K\n2, >50K\n\n", "|1x3 Cross validator\n3, <=50K.\n4, >50K.\n\n");
  data.mutable_csv()->set_header(false);

  EXPECT_THAT(load(data, Split::train).labels, ElementsAre(0, 1));
  EXPECT_THAT(load(data, Split::test).labels, ElementsAre(0, 1));
}

TEST_F(Csv, reads_purchase100_and_texas100) {
  // The class from 1 comes first, then binary columns; no header.
  std::string table;
  std::vector<float> features;
  for (int row = 0; row < 20; ++row) {
    table += std::to_string(row % 10 + 1);
    for (int column = 0; column < 600; ++column) {
      const bool one = (row * 7 + column * 3) % 5 < 2;
      table += one ? ",1" : ",0";
      features.push_back(one ? 1.0F : 0.0F);
    }
    table += '\n';
  }
  write(table, table);
  data.mutable_csv()->set_header(false);
  data.mutable_csv()->set_label("c0");

  const Loaded train = load(data, Split::train);

  EXPECT_THAT(train.shape.sample_shape, ElementsAre(600, 1, 1));
  EXPECT_THAT(train.shape.class_names, ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9", "10"));
  EXPECT_EQ(train.f32, features);
  for (std::size_t row = 0; row < 20; ++row) EXPECT_EQ(train.labels[row], static_cast<std::int32_t>(row % 10));
}

TEST_F(Csv, draws_a_test_share_by_the_seed) {
  std::string table = "x,y\n";
  for (int i = 0; i < 100; ++i) table += fmt::format("{},{}\n", i, i % 2);
  write(table, "");
  data.mutable_csv()->clear_test();
  data.mutable_csv()->set_test_fraction(0.25);

  const Loaded train = load(data, Split::train), test = load(data, Split::test);
  std::vector<float> all = train.f32;
  all.insert(all.end(), test.f32.begin(), test.f32.end());
  std::sort(all.begin(), all.end());

  EXPECT_EQ(test.labels.size(), 25u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], static_cast<float>(i));
  EXPECT_EQ(load(data, Split::test).f32, test.f32);
  EXPECT_NE(load(data, Split::test, 2).f32, test.f32);
}

TEST_F(Csv, names_file_line_and_column_of_what_is_wrong) {
  const std::string good = "x,y\n1,a\n2,b\n";
  const auto error_of = [this](const std::string& train, const std::string& test) {
    write(train, test);
    return load_error(data);
  };

  EXPECT_THAT(error_of("x,y\n1,a\n2,b,c\n", good), HasSubstr("train.csv: line 3: 3 cells, the first row has 2"));
  EXPECT_THAT(error_of("x,y\n1,\"a\n2,b\n", good), HasSubstr("line 2: a quote is never closed"));
  EXPECT_THAT(error_of("x,y\n1,\"a\"b\n", good), HasSubstr("line 2: text after a closing quote"));
  EXPECT_THAT(error_of("x,x\n1,a\n", good), HasSubstr("two columns are named \"x\""));
  EXPECT_THAT(error_of("", good), HasSubstr("has no row"));
  EXPECT_THAT(error_of("x,y\n", good), HasSubstr("has no row beside its header"));
  EXPECT_THAT(error_of("x,y\n1,?\n2,b\n", good), HasSubstr("line 2: column \"y\": the label is missing"));
  EXPECT_THAT(error_of(good, "x,y\n1,a\n2,c\n"), HasSubstr("test.csv: line 3: column \"y\": label \"c\""));
  EXPECT_THAT(error_of(good, "x,y\nno,a\n"), HasSubstr("line 2: column \"x\": \"no\" is not a number"));
  EXPECT_THAT(error_of(good, "x,z\n1,a\n"), HasSubstr("its columns differ"));
  EXPECT_THAT(error_of("x,y\n1e39,a\n2,b\n", good), HasSubstr("is not a number that fits float32"));
  EXPECT_THAT(error_of("x,y\n1,a\n2,a\n", good), HasSubstr("has 1 class"));
  EXPECT_THAT(error_of("y\na\nb\n", "y\na\n"), HasSubstr("no column is left as a feature"));
  data.mutable_csv()->set_label("nope");
  EXPECT_THAT(error_of(good, good), HasSubstr("data.csv.label = \"nope\""));
  data.mutable_csv()->set_separator("ab");
  EXPECT_THAT(error_of(good, good), HasSubstr("data.csv.separator = \"ab\""));
}

TEST_F(Csv, refuses_a_column_of_too_many_categories) {
  std::string table = "name,y\n";
  for (int i = 0; i < 70'000; ++i) table += fmt::format("n{},{}\n", i, i % 2);
  write(table, "name,y\nx,0\n");

  EXPECT_THAT(load_error(data), HasSubstr("line 2: column \"name\": \"n0\" is one of 70000 different texts"));
  data.mutable_csv()->add_categorical("name");
  EXPECT_THAT(load_error(data), HasSubstr("put it into task.data.csv.ignore"));
}

std::string column_of(int rows, const std::string& odd, const std::function<std::string(int)>& cell) {
  std::string table = "x,y\n";
  for (int i = 0; i < rows; ++i) table += (i == rows - 1 ? odd : cell(i)) + "," + std::to_string(i % 2) + "\n";
  return table;
}
std::string real(int i) { return fmt::format("{}.5", i); }
std::string small_integer(int i) { return std::to_string(i % 3); }

TEST_F(Csv, takes_the_usual_spellings_of_missing_for_missing) {
  for (const char* missing :
       {"", "?", "NA", "na", "N/A", "n/a", "#N/A", "<NA>", "NaN", "-nan", "NULL", "null", "None", "\\N"}) {
    write(std::string("x,c,y\n1,a,0\n") + missing + "," + missing + ",1\n5,b,0\n",
          "x,c,y\n" + std::string(missing) + ",b,1\n");
    EXPECT_THAT(load(data, Split::train).f32, ElementsAre(1, 1, 0, 3, 0, 0, 5, 0, 1)) << missing;
    EXPECT_THAT(load(data, Split::test).f32, ElementsAre(3, 0, 1)) << missing;
  }
}

TEST_F(Csv, refuses_a_column_of_numbers_with_a_few_other_cells_naming_line_column_and_cell) {
  for (const char* odd :
       {"inf", "-inf", "1e400", "\"1,000\"", "\"3,14\"", "abc", "12 kg", "1_000", "0x1F", "-", "#REF!"}) {
    for (const auto& cell : {real, small_integer}) {
      write(column_of(200, odd, cell), "x,y\n1,0\n");
      std::string bare = odd;
      std::erase(bare, '"');
      EXPECT_THAT(load_error(data), HasSubstr("train.csv: line 201: column \"x\": \"" + bare +
                                              "\" is not a finite number, though 199 of the column's 200 cells are"))
          << odd;
    }
  }
  data.mutable_csv()->add_ignore("x");
  EXPECT_THAT(load_error(data), HasSubstr("no column is left"));
  data.mutable_csv()->clear_ignore();
  data.mutable_csv()->add_categorical("x");
  EXPECT_EQ(load_error(data), "");
}

TEST_F(Csv, refuses_numbers_with_decimal_commas_or_separators_of_thousands) {
  std::string table = "x;y\n";
  for (int i = 0; i < 10; ++i) table += fmt::format("{},5;{}\n", i, i % 2);
  write(table, "x;y\n1;0\n");
  data.mutable_csv()->set_separator(";");
  EXPECT_THAT(load_error(data), AllOf(HasSubstr("line 2: column \"x\": \"0,5\" is not a finite number"),
                                      HasSubstr("numbers have a decimal point and no commas")));
}

TEST_F(Csv, takes_a_column_of_few_numbers_and_words_as_categorical_with_a_warning) {
  // As UCI's car evaluation has "doors".
  write("doors,y\n2,0\n3,1\n4,0\n5more,1\n2,0\n", "doors,y\n3,1\n");
  EXPECT_THAT(load(data, Split::test).f32, ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(open_dataset(data, {})->warnings(),
              ElementsAre(HasSubstr("column \"doors\" is taken as categorical: line 5 has \"5more\", though 4 of its 5 "
                                    "cells are numbers")));
  write("x,y\n1,0\n2,1\n", "x,y\n1,0\n");
  EXPECT_THAT(open_dataset(data, {})->warnings(), IsEmpty());
}

TEST_F(Csv, refuses_a_cell_of_the_test_table_that_is_no_number) {
  write("x,y\n1,0\n2,1\n", "x,y\n1,0\ninf,1\n");
  EXPECT_THAT(load_error(data), HasSubstr("test.csv: line 3: column \"x\": \"inf\" is not a number"));
}

TEST_F(Csv, refuses_texts_of_which_most_occur_once) {
  std::string table = "text,y\n";
  for (int i = 0; i < 30; ++i) table += fmt::format("text number {},{}\n", i, i % 2);
  write(table, "text,y\nx,0\n");
  EXPECT_THAT(load_error(data),
              AllOf(HasSubstr("line 2: column \"text\": \"text number 0\" is one of 30 different texts"),
                    HasSubstr("task.data.lines")));
}

TEST_F(Csv, takes_labels_that_are_equal_as_numbers_for_one_class) {
  write("x,y\n1,0\n2,1\n3,0.0\n4,1.0\n5,+1\n", "x,y\n1,00\n2,1e0\n");
  EXPECT_THAT(load(data, Split::train).labels, ElementsAre(0, 1, 0, 1, 1));
  EXPECT_THAT(load(data, Split::train).shape.class_names, ElementsAre("0", "1"));
  EXPECT_THAT(load(data, Split::test).labels, ElementsAre(0, 1));
}

TEST_F(Csv, warns_of_gaps_between_labels) {
  write("x,y\n1,1\n2,2\n3,9\n", "x,y\n1,9\n");
  EXPECT_THAT(open_dataset(data, {})->warnings(), ElementsAre(HasSubstr("labelled 3 to 8")));
}

TEST_F(Csv, says_that_a_label_is_missing_in_either_table) {
  write("x,y\n1,0\n2,\n3,1\n", "x,y\n1,0\n");
  EXPECT_THAT(load_error(data), HasSubstr("train.csv: line 3: column \"y\": the label is missing"));
  write("x,y\n1,0\n2,1\n", "x,y\n1,0\n2,?\n");
  EXPECT_THAT(load_error(data), HasSubstr("test.csv: line 3: column \"y\": the label is missing"));
  write("x,y\n1,0\n2,NA\n3,1\n", "x,y\n1,0\n");
  EXPECT_THAT(load_error(data), HasSubstr("train.csv: line 3: column \"y\": the label is missing: \"NA\""));
  write("x,y\n1,none\n2,some\n", "x,y\n1,none\n");  // a word like others
  EXPECT_THAT(load(data, Split::train).labels, ElementsAre(0, 1));
  EXPECT_THAT(open_dataset(data, {})->warnings(), ElementsAre(HasSubstr("\"none\" is taken as the name of a class")));
}

TEST_F(Csv, wonders_about_labels_of_which_most_occur_once) {
  std::string table = "x,price\n";
  for (int i = 0; i < 30; ++i) table += fmt::format("{},{}.5\n", i % 3, i);
  write(table, "x,price\n1,2.5\n");
  EXPECT_THAT(open_dataset(data, {})->warnings(),
              ElementsAre(HasSubstr("column \"price\" has 30 different labels in 30 rows: does it hold classes?")));
}

TEST_F(Csv, refuses_rows_without_a_group) {
  data.mutable_csv()->set_group("who");
  write("x,who,y\n1,a,0\n2,,1\n3,b,0\n", "x,who,y\n1,,0\n");
  EXPECT_THAT(load_error(data), HasSubstr("train.csv: line 3: column \"who\": the row belongs to no group"));
  write("x,who,y\n1,a,0\n2,NA,1\n3,NA,0\n", "x,who,y\n1,,0\n");
  EXPECT_THAT(open_dataset(data, {})->warnings(),
              ElementsAre(HasSubstr("\"NA\" is taken as the name of a group, which has 2")));
}

TEST_F(Csv, keeps_every_class_in_training_whatever_the_seed) {
  std::string table = "x,y\n";
  for (int i = 0; i < 300; ++i) table += fmt::format("{},{}\n", i, i == 123 ? "C" : i % 2 == 0 ? "A" : "B");
  write(table, "");
  data.mutable_csv()->set_test("");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Loaded train = load(data, Split::train, seed);
    EXPECT_THAT(train.shape.class_names, ElementsAre("A", "B", "C")) << seed;
    EXPECT_EQ(std::ranges::count(train.labels, 2), 1) << seed;
    EXPECT_EQ(train.labels.size(), 240U);
  }
  EXPECT_NE(load(data, Split::test, 1).f32, load(data, Split::test, 2).f32);
  data.mutable_csv()->set_split_seed(1);
  EXPECT_EQ(load(data, Split::test, 1).f32, load(data, Split::test, 2).f32);
}

TEST_F(Csv, knows_its_columns_by_name_and_by_their_place_in_the_file) {
  write("y,who,x,c\n0,a,1,red\n1,b,2,blue\n", "y,who,x,c\n0,a,1,red\n");
  data.mutable_csv()->set_label("y"), data.mutable_csv()->set_group("who");
  const DatasetShape shape = open_dataset(data, {})->shape(Split::train);
  ASSERT_EQ(shape.columns.size(), 2U);
  EXPECT_EQ(shape.columns[0].name, "x");
  EXPECT_EQ(shape.columns[0].number, 2U);
  EXPECT_THAT(shape.columns[1].categories, ElementsAre("blue", "red"));
}

TEST_F(Csv, names_what_a_file_is_that_is_no_text) {
  const auto utf16 = [](const std::string& text, bool mark, bool big) {
    std::string out = mark ? (big ? "\xFE\xFF" : "\xFF\xFE") : "";
    for (const char c : text) out += big ? std::string{'\0', c} : std::string{c, '\0'};
    return out;
  };
  const std::string good = "x,y\n1,0\n2,1\n";
  for (const bool big : {false, true}) {
    for (const bool mark : {false, true}) {
      write(utf16(good, mark, big), good);
      EXPECT_THAT(load_error(data), AllOf(HasSubstr("train.csv: "), HasSubstr("UTF-16: save it as UTF-8")));
    }
  }
  write(std::string("PK\x03\x04", 4) + "sheet", good);
  EXPECT_THAT(load_error(data), HasSubstr("train.csv: is a zip archive, as workbooks (.xlsx, .ods) are"));
  write("BZh91AY", good);
  EXPECT_THAT(load_error(data), HasSubstr("train.csv: is packed by bzip2"));
  write(good, std::string("x,y\n1,\0\n", 8));
  EXPECT_THAT(load_error(data), HasSubstr("test.csv: is no text: byte 6 is zero"));
}

TEST_F(Csv, names_the_path_that_was_tried) {
  data.mutable_csv()->set_train("no/such.csv");
  EXPECT_THAT(
      load_error(data),
      AllOf(testing::StartsWith("task.data.csv.train = \"no/such.csv\": no/such.csv: no such file or directory"),
            HasSubstr("looked for " + (std::filesystem::current_path() / "no/such.csv").string())));
  data.mutable_csv()->set_train("/no/such.csv");
  EXPECT_THAT(load_error(data), testing::Not(HasSubstr("looked for")));
}

TEST_F(Csv, survives_damage) {
  write("x,c,y\n1,\"a,\"\"b\",0\n2,c,1\n?,d,0\n", "x,c,y\n1,c,1\n");

  survive_damage(directory / "train.csv", [this] {
    load(data, Split::train);
    load(data, Split::test);
  });
}

TEST(RealCsv, adult_has_its_published_rows_and_classes) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  data.mutable_csv()->set_train("${SOUK_DATA}/adult/adult.data");
  data.mutable_csv()->set_test("${SOUK_DATA}/adult/adult.test");
  data.mutable_csv()->set_header(false);

  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  EXPECT_EQ(train.labels.size(), 32'561u);
  EXPECT_EQ(std::count(train.labels.begin(), train.labels.end(), 1), 7'841);
  EXPECT_EQ(test.labels.size(), 16'281u);
  EXPECT_EQ(std::count(test.labels.begin(), test.labels.end(), 1), 3'846);
  // 6 numbers; 8 + 16 + 7 + 14 + 6 + 5 + 2 + 41 known categories, as adult.names lists them.
  EXPECT_EQ(train.shape.sample_shape[0], 6u + 99u);
}

TEST(RealCsv, lending_club_is_read_with_its_lone_carriage_returns_and_grouped_by_purpose) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  data.mutable_csv()->set_train("${SOUK_DATA}/lending-club/loan_data.csv");
  data.mutable_csv()->set_group("purpose");

  const auto reader = open_dataset(data, {});

  EXPECT_EQ(reader->shape(Split::train).samples + reader->shape(Split::test).samples, 9'578u);
  EXPECT_EQ(reader->shape(Split::train).groups, 7u);
}

}  // namespace
}  // namespace souk::csv_test
