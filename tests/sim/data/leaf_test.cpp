#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "sim/data/leaf_json.hpp"
#include "tests/sim/data/support.hpp"

namespace souk::leaf_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

const char* const numbers = R"({"users": ["b", "a"], "num_samples": [1, 2], "hierarchies": [{"x": [1]}, null],
  "user_data": {"a": {"y": [9, 8.0], "x": [[1, 2.5, -3, 0], [4e1, 5, 6, 0]], "z": {"q": [[]]}},
                "b": {"x": [[7, 8, 9, 0]], "y": [0]}}})";

class Leaf : public testing::Test {
 protected:
  Leaf() { leaf().set_train(directory / "train.json"), leaf().set_test(directory / "test.json"); }
  scenario::Leaf& leaf() { return *data.mutable_leaf(); }
  void write(const std::string& train, const std::string& test) {
    write_file(directory / "train.json", train);
    write_file(directory / "test.json", test);
  }
  std::string error_of(const std::string& train) {
    write(train, numbers);
    return load_error(data);
  }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(Leaf, users_are_groups_in_the_order_of_the_file) {
  write(numbers, R"({"user_data": {"c": {"x": [[0, 0, 0, 1]], "y": [8]}}})");

  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  EXPECT_THAT(train.f32, ElementsAre(1, 2.5F, -3, 0, 40, 5, 6, 0, 7, 8, 9, 0));
  EXPECT_THAT(train.shape.class_names, ElementsAre("0", "8", "9"));
  EXPECT_THAT(train.labels, ElementsAre(2, 1, 0));
  EXPECT_THAT(train.groups, ElementsAre(0, 0, 1));
  EXPECT_EQ(train.shape.groups, 2U);
  EXPECT_THAT(test.f32, ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(test.labels, ElementsAre(1));
  EXPECT_EQ(test.shape.groups, 0U);
}

TEST_F(Leaf, lists_may_be_images_and_classes_may_have_names) {
  write(numbers, numbers);
  leaf().set_height(2), leaf().set_width(2);
  for (const char* name : {"zero", "eight", "nine"}) leaf().add_class_names(name);

  const DatasetShape shape = open_dataset(data, {})->shape(Split::train);

  EXPECT_THAT(shape.sample_shape, ElementsAre(1, 2, 2));
  EXPECT_THAT(shape.class_names, ElementsAre("zero", "eight", "nine"));
  leaf().set_width(3);
  EXPECT_THAT(load_error(data), HasSubstr("height = 2 and width = 3 make 6 values, the samples have 4"));
}

TEST_F(Leaf, texts_are_rows_of_characters_and_their_next_character_is_the_class) {
  EXPECT_EQ(leaf_characters.size(), 80U);  // LEAF's NUM_LETTERS
  write(R"({"user_data": {"HAMLET": {"x": ["ab c", "b\u00e9a"], "y": ["d", "\n"]}}})",
        R"({"user_data": {"GHOST": {"x": ["}ZZ\n"], "y": [" "]}}})");
  const auto token = [](char c) { return static_cast<float>(2 + leaf_characters.find(c)); };

  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  EXPECT_THAT(train.f32, ElementsAre(token('a'), token('b'), token(' '), token('c'), token('b'), 1, 1, token('a')));
  EXPECT_THAT(train.labels, ElementsAre(leaf_characters.find('d'), 0));
  EXPECT_THAT(test.f32, ElementsAre(81, token('Z'), token('Z'), 2));
  EXPECT_THAT(test.labels, ElementsAre(1));
  EXPECT_EQ(train.shape.vocabulary, 82U);
  EXPECT_EQ(train.shape.class_names.size(), 80U);
  EXPECT_EQ(train.shape.class_names[0], "\\n");
  leaf().set_height(2);
  EXPECT_THAT(load_error(data), HasSubstr("the samples are texts"));
}

TEST_F(Leaf, directories_hold_several_files_in_the_order_of_their_names) {
  write_file(directory / "train/b.json", std::string(R"({"user_data": {"u2": {"x": [[2]], "y": [1]}}})"));
  write_file(directory / "train/a.json.gz", gzip([] {
               const std::string text = R"({"user_data": {"u1": {"x": [[1]], "y": [0]}}})";
               return Bytes(text.begin(), text.end());
             }()));
  write_file(directory / "train/._a.json", std::string("what macOS leaves"));
  write_file(directory / "test/a.json", std::string(R"({"user_data": {"u1": {"x": [[3]], "y": [0]}}})"));
  leaf().set_train(directory / "train"), leaf().set_test(directory / "test");

  EXPECT_THAT(load(data, Split::train).f32, ElementsAre(1, 2));
  EXPECT_THAT(describe_path(directory.path()).snippet, AllOf(HasSubstr("/train\""), HasSubstr("/test\"")));
  write_file(directory / "train/c.json", std::string(R"({"user_data": {"u1": {"x": [[3]], "y": [0]}}})"));
  EXPECT_THAT(load_error(data), AllOf(HasSubstr("c.json: user \"u1\" is in "), HasSubstr("a.json.gz, too")));
}

TEST_F(Leaf, samples_are_drawn_for_testing_where_no_test_file_is_named) {
  std::string text = R"({"user_data": {)";
  for (int u = 0; u < 10; ++u) {
    text +=
        fmt::format(R"({}"u{}": {{"x": [[{}],[{}]], "y": [{}, 1]}})", u == 0 ? "" : ",", u, u, u + 100, u == 4 ? 2 : 0);
  }
  write(text + "}}", "");
  leaf().set_test("");
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const Loaded train = load(data, Split::train, seed);
    EXPECT_EQ(train.labels.size(), 16U);
    EXPECT_TRUE(std::ranges::find(train.labels, 2) != train.labels.end()) << seed;
    for (std::size_t i = 0; i < train.f32.size(); ++i) {
      EXPECT_EQ(static_cast<std::uint32_t>(train.f32[i]) % 100, train.groups[i]);
    }
    EXPECT_EQ(load(data, Split::test, seed).labels.size(), 4U);
  }
}

