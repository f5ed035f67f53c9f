#include "sim/sweep/condition.hpp"

#include <map>

#include <gmock/gmock.h>

#include "sim/base/error.hpp"

namespace souk::condition_test {
namespace {

using testing::HasSubstr;

bool met(const std::string& text, const std::map<std::string, std::string>& values) {
  return Condition::parse(text).matches([&](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  });
}

std::string refusal(const std::string& text) {
  try {
    Condition::parse(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Condition, tells_whole_numbers_apart_that_are_one_double) {
  EXPECT_FALSE(met("seed = 9007199254740993", {{"seed", "9007199254740992"}}));
  EXPECT_TRUE(met("seed > 9007199254740992", {{"seed", "9007199254740993"}}));
  EXPECT_TRUE(met("seed = 9007199254740993", {{"seed", "9007199254740993"}}));
}

TEST(Condition, numbers_are_decimal) {
  EXPECT_FALSE(met("a = 010", {{"a", "8"}}));
  EXPECT_FALSE(met("a = 010", {{"a", "10"}}));
  EXPECT_THROW(met("a < 010", {{"a", "9"}}), InputError);
  EXPECT_TRUE(met("a = +1.50", {{"a", "1.5"}}));
}

TEST(Condition, compares_numbers_as_numbers_and_the_rest_as_text) {
  EXPECT_TRUE(met("a = 0.10", {{"a", "0.1"}}));
  EXPECT_FALSE(met("a = 0.10x", {{"a", "0.1"}}));
  EXPECT_TRUE(met("a < 10", {{"a", "9"}}));  // as text "9" would come after "10"
  EXPECT_TRUE(met("a>=1e-3", {{"a", "0.001"}}));
  EXPECT_TRUE(met("a != krum", {{"a", "median"}}));
  EXPECT_TRUE(met("a == 'two words'", {{"a", "two words"}}));
  EXPECT_TRUE(met("a = \"none\"", {{"a", "none"}}));
  EXPECT_TRUE(met("a = nan", {{"a", "nan"}}));  // an attack, not a number
  EXPECT_FALSE(met("a = 16", {{"a", "0x10"}}));
}

TEST(Condition, binds_and_tighter_than_or) {
  const std::map<std::string, std::string> values{{"a", "1"}, {"b", "2"}, {"c", "3"}};
  EXPECT_TRUE(met("a=1 || b=0 && c=0", values));
  EXPECT_FALSE(met("(a=1 || b=0) && c=0", values));
  EXPECT_TRUE(met("a=0 && b=0 || c=3", values));
  EXPECT_TRUE(met("!(a=0 || b=0) && !c=4", values));
  EXPECT_FALSE(met("!!a=0", values));
}

TEST(Condition, a_name_without_value_meets_only_inequality) {
  EXPECT_FALSE(met("a = 1", {}));
  EXPECT_FALSE(met("a < 1", {}));
  EXPECT_TRUE(met("a != 1", {}));
}

TEST(Condition, text_has_no_order) {
  EXPECT_THROW(met("a < 3", {{"a", "krum"}}), InputError);
  EXPECT_THROW(met("a < krum", {{"a", "3"}}), InputError);
}

TEST(Condition, conditions_without_text_are_always_met) {
  EXPECT_TRUE(Condition::always().matches([](const std::string&) { return std::nullopt; }));
}

TEST(Condition, says_what_is_wrong_and_where) {
  EXPECT_THAT(refusal("a = "), HasSubstr("expected a value at column 5"));
  EXPECT_THAT(refusal("a krum"), HasSubstr("expected =, !=, <, <=, > or >= at column 3"));
  EXPECT_THAT(refusal("(a = 1"), HasSubstr("expected ')' at column 7"));
  EXPECT_THAT(refusal("a = 1 b = 2"), HasSubstr("expected '&&', '||' or the end at column 7"));
  EXPECT_THAT(refusal("a = 'x"), HasSubstr("expected a closing quotation mark at column 5"));
  EXPECT_THAT(refusal("a = 1 & b = 2"), HasSubstr("expected a name, a value or a comparison at column 7"));
  EXPECT_THAT(refusal(""), HasSubstr("expected a name at column 1"));
}

}  // namespace
}  // namespace souk::condition_test
