#include "sim/base/decimal.hpp"

#include <gtest/gtest.h>

namespace souk::decimal_test {
namespace {

TEST(Decimal, whole_numbers_are_digits_alone) {
  EXPECT_EQ(parse_whole("0"), 0U);
  EXPECT_EQ(parse_whole("18446744073709551615"), 18446744073709551615U);
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "01", "00", "0x1", "1e3", "1.0", "18446744073709551616"}) {
    EXPECT_FALSE(parse_whole(text)) << text;
  }
}

TEST(Decimal, numbers_have_digits_a_point_and_an_exponent) {
  for (const char* text : {"0", "-0.5", "+1", ".5", "5.", "1e-3", "1.25E+10", "0.1"})
    EXPECT_TRUE(is_decimal(text)) << text;
  for (const char* text :
       {"", "-", ".", "e3", "1e", "1e+", "010", "00.5", "0x1p3", "inf", "nan", "1,5", "1 000", "1_000"}) {
    EXPECT_FALSE(is_decimal(text)) << text;
  }
}

}  // namespace
}  // namespace souk::decimal_test