TEST_F(Leaf, what_is_malformed_is_named_with_its_place) {
  EXPECT_THAT(error_of("{"), HasSubstr("train.json: byte 2: parse error"));
  EXPECT_THAT(error_of("[1]"), HasSubstr("train.json: at its top: a list where none belongs"));
  EXPECT_THAT(error_of("{}"), HasSubstr("train.json: has no \"user_data\""));
  EXPECT_THAT(error_of(R"({"user_data": {}})"), HasSubstr("train.json: has no sample"));
  EXPECT_THAT(error_of(R"({"user_data": {"u": {"x": [[1]]}}})"),
              HasSubstr("user \"u\": 1 samples in \"x\", 0 in \"y\""));
  EXPECT_THAT(error_of(R"({"user_data": {"u": {"x": [[1], [1, 2]], "y": [0, 1]}}})"),
              HasSubstr("user \"u\", \"x\": sample 1 has 2 values, the first one 1"));
  EXPECT_THAT(error_of(R"({"user_data": {"u": {"x": [[1], "a"], "y": [0, 1]}}})"), HasSubstr("sample 1 is a text"));
  EXPECT_THAT(error_of(R"({"user_data": {"u": {"x": [[[1]]], "y": [0]}}})"),
              HasSubstr("samples are flat lists of numbers"));
  EXPECT_THAT(error_of(R"({"user_data": {"u": {"x": [["a", "b"]], "y": [0]}}})"),
              HasSubstr("lists of texts are not read"));
  EXPECT_THAT(error_of(R"({"user_data": {"u": {"x": [[1, null]], "y": [0]}}})"),
              HasSubstr("null does not belong here"));
  EXPECT_THAT(error_of(R"({"user_data": {"u": {"x": [[1e60]], "y": [0]}}})"), HasSubstr("1e+60 does not belong here"));
  EXPECT_THAT(error_of(R"({"user_data": {"u": {"x": [[1]], "y": [0]}, "u": {"x": [[1]], "y": [0]}}})"),
              HasSubstr("user \"u\" is there twice"));
  EXPECT_THAT(error_of(R"({"users": ["u", "v"], "user_data": {"u": {"x": [[1]], "y": [0]}}})"),
              HasSubstr("user \"v\" has no \"user_data\""));
  EXPECT_THAT(error_of(R"({"users": ["u"], "num_samples": [2], "user_data": {"u": {"x": [[1]], "y": [0]}}})"),
              HasSubstr("user \"u\" has 1 samples, \"num_samples\" says 2"));
  EXPECT_THAT(error_of(R"({"user_data": {"u": {"x": [[1]], "y": [0]}}})"),
              HasSubstr("test.json: its samples are lists"));
  write(R"({"user_data": {"u": {"x": ["a", "b"], "y": ["a", "#"]}}})",
        R"({"user_data": {"u": {"x": ["a"], "y": ["a"]}}})");
  EXPECT_THAT(load_error(data), HasSubstr("label \"#\" of sample 1 is none of LEAF's 80 characters"));
  write(numbers, R"({"user_data": {"u": {"x": [[1, 2, 3, 4]], "y": [7]}}})");
  EXPECT_THAT(load_error(data), HasSubstr("test.json: user \"u\": label \"7\" of sample 0 is in no training sample"));
}

TEST_F(Leaf, survives_damage) {
  write(numbers, numbers);
  survive_damage(directory / "train.json", [this] { load(data, Split::train); });
}

TEST(RealLeaf, synthetic_has_its_published_users_and_samples) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  const LeafUsers all = read_leaf(*real_data() + "/leaf-synthetic/synthetic_1_1_test.json");
  EXPECT_EQ(all.users.size(), 30U);
  EXPECT_EQ(all.samples(), 1084U);
  EXPECT_EQ(all.width, 60U);
  std::size_t least = 10000, most = 0;
  for (const LeafUser& user : all.users) {
    least = std::min(least, user.labels.size()), most = std::max(most, user.labels.size());
  }
  EXPECT_EQ(least, 5U);
  EXPECT_EQ(most, 662U);
}

}  // namespace
}  // namespace souk::leaf_test
