#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "tests/sim/data/support.hpp"

namespace souk::idx_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

Bytes idx(const std::vector<std::uint32_t>& sizes, const Bytes& values) {
  Bytes file{0, 0, 8, static_cast<std::uint8_t>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) file.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  file.insert(file.end(), values.begin(), values.end());
  return file;
}

class Idx : public testing::Test {
 protected:
  // Two training images of 2 x 2 pixels, one test image.
  Idx() {
    write_file(directory / "train-images-idx3-ubyte", train_images);
    write_file(directory / "train-labels-idx1-ubyte", train_labels);
    write_file(directory / "t10k-images-idx3-ubyte", idx({1, 2, 2}, {9, 10, 11, 12}));
    write_file(directory / "t10k-labels-idx1-ubyte", idx({1}, {9}));
    data.mutable_idx()->set_directory(directory.path());
  }

  TempDirectory directory;
  scenario::Data data;
  Bytes train_images = idx({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  Bytes train_labels = idx({2}, {3, 0});
};

TEST_F(Idx, reads_images_and_labels_of_both_splits) {
  const Loaded train = load(data, Split::train), test = load(data, Split::test);

  EXPECT_THAT(train.u8, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(train.labels, ElementsAre(3, 0));
  EXPECT_THAT(train.shape.sample_shape, ElementsAre(1, 2, 2));
  EXPECT_EQ(train.shape.class_names.size(), 10u);
  EXPECT_THAT(test.u8, ElementsAre(9, 10, 11, 12));
  EXPECT_THAT(test.labels, ElementsAre(9));
}

TEST_F(Idx, reads_packed_files_and_the_spelling_with_a_dot) {
  std::filesystem::remove(directory / "train-images-idx3-ubyte");
  std::filesystem::remove(directory / "train-labels-idx1-ubyte");
  write_file(directory / "train-images.idx3-ubyte.gz", gzip(train_images));
  write_file(directory / "train-labels.idx1-ubyte.gz", gzip(train_labels));

  const auto reader = open_dataset(data, {});

  EXPECT_THAT(load(*reader, Split::train).u8, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(load(*reader, Split::train, RowRange{1, 2}).u8, ElementsAre(5, 6, 7, 8));
  EXPECT_FALSE(reader->rows_are_independent());
}

TEST_F(Idx, reads_a_range_of_rows) {
  const auto reader = open_dataset(data, {});

  const Loaded second = load(*reader, Split::train, RowRange{1, 2});

  EXPECT_TRUE(reader->rows_are_independent());
  EXPECT_THAT(second.u8, ElementsAre(5, 6, 7, 8));
  EXPECT_THAT(second.labels, ElementsAre(0));
}

TEST_F(Idx, turns_emnist_images_upright_and_counts_its_letters_from_one) {
  write_file(directory / "emnist-letters-train-images-idx3-ubyte", train_images);
  write_file(directory / "emnist-letters-train-labels-idx1-ubyte", idx({2}, {1, 26}));
  write_file(directory / "emnist-letters-test-images-idx3-ubyte", train_images);
  write_file(directory / "emnist-letters-test-labels-idx1-ubyte", idx({2}, {0, 1}));
  data.mutable_idx()->set_emnist_split("letters");

  const Loaded train = load(data, Split::train);

  EXPECT_THAT(train.u8, ElementsAre(1, 3, 2, 4, 5, 7, 6, 8));
  EXPECT_THAT(train.labels, ElementsAre(0, 25));
  EXPECT_EQ(train.shape.class_names.back(), "Z");
  EXPECT_THAT(load_error(data), HasSubstr("label 0 of sample 0 is not in 1 to 26"));
}

TEST_F(Idx, names_what_is_wrong_with_a_file) {
  const auto error_with = [this](const std::string& name, const Bytes& content) {
    const Bytes before = read_file(directory / name);
    write_file(directory / name, content);
    const std::string error = load_error(data);
    write_file(directory / name, before);
    return error;
  };
  const std::string images = "train-images-idx3-ubyte", labels = "train-labels-idx1-ubyte";
  Bytes wrong_magic = train_images, wrong_type = train_images, longer = train_images;
  wrong_magic[0] = 1, wrong_type[2] = 0x0d, longer.push_back(0);

  EXPECT_THAT(error_with(images, wrong_magic), HasSubstr("not an IDX file"));
  EXPECT_THAT(error_with(images, wrong_type), HasSubstr("IDX type 0x0d"));
  EXPECT_THAT(error_with(images, longer), HasSubstr("goes on after"));
  EXPECT_THAT(error_with(images, idx({0xffffffff, 0xffffffff, 0xffffffff}, {1})), HasSubstr("more data than the file"));
  EXPECT_THAT(error_with(images, idx({0, 2, 2}, {})), HasSubstr("a dimension of size 0"));
  EXPECT_THAT(error_with(images, gzip(idx({60000, 28, 28}, {1}))), HasSubstr("more data than the file"));
  EXPECT_THAT(error_with(images, gzip(longer)), HasSubstr("goes on after"));
  EXPECT_THAT(error_with(images, gzip(idx({3, 2, 2}, {1, 2}))), HasSubstr("2 labels for the 3 images"));
  EXPECT_THAT(error_with(images, idx({8}, {1, 2, 3, 4, 5, 6, 7, 8})), HasSubstr("images have 3"));
  EXPECT_THAT(error_with(labels, idx({2}, {3, 10})), HasSubstr("label 10 of sample 1 is not in 0 to 9"));
  EXPECT_THAT(error_with("t10k-images-idx3-ubyte", idx({1, 1, 4}, {9, 10, 11, 12})), HasSubstr("1 x 4 images"));
  EXPECT_EQ(load_error(data), "");
}

TEST_F(Idx, ends_in_an_error_wherever_a_file_is_cut) {
  for (const Bytes& whole : {train_images, gzip(train_images)}) {
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      write_file(directory / "train-images-idx3-ubyte", Bytes(whole.begin(), whole.begin() + static_cast<long>(bytes)));
      EXPECT_THAT(load_error(data), HasSubstr("train-images-idx3-ubyte")) << bytes;
    }
  }
}

TEST_F(Idx, survives_damage) {
  const auto read_all = [this] { load(data, Split::train); };

  survive_damage(directory / "train-images-idx3-ubyte", read_all);
  write_file(directory / "train-images-idx3-ubyte", gzip(train_images));
  survive_damage(directory / "train-images-idx3-ubyte", read_all);
}

TEST_F(Idx, reads_files_of_any_names) {
  TempDirectory other;
  write_file(other / "X_kannada_train.bin", train_images);
  write_file(other / "y_kannada_train.gz", gzip(train_labels));
  write_file(other / "X_kannada_test.bin", idx({1, 2, 2}, {9, 10, 11, 12}));
  write_file(other / "y_kannada_test.bin", idx({1}, {3}));
  scenario::Idx& config = *data.mutable_idx();
  config.set_images(other / "X_kannada_train.bin"), config.set_labels(other / "y_kannada_train.gz");
  config.set_test_images(other / "X_kannada_test.bin");
  EXPECT_THAT(load_error(data), HasSubstr("names a directory as well as files"));
  config.set_directory("");
  EXPECT_THAT(load_error(data), HasSubstr("task.data.idx.test_labels: is empty"));
  config.set_test_labels(other / "y_kannada_test.bin");

  const auto reader = open_dataset(data, {});

  EXPECT_THAT(reader->shape(Split::train).class_names, ElementsAre("0", "3"));
  EXPECT_THAT(load(*reader, Split::train).labels, ElementsAre(1, 0));
  EXPECT_THAT(load(*reader, Split::train).u8, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(load(*reader, Split::test).labels, ElementsAre(1));
  EXPECT_THAT(reader->warnings(), ElementsAre(HasSubstr("labelled 1 to 2")));
  EXPECT_THAT(describe_path(other.path()).snippet,
              HasSubstr("test_labels: \"" + (other / "y_kannada_test.bin") + "\""));
  config.add_class_names("ondu"), config.add_class_names("mooru");
  EXPECT_THAT(open_dataset(data, {})->shape(Split::train).class_names, ElementsAre("ondu", "mooru"));
  write_file(other / "y_kannada_test.bin", idx({1}, {4}));
  EXPECT_THAT(load_error(data),
              HasSubstr("y_kannada_test.bin: label 4 of sample 0 is not in 0 to 3, those of the training"));
}

TEST_F(Idx, names_missing_files_and_unknown_splits) {
  std::filesystem::remove(directory / "t10k-labels-idx1-ubyte");
  EXPECT_THAT(load_error(data), HasSubstr("has no file t10k-labels-idx1-ubyte"));
  data.mutable_idx()->set_emnist_split("cursive");
  EXPECT_THAT(load_error(data), HasSubstr("data.idx.emnist_split = \"cursive\""));
  data.mutable_idx()->clear_directory();
  data.mutable_idx()->clear_emnist_split();
  EXPECT_THAT(load_error(data), HasSubstr("task.data.idx.directory: is empty"));
}

TEST(RealIdx, fashion_mnist_has_its_published_counts_and_moments) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  data.mutable_idx()->set_directory("${SOUK_DATA}/fashion-mnist");

  Loaded train = load(data, Split::train);
  const Scaling scaling = fit_standard_scaling(train.shape, train.buffers());

  EXPECT_EQ(train.labels.size(), 60'000u);
  EXPECT_EQ(std::count(train.labels.begin(), train.labels.end(), 3), 6'000);
  EXPECT_NEAR(scaling.shift[0] / 255, 0.2860, 5e-5);
  EXPECT_NEAR(1 / scaling.scale[0] / 255, 0.3530, 5e-5);
  EXPECT_EQ(load(data, Split::test).labels.size(), 10'000u);
}

TEST(RealIdx, mnist_has_its_published_class_counts) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  data.mutable_idx()->set_directory("${SOUK_DATA}/mnist");

  const Loaded test = load(data, Split::test);

  EXPECT_EQ(std::count(test.labels.begin(), test.labels.end(), 1), 1135);
  EXPECT_EQ(load(data, Split::train).labels[0], 5);
}

}  // namespace
}  // namespace souk::idx_test
