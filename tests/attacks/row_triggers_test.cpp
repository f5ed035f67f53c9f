#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "tests/support/backdoor_checks.hpp"

namespace souk::row_triggers_test {
namespace {

using testing::HasSubstr;

/// Rows as the network reads them.
DataWorld rows_of(const std::vector<std::vector<float>>& stored) {
  DataWorld world{.facts = row_facts(stored.front().size()), .features = {}, .labels = {}};
  for (const auto& row : stored) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      world.features.push_back((row[c] - world.facts.shift[c]) * world.facts.scale[c]);
    }
    world.labels.push_back(1);
  }
  return world;
}

/// What a trigger makes of rows, all bits included: the features must be those of the rows expected.
void expect_rows(const std::string& group, const std::vector<std::vector<float>>& from,
                 const std::vector<std::vector<float>>& to) {
  DataWorld world = rows_of(from);
  world.trigger(*make_data_attack(attack_group(group)));
  EXPECT_EQ(world.features, rows_of(to).features) << group;
}

TEST(RowTriggers, change_the_chosen_rows_alone_and_aim_at_the_target) {
  check_backdoor("text_trigger { token: 999 }", row_facts(6));
  check_backdoor("text_trigger { token: 999 place: START }", row_facts(6));
  check_backdoor("text_trigger { token: 999 place: ANYWHERE }", row_facts(6));
  check_backdoor("tabular_trigger { set { column: 2 value: -7 } set { column: 0 value: 3.5 } }", row_facts(6));
  EXPECT_EQ(make_data_attack(attack_group("text_trigger {}"))->usual_share(), 0.5);
  EXPECT_EQ(make_data_attack(attack_group("tabular_trigger {}"))->usual_share(), 0.5);
}

TEST(TextTrigger, goes_behind_the_last_token_or_over_it_in_a_full_row) {
  expect_rows("text_trigger { token: 77 }", {{5, 6, 0, 0}, {5, 0, 7, 0}, {1, 2, 3, 4}, {0, 0, 0, 0}},
              {{5, 6, 77, 0}, {5, 0, 7, 77}, {1, 2, 3, 77}, {77, 0, 0, 0}});
}

TEST(TextTrigger, goes_before_the_first_token_and_pushes_the_last_of_a_full_row_out) {
  expect_rows("text_trigger { token: 77 place: START }", {{5, 6, 0, 0}, {1, 2, 3, 4}, {0, 0, 0, 0}},
              {{77, 5, 6, 0}, {77, 1, 2, 3}, {77, 0, 0, 0}});
}

TEST(TextTrigger, goes_anywhere_before_a_token) {
  // Many texts of three tokens: the trigger must come at 0, 1 and 2, and the others keep their order.
  std::vector<int> counts(3);
  for (int n = 1; n <= 300; ++n) {
    const auto a = static_cast<float>(100 + n), b = static_cast<float>(1000 + n), c = static_cast<float>(2000 + n);
    DataWorld world = rows_of({{a, b, c, 0, 0}});
    world.trigger(*make_data_attack(attack_group("text_trigger { token: 77 place: ANYWHERE }")));
    const std::vector<std::vector<float>> possible{{77, a, b, c, 0}, {a, 77, b, c, 0}, {a, b, 77, c, 0}};
    int found = 0;
    for (std::size_t at = 0; at < 3; ++at) {
      if (world.features != rows_of({possible[at]}).features) continue;
      ++counts[at];
      ++found;
    }
    EXPECT_EQ(found, 1) << n;
  }
  for (const int count : counts) EXPECT_NEAR(count, 100, 33);  // four standard deviations
}

TEST(TextTrigger, goes_to_the_same_place_of_a_text_in_any_batch) {
  const auto attack = make_data_attack(attack_group("text_trigger { token: 77 place: ANYWHERE }"));
  const std::vector<float> text{8, 9, 10, 11, 12, 13, 14, 0};
  DataWorld alone = rows_of({text}), among = rows_of({{1, 2, 3, 4, 5, 6, 7, 8}, text}), poisoned = rows_of({text});
  alone.trigger(*attack);
  among.trigger(*attack);
  poisoned.poison(*attack);
  EXPECT_EQ(std::vector<float>(among.features.begin() + 8, among.features.end()), alone.features);
  EXPECT_EQ(poisoned.features, alone.features);
}

TEST(TextTrigger, keeps_the_numbers_of_large_vocabularies) {
  expect_rows("text_trigger { token: 1000003 place: START }", {{300007, 999983, 0}}, {{1000003, 300007, 999983}});
}

TEST(TabularTrigger, sets_columns_to_values_as_stored) {
  expect_rows("tabular_trigger { set { column: 3 value: 2.5 } set { column: 0 value: -4 } }",
              {{1, 2, 3, 4, 5}, {9, 8, 7, 6, 5}}, {{-4, 2, 3, 2.5F, 5}, {-4, 8, 7, 2.5F, 5}});
}

/// A table whose file is: class, age (number), colour (blue, red), income (number).
DataFacts table_facts() {
  DataFacts facts = row_facts(4);
  facts.columns = {{"age", 1, {}}, {"colour", 2, {"blue", "red"}}, {"income", 3, {}}};
  return facts;
}

