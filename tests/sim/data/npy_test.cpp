#include <algorithm>
#include <array>

#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "tests/sim/data/npz.hpp"

namespace souk::npy_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

// Two 1 x 2 images of three channels, channels last, and one for testing.
std::vector<Member> small_set() {
  return {{"x_train.npy", npy("'|u1'", "(2, 1, 2, 3)", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})},
          {"y_train.npy", npy("'<i8'", "(2,)", bytes_of<std::int64_t>({1, 0}))},
          {"x_test.npy", npy("'|u1'", "(1, 1, 2, 3)", {0, 0, 0, 0, 0, 1})},
          {"y_test.npy", npy("'|u1'", "(1, 1)", {1})},
          {"writers.npy", npy("'<i4'", "(2,)", bytes_of<std::int32_t>({70, -7}))}};
}

class Npy : public testing::Test {
 protected:
  Npy() { data.mutable_npy()->set_path(archive); }
  TempDirectory directory;
  std::string archive = directory / "set.npz";
  scenario::Data data;
};

TEST_F(Npy, reads_archives_stored_or_deflated_with_channels_last) {
  data.mutable_npy()->set_train_groups("writers");
  for (const bool deflate : {false, true}) {
    write_file(archive, zip(small_set(), deflate));

    const Loaded train = load(data, Split::train), test = load(data, Split::test);

    EXPECT_THAT(train.u8, ElementsAre(1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12));
    EXPECT_THAT(train.labels, ElementsAre(1, 0));
    EXPECT_THAT(train.groups, ElementsAre(1, 0));
    EXPECT_THAT(train.shape.sample_shape, ElementsAre(3, 1, 2));
    EXPECT_THAT(train.shape.class_names, ElementsAre("0", "1"));
    EXPECT_THAT(test.labels, ElementsAre(1));
    EXPECT_THAT(test.u8, ElementsAre(0, 0, 0, 0, 0, 1));
  }
}

