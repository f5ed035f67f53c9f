#include "sim/data/class_labels.hpp"

#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::class_labels_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

ClassLabels classes_of(const std::vector<std::string_view>& labels) { return ClassLabels(labels); }

TEST(ClassLabels, are_those_that_occur_by_value_where_all_are_numbers) {
  EXPECT_THAT(classes_of({"10", "9", "2", "9"}).names(), ElementsAre("2", "9", "10"));
  EXPECT_THAT(classes_of({"10", "9", "x"}).names(), ElementsAre("10", "9", "x"));
  EXPECT_THAT(classes_of({"0", "20000"}).names(), ElementsAre("0", "20000"));
}

TEST(ClassLabels, that_are_equal_as_numbers_are_one_class_under_the_shortest_spelling) {
  const ClassLabels classes = classes_of({"1.00", "0.0", "1", "-1", "0", "1e0", "+1", "-1.0", "007"});
  EXPECT_THAT(classes.names(), ElementsAre("-1", "0", "1", "007"));
  for (const char* one : {"1", "1.0", "01", "+1", "10e-1"}) EXPECT_EQ(classes.find(one), 2) << one;
  EXPECT_EQ(classes.find("7.0"), 3);
  EXPECT_EQ(classes.find("-0"), 1);
  EXPECT_EQ(classes.find("2"), std::nullopt);
  EXPECT_EQ(classes.find("one"), std::nullopt);
}

TEST(ClassLabels, beyond_what_a_double_tells_apart_stay_apart) {
  EXPECT_THAT(classes_of({"9007199254740993", "9007199254740992"}).names(),
              ElementsAre("9007199254740992", "9007199254740993"));
}

TEST(ClassLabels, with_gaps_are_told_of) {
  const auto gaps = [](const std::vector<std::string>& labels) { return gaps_between(labels); };
  EXPECT_EQ(gaps({"0", "1", "2"}), "");
  EXPECT_EQ(gaps({"4", "5"}), "");
  EXPECT_EQ(gaps({"a", "c"}), "");
  EXPECT_EQ(gaps({"0.5", "3.5"}), "");
  EXPECT_THAT(gaps({"1", "2", "9"}), HasSubstr("no training sample is labelled 3 to 8; the 3 labels from 1 to 9"));
  EXPECT_THAT(gaps({"0", "20000"}), HasSubstr("labelled 1 to 19999"));
  EXPECT_THAT(gaps({"0", "2", "4", "7"}), HasSubstr("labelled 1, 3, 5 to 6"));
}

TEST(ClassLabels, without_a_sample_are_named) {
  const std::vector<std::string> names{"a", "b", "c"};
  EXPECT_EQ(classes_without_sample(names, std::vector<std::int32_t>{0, 2, 1}), "");
  EXPECT_EQ(classes_without_sample(names, std::vector<std::int32_t>{0, 2}),
            "1 of the 3 classes has no training sample: \"b\"");
  EXPECT_EQ(classes_without_sample(names, std::vector<std::int32_t>{}),
            "3 of the 3 classes have no training sample: \"a\", \"b\", \"c\"");
}

TEST(ClassLabels, may_be_named_by_the_scenario) {
  const std::vector<std::string> given{"no", "yes"};
  EXPECT_THAT(named_classes(given, {"0", "1"}, "f"), ElementsAre("no", "yes"));
  EXPECT_THAT(named_classes({}, {"0", "1"}, "f"), ElementsAre("0", "1"));
  EXPECT_THAT(input_error([&] {
                named_classes(given, {"0", "1", "2"}, "task.x");
              }),
              HasSubstr("task.x: 2 names for the 3 classes"));
  const std::vector<std::string> twice{"a", "a"};
  EXPECT_THAT(input_error([&] { named_classes(twice, {"0", "1"}, "task.x"); }), HasSubstr("named \"a\""));
}

}  // namespace
}  // namespace souk::class_labels_test