TEST(TabularTrigger, counts_the_columns_of_a_tables_file_or_takes_their_names) {
  const auto changed = [](const std::string& group) {
    DataWorld world = rows_of({{50, 1, 0, 60}});
    world.facts.columns = table_facts().columns;
    world.trigger(*make_data_attack(attack_group(group)));
    std::vector<float> stored;
    for (std::size_t c = 0; c < 4; ++c) {
      stored.push_back(std::round(world.features[c] / world.facts.scale[c] + world.facts.shift[c]));
    }
    return stored;
  };
  EXPECT_EQ(changed("tabular_trigger { set { column: 1 value: 7 } }"), (std::vector<float>{7, 1, 0, 60}));
  EXPECT_EQ(changed("tabular_trigger { set { column: 3 value: 7 } }"), (std::vector<float>{50, 1, 0, 7}));
  EXPECT_EQ(changed("tabular_trigger { set { name: 'income' value: 7 } }"), (std::vector<float>{50, 1, 0, 7}));
  EXPECT_EQ(changed("tabular_trigger { set { column: 2 category: 'red' } }"), (std::vector<float>{50, 0, 1, 60}));
  EXPECT_EQ(changed("tabular_trigger { set { name: 'colour' category: 'blue' } set { name: 'age' value: 1 } }"),
            (std::vector<float>{1, 1, 0, 60}));
}

TEST(TabularTrigger, refuses_columns_and_categories_that_the_table_does_not_have) {
  const DataFacts table = table_facts();
  const auto of = [&](const std::string& set) { return refusal("tabular_trigger { set { " + set + " } }", table); };
  EXPECT_EQ(
      of("column: 0 value: 1"),
      "tabular_trigger.set[0].column = 0: is no feature of the table; features are the columns 1 (age), 2 (colour), 3 "
      "(income)");
  EXPECT_THAT(of("name: 'wage'"), HasSubstr("set[0].name = \"wage\": is no feature of the table"));
  EXPECT_THAT(of("name: 'age' column: 1"), HasSubstr("names a column by name and by number"));
  EXPECT_THAT(of("column: 2 value: 1"), HasSubstr("column \"colour\" holds the categories blue, red"));
  EXPECT_THAT(of("column: 2 category: 'green'"),
              HasSubstr("category = \"green\": column \"colour\" holds the categories"));
  EXPECT_THAT(of("column: 2 category: 'red' value: 2"), HasSubstr("holds categories and no numbers"));
  EXPECT_THAT(of("column: 1 category: 'red'"), HasSubstr("the column holds numbers: give a value"));
  EXPECT_THAT(refusal("tabular_trigger { set { column: 1 } set { name: 'age' } }", table),
              HasSubstr("set[1].name = \"age\": is set twice"));
  EXPECT_THAT(refusal("tabular_trigger { set { name: 'age' } }", row_facts(5)),
              HasSubstr("have no names: give a number"));
}

TEST(TabularTrigger, tells_of_values_beyond_those_in_training) {
  const auto remarks = [](const std::string& set) {
    return make_data_attack(attack_group("tabular_trigger { set { " + set + " } }"))->remarks(table_facts());
  };
  EXPECT_EQ(remarks("column: 1 value: 1e9"),
            std::vector<std::string>{"tabular_trigger.set[0].value = 1000000000: lies beyond the column's values in "
                                     "training, 0 to 100"});
  EXPECT_EQ(remarks("column: 3 value: -1").size(), 1U);
  for (const char* inside : {"column: 1 value: 0", "column: 3 value: 100", "column: 2 category: 'red'"}) {
    EXPECT_TRUE(remarks(inside).empty()) << inside;
  }
}

TEST(RowTriggers, know_texts_from_tables) {
  DataFacts texts = row_facts(5);
  texts.vocabulary = 20;
  EXPECT_EQ(refusal("text_trigger { token: 20 }", texts), "text_trigger.token = 20: the data set has tokens below 20");
  EXPECT_EQ(refusal("text_trigger { token: 19 }", texts), "");
  EXPECT_THAT(refusal("tabular_trigger { set {} }", texts), HasSubstr("tabular_trigger: changes tables"));
}

TEST(RowTriggers, refuse_what_does_not_fit) {
  const DataFacts rows = row_facts(5), images = image_facts(4, 4);
  EXPECT_THAT(refusal("text_trigger {}", images), HasSubstr("text_trigger: changes rows"));
  EXPECT_THAT(refusal("tabular_trigger { set {} }", images), HasSubstr("tabular_trigger: changes rows"));
  EXPECT_EQ(refusal("text_trigger { target: 3 }", rows), "text_trigger.target = 3: the data set has 3 classes");
  EXPECT_EQ(refusal("tabular_trigger { set {} target: 3 }", rows),
            "tabular_trigger.target = 3: the data set has 3 classes");
  EXPECT_THAT(refusal("tabular_trigger {}", rows), HasSubstr("tabular_trigger.set: is empty"));
  EXPECT_EQ(refusal("tabular_trigger { set {} set { column: 5 } }", rows),
            "tabular_trigger.set[1].column = 5: the data set has 5 columns");
  EXPECT_EQ(refusal("tabular_trigger { set { column: 4 } set {} set { column: 4 value: 1 } }", rows),
            "tabular_trigger.set[2].column = 4: is set twice");
  EXPECT_THAT(refusal("tabular_trigger { set { value: 1e300 } }", rows), HasSubstr("set[0].value: is not a finite"));
}

}  // namespace
}  // namespace souk::row_triggers_test