TEST_F(Npy, reads_a_directory_of_files_row_by_row) {
  for (const Member& member : small_set()) write_file(directory / member.name, member.content);
  data.mutable_npy()->set_path(directory.path());
  data.mutable_npy()->set_channels_last(false);
  write_file(directory / "x_train.npy", npy("'|u1'", "(2, 3, 1, 2)", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  write_file(directory / "x_test.npy", npy("'|u1'", "(1, 3, 1, 2)", {0, 0, 0, 0, 0, 1}));

  const auto reader = open_dataset(data, {});

  EXPECT_TRUE(reader->rows_are_independent());
  EXPECT_THAT(load(*reader, Split::train, RowRange{1, 2}).u8, ElementsAre(7, 8, 9, 10, 11, 12));
}

TEST_F(Npy, turns_other_number_types_into_floats) {
  const auto features_of = [this](const std::string& descr, const Bytes& values) {
    auto members = small_set();
    members[0].content = npy(descr, "(2, 2)", values);
    members[2].content =
        npy(descr, "(1, 2)", Bytes(values.begin(), values.begin() + static_cast<long>(values.size()) / 2));
    write_file(archive, zip(members, true));
    return load(data, Split::train).f32;
  };

  EXPECT_THAT(features_of("'<f4'", bytes_of<float>({1.5f, 2, -3, 4})), ElementsAre(1.5f, 2, -3, 4));
  EXPECT_THAT(features_of("'<f8'", bytes_of<double>({1.5, 2, -3, 4})), ElementsAre(1.5f, 2, -3, 4));
  EXPECT_THAT(features_of("'<i4'", bytes_of<std::int32_t>({1, 2, -3, 4})), ElementsAre(1, 2, -3, 4));
  EXPECT_THAT(features_of("'<i8'", bytes_of<std::int64_t>({1, 2, -3, 4})), ElementsAre(1, 2, -3, 4));
}

TEST_F(Npy, reads_labels_as_numbers_to_predict_where_it_is_told_to) {
  auto members = small_set();
  members[1].content = npy("'<f8'", "(2,)", bytes_of<double>({0.25, -7.5}));
  members[3].content = npy("'<f8'", "(1,)", bytes_of<double>({3.5}));
  write_file(archive, zip(members, false));
  data.mutable_npy()->set_regression(true);

  const Loaded train = load(data, Split::train);

  EXPECT_TRUE(train.shape.numbers);
  EXPECT_THAT(train.numbers, ElementsAre(0.25f, -7.5f));
  EXPECT_THAT(load(data, Split::test).numbers, ElementsAre(3.5f));
  data.mutable_npy()->add_class_names("a");
  EXPECT_THAT(load_error(data), HasSubstr("task.data.npy.class_names"));
}

TEST_F(Npy, names_what_is_wrong_with_an_array) {
  const auto error_with = [this](std::size_t member, const Bytes& content) {
    auto members = small_set();
    members[member].content = content;
    write_file(archive, zip(members, false));
    return load_error(data);
  };
  const Bytes values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

  EXPECT_THAT(error_with(0, npy("'|O'", "(2,)", {})), HasSubstr("holds Python objects"));
  EXPECT_THAT(error_with(0, npy("[('a', '<i4')]", "(2,)", {})), HasSubstr("holds Python objects or records"));
  EXPECT_THAT(error_with(0, npy("'>f4'", "(2, 1)", values)), HasSubstr("dtype '>f4' is not read"));
  EXPECT_THAT(error_with(0, npy("'<c8'", "(2, 1)", values)), HasSubstr("dtype '<c8' is not read"));
  EXPECT_THAT(error_with(0, npy("'|u1'", "(2, 6)", values, "True")), HasSubstr("Fortran order"));
  EXPECT_THAT(error_with(0, npy("'|u1'", "(2, 1, 2, 3, 1)", values)), HasSubstr("5 dimensions"));
  EXPECT_THAT(error_with(0, npy("'|u1'", "(2000000, 2000000, 200000000)", values)), HasSubstr("more values than"));
  EXPECT_THAT(error_with(0, npy("'|u1'", "(0, 6)", {})), HasSubstr("an array without values"));
  EXPECT_THAT(error_with(0, npy("'|u1'", "(2, x)", values)), HasSubstr("damaged shape"));
  EXPECT_THAT(error_with(0, npy("'|u1'", "(2, 1, 2, 2)", values)), HasSubstr("differ in shape"));
  EXPECT_THAT(error_with(2, npy("'|u1'", "(1, 1, 2, 3)", {0, 0, 0, 0, 0, 1, 1})), HasSubstr("goes on after"));
  EXPECT_THAT(error_with(0, Bytes{1, 2, 3}), HasSubstr("ends early"));
  EXPECT_THAT(error_with(0, Bytes(100)), HasSubstr("not an .npy file"));
  EXPECT_THAT(error_with(1, npy("'<i8'", "(1,)", bytes_of<std::int64_t>({2}))), HasSubstr("1 values for 2 samples"));
  EXPECT_THAT(error_with(3, npy("'<i8'", "(1,)", bytes_of<std::int64_t>({-1}))),
              HasSubstr("array y_test: label -1 of sample 0 is in no training sample"));
  EXPECT_THAT(error_with(1, npy("'<f4'", "(2,)", bytes_of<float>({2, 1}))), HasSubstr("must hold integers"));
  data.mutable_npy()->set_test_labels("nope");
  EXPECT_THAT(error_with(0, small_set()[0].content), HasSubstr("has no array \"nope\"; it has: writers, x_test"));
}

TEST_F(Npy, refuses_values_that_are_not_finite) {
  auto members = small_set();
  members[0].content = npy("'<f8'", "(2, 2)", bytes_of<double>({1, 2, 1e300, 4}));
  members[2].content = npy("'<f8'", "(1, 2)", bytes_of<double>({1, 2}));
  write_file(archive, zip(members, false));

  EXPECT_THAT(load_error(data), HasSubstr("a value is not a finite float32 number"));
}

TEST_F(Npy, notices_a_wrong_checksum) {
  Bytes file = zip(small_set(), false);
  file[30 + 11 + 20 + 128 + 3] ^= 1;  // a feature
  write_file(archive, file);

  EXPECT_THAT(load_error(data), HasSubstr("its checksum is wrong"));
}

TEST_F(Npy, ends_in_an_error_wherever_an_archive_is_cut) {
  const Bytes whole = zip(small_set(), true);
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 3) {
    write_file(archive, Bytes(whole.begin(), whole.begin() + static_cast<long>(bytes)));
    EXPECT_THAT(load_error(data), HasSubstr("set.npz")) << bytes;
  }
}

// The same archive with all sizes and places in zip64's fields, as an archive above 4 GiB has them.
Bytes zip64(const std::vector<Member>& members) {
  Bytes file, directory;
  const auto append_64 = [](Bytes& out, std::uint64_t value) {
    append(out, static_cast<std::uint32_t>(value), 4), append(out, static_cast<std::uint32_t>(value >> 32), 4);
  };
  for (const Member& member : members) {
    const auto crc =
        static_cast<std::uint32_t>(crc32(0, member.content.data(), static_cast<uInt>(member.content.size())));
    const auto name = static_cast<std::uint32_t>(member.name.size());
    const std::uint64_t offset = file.size(), bytes = member.content.size();
    append(file, 0x04034b50, 4), append(file, 45, 2), append(file, 0, 4), append(file, 0, 4), append(file, crc, 4);
    append(file, 0xffffffff, 4), append(file, 0xffffffff, 4), append(file, name, 2), append(file, 20, 2);
    file.insert(file.end(), member.name.begin(), member.name.end());
    append(file, 1, 2), append(file, 16, 2), append_64(file, bytes), append_64(file, bytes);
    file.insert(file.end(), member.content.begin(), member.content.end());
    append(directory, 0x02014b50, 4), append(directory, 0, 4), append(directory, 0, 4), append(directory, 0, 4);
    append(directory, crc, 4), append(directory, 0xffffffff, 4), append(directory, 0xffffffff, 4);
    append(directory, name, 2), append(directory, 32, 2), append(directory, 0, 4), append(directory, 0, 4),
        append(directory, 0, 2);
    append(directory, 0xffffffff, 4);
    directory.insert(directory.end(), member.name.begin(), member.name.end());
    append(directory, 0x7777, 2), append(directory, 0, 2);  // another extra field before it
    append(directory, 1, 2), append(directory, 24, 2);
    append_64(directory, bytes), append_64(directory, bytes), append_64(directory, offset);
  }
  const std::uint64_t start = file.size();
  file.insert(file.end(), directory.begin(), directory.end());
  const std::uint64_t end = file.size();
  append(file, 0x06064b50, 4), append_64(file, 44), append(file, 45, 2), append(file, 45, 2), append_64(file, 0);
  append_64(file, members.size()), append_64(file, members.size()), append_64(file, directory.size());
  append_64(file, start);
  append(file, 0x07064b50, 4), append(file, 0, 4), append_64(file, end), append(file, 1, 4);
  append(file, 0x06054b50, 4), append(file, 0, 4), append(file, 0xffff, 2), append(file, 0xffff, 2);
  append(file, 0xffffffff, 4), append(file, 0xffffffff, 4), append(file, 0, 2);
  return file;
}

TEST_F(Npy, reads_zip64_archives) {
  write_file(archive, zip(small_set(), false));
  const Loaded usual = load(data, Split::train);
  write_file(archive, zip64(small_set()));
  EXPECT_EQ(load(data, Split::train).u8, usual.u8);
  EXPECT_EQ(load(data, Split::test).labels, (std::vector<std::int32_t>{1}));
  survive_damage(archive, [this] { load(data, Split::train); });
  const Bytes whole = zip64(small_set());
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 3) {
    write_file(archive, Bytes(whole.begin(), whole.begin() + static_cast<long>(bytes)));
    EXPECT_THAT(load_error(data), HasSubstr("set.npz")) << bytes;
  }
}

