// Data sets as a user of the program meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/app_fixture.hpp"

namespace souk::data_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class AppData : public App {};

TEST_F(AppData, describe_and_check_say_what_is_there) {
  std::string table = "left,age,city\n";
  for (int i = 0; i < 40; ++i) {
    table += std::to_string(i % 2) + "," + std::to_string(i) + (i % 4 == 0 ? ",Bonn\n" : ",Kiel\n");
  }
  write("people.csv", table);

  const Ended described = run({"data", "describe", "people.csv", "--label", "city"});
  write("own.textproto",
        "task { data { csv { train: 'people.csv' label: 'city' } } model { logreg {} } } participants { clients: 4 }");
  const Ended checked = run({"check", "own.textproto"});
  const Ended unknown = run({"data", "describe", "people.csv", "--label", "town"});

  EXPECT_THAT(described.out,
              AllOf(HasSubstr("the class is column \"city\" with 2 values"), HasSubstr("label: \"city\"")));
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("32 training and 8 test samples of 2 features, 2 classes: Bonn "));
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("--label town: people.csv has no such column; it has: left (2 values)"));
}

}  // namespace
}  // namespace souk::data_test
