#include "sim/data/dataset_reader.hpp"

#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::dataset_reader_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace test;

TEST(OpenDataset, names_the_known_formats_when_none_is_chosen) {
  EXPECT_THAT(input_error([] { open_dataset({}, {}); }), AllOf(HasSubstr("cifar"), HasSubstr("glyphs")));
}

TEST(OpenDataset, cuts_any_format_to_its_limits) {
  scenario::Data data;
  data.mutable_glyphs()->set_train_samples(100);
  data.mutable_glyphs()->set_test_samples(50);
  data.set_train_limit(7);
  data.set_test_limit(500);

  const auto reader = open_dataset(data, {});

  EXPECT_EQ(reader->shape(Split::train).samples, 7u);
  EXPECT_EQ(reader->shape(Split::test).samples, 50u);
  EXPECT_EQ(load(*reader, Split::train).labels.size(), 7u);
}

TEST(ExpandEnvironment, replaces_variables_and_names_those_that_are_not_set) {
  setenv("SOUK_TEST_A", "/data", 1);
  unsetenv("SOUK_TEST_B");

  EXPECT_EQ(expand_environment("${SOUK_TEST_A}/x/${SOUK_TEST_A}$"), "/data/x//data$");
  EXPECT_THAT(input_error([] { expand_environment("${SOUK_TEST_B}/x"); }), HasSubstr("SOUK_TEST_B is not set"));
  EXPECT_THAT(input_error([] { expand_environment("${SOUK"); }), HasSubstr("without }"));
}

}  // namespace
}  // namespace souk::dataset_reader_test