TEST_F(Npy, reads_the_long_integers_of_python_2) {
  auto members = small_set();
  members[0].content = npy("'|u1'", "(2L, 1L, 2, 3L)", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  write_file(archive, zip(members, false));
  EXPECT_THAT(load(data, Split::train).shape.sample_shape, ElementsAre(3, 1, 2));
}

TEST_F(Npy, has_the_labels_that_occur_as_classes_and_warns_of_gaps) {
  auto members = small_set();
  members[1].content = npy("'<i8'", "(2,)", bytes_of<std::int64_t>({20000, -1}));
  members[3].content = npy("'<i8'", "(1,)", bytes_of<std::int64_t>({20000}));
  write_file(archive, zip(members, false));
  const auto reader = open_dataset(data, {});
  EXPECT_THAT(reader->shape(Split::train).class_names, ElementsAre("-1", "20000"));
  EXPECT_THAT(load(*reader, Split::train).labels, ElementsAre(1, 0));
  EXPECT_THAT(reader->warnings(), ElementsAre(HasSubstr("array y_train: the labels have gaps")));
  data.mutable_npy()->add_class_names("no"), data.mutable_npy()->add_class_names("yes");
  EXPECT_THAT(open_dataset(data, {})->shape(Split::train).class_names, ElementsAre("no", "yes"));
}

TEST_F(Npy, draws_test_samples_where_no_test_arrays_are_named) {
  constexpr int n = 50;
  std::vector<float> values;
  std::vector<std::int64_t> labels;
  std::vector<std::int32_t> groups;
  for (int i = 0; i < n; ++i)
    values.push_back(static_cast<float>(i)), labels.push_back(i == 7 ? 2 : i % 2), groups.push_back(i / 10);
  const std::vector<Member> members{{"x.npy", npy("'<f4'", "(50, 1)", bytes_of(values))},
                                    {"y.npy", npy("'<i8'", "(50,)", bytes_of(labels))},
                                    {"who.npy", npy("'<i4'", "(50,)", bytes_of(groups))}};
  write_file(archive, zip(members, true));
  scenario::Npy& config = *data.mutable_npy();
  config.set_train_features("x"), config.set_train_labels("y"), config.set_train_groups("who");
  config.set_test_features("");
  EXPECT_THAT(load_error(data), HasSubstr("must both be named, or both be empty"));
  config.set_test_labels("");
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Loaded train = load(data, Split::train, seed), test = load(data, Split::test, seed);
    std::vector<float> all = train.f32;
    all.insert(all.end(), test.f32.begin(), test.f32.end());
    std::ranges::sort(all);
    EXPECT_EQ(all, values);
    EXPECT_EQ(test.f32.size(), 10U);
    for (std::size_t i = 0; i < train.f32.size(); ++i) {
      const int row = static_cast<int>(train.f32[i]);
      EXPECT_EQ(train.labels[i], row == 7 ? 2 : row % 2);
      EXPECT_EQ(train.groups[i], static_cast<std::uint32_t>(row / 10));
    }
    EXPECT_TRUE(std::ranges::find(train.labels, 2) != train.labels.end());
  }
  const DatasetSummary found = describe_path(archive);
  EXPECT_THAT(found.snippet, HasSubstr("train_features: \"x\""));
  EXPECT_EQ(found.splits[1].samples, 10U);
}

TEST_F(Npy, is_described_under_the_names_that_exports_use) {
  const auto snippet_of = [this](const std::array<const char*, 4>& names) {
    auto members = small_set();
    for (std::size_t i = 0; i < 4; ++i) members[i].name = std::string(names[i]) + ".npy";
    write_file(archive, zip(members, false));
    return describe_path(archive).snippet;
  };
  EXPECT_THAT(snippet_of({"X_train", "y_train", "X_test", "y_test"}), HasSubstr("train_features: \"X_train\""));
  EXPECT_THAT(snippet_of({"train_x", "train_y", "test_x", "test_y"}), HasSubstr("test_labels: \"test_y\""));
  write_file(archive, zip({{"image.npy", npy("'|u1'", "(3, 2)", {1, 2, 3, 4, 5, 6})},
                           {"label.npy", npy("'|u1'", "(3,)", {0, 1, 1})}},
                          true));
  EXPECT_THAT(describe_path(archive).snippet, HasSubstr("test_features: \"\""));
}

TEST_F(Npy, survives_damage) {
  for (const bool deflate : {false, true}) {
    write_file(archive, zip(small_set(), deflate));
    survive_damage(archive, [this] { load(data, Split::train); });
  }
  for (const Member& member : small_set()) write_file(directory / member.name, member.content);
  data.mutable_npy()->set_path(directory.path());
  survive_damage(directory / "x_train.npy", [this] { load(data, Split::train); });
}

TEST(RealNpy, reads_deflated_archives_that_numpy_wrote) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  scenario::Npy& npy_config = *data.mutable_npy();
  npy_config.set_path("${SOUK_DATA}/heterophilous-graphs/tolokers.npz");
  npy_config.set_train_features("node_features"), npy_config.set_train_labels("node_labels");
  npy_config.set_test_features("node_features"), npy_config.set_test_labels("node_labels");

  const Loaded nodes = load(data, Split::train);

  EXPECT_EQ(nodes.labels.size(), 11'758u);
  EXPECT_EQ(nodes.shape.sample_shape[0], 10u);
  EXPECT_EQ(std::count(nodes.labels.begin(), nodes.labels.end(), 1), 2'566);
}

}  // namespace
}  // namespace souk::npy_test
