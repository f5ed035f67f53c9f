#include <gmock/gmock.h>

#include "tests/sim/data/support.hpp"

namespace souk::cifar_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

// Records whose labels are given and whose pixels all have the value of `pixel`, counting up.
Bytes records(const std::vector<Bytes>& labels, std::uint8_t pixel) {
  Bytes file;
  for (const Bytes& label : labels) {
    file.insert(file.end(), label.begin(), label.end());
    file.insert(file.end(), 3072, pixel++);
  }
  return file;
}

TEST(Cifar, reads_its_batches_in_order_packed_or_not) {
  const TempDirectory directory;
  write_file(directory / "data_batch_1.bin", records({{1}, {2}}, 10));
  write_file(directory / "data_batch_3.bin.gz", gzip(records({{9}}, 30)));
  write_file(directory / "test_batch.bin", records({{0}}, 40));
  scenario::Data data;
  data.mutable_cifar()->set_directory(directory.path());

  const auto reader = open_dataset(data, {});
  const Loaded train = load(*reader, Split::train), tail = load(*reader, Split::train, RowRange{1, 3});

  EXPECT_THAT(train.labels, ElementsAre(1, 2, 9));
  EXPECT_EQ(train.u8[3071], 10);
  EXPECT_EQ(train.u8[3072], 11);
  EXPECT_EQ(train.u8[2 * 3072], 30);
  EXPECT_THAT(tail.labels, ElementsAre(2, 9));
  EXPECT_EQ(tail.u8, Bytes(train.u8.begin() + 3072, train.u8.end()));
  EXPECT_THAT(train.shape.sample_shape, ElementsAre(3, 32, 32));
  EXPECT_EQ(train.shape.class_names[9], "truck");
  EXPECT_THAT(reader->warnings(), ElementsAre(HasSubstr("without data_batch_2.bin, data_batch_4.bin")));
}

TEST(Cifar, reads_fine_or_coarse_labels_of_the_hundred_classes) {
  const TempDirectory directory;
  write_file(directory / "train.bin", records({{19, 99}, {0, 5}}, 10));
  write_file(directory / "test.bin", records({{3, 4}}, 40));
  scenario::Data data;
  data.mutable_cifar()->set_directory(directory.path());

  data.mutable_cifar()->set_labels(scenario::Cifar::CIFAR100_FINE);
  const Loaded fine = load(data, Split::train);
  data.mutable_cifar()->set_labels(scenario::Cifar::CIFAR100_COARSE);
  const Loaded coarse = load(data, Split::train);

  EXPECT_THAT(fine.labels, ElementsAre(99, 5));
  EXPECT_EQ(fine.shape.class_names.size(), 100u);
  EXPECT_EQ(fine.shape.class_names[99], "worm");
  EXPECT_THAT(coarse.labels, ElementsAre(19, 0));
  EXPECT_EQ(coarse.shape.class_names.size(), 20u);
}

TEST(Cifar, names_what_is_wrong) {
  const TempDirectory directory;
  scenario::Data data;
  data.mutable_cifar()->set_directory(directory.path());
  EXPECT_THAT(load_error(data), HasSubstr("has no file data_batch_1.bin to data_batch_5.bin"));
  write_file(directory / "data_batch_1.bin", records({{1}, {2}}, 10));
  EXPECT_THAT(load_error(data), HasSubstr("has no file test_batch.bin"));
  write_file(directory / "test_batch.bin", records({{10}}, 10));
  EXPECT_THAT(load_error(data), HasSubstr("label 10 of record 0 is not below 10"));
  write_file(directory / "test_batch.bin", Bytes(3072));
  EXPECT_THAT(load_error(data), HasSubstr("3072 bytes are not a positive multiple of the record size, 3073"));
  write_file(directory / "test_batch.bin", Bytes());
  EXPECT_THAT(load_error(data), HasSubstr("0 bytes"));
  Bytes lying = gzip(records({{1}}, 10));
  lying[lying.size() - 2] = 0x7f;
  write_file(directory / "test_batch.bin", lying);
  EXPECT_THAT(load_error(data), HasSubstr("test_batch.bin"));
}

TEST(Cifar, survives_damage) {
  const TempDirectory directory;
  write_file(directory / "data_batch_1.bin", gzip(records({{1}, {2}}, 10)));
  write_file(directory / "test_batch.bin", records({{0}}, 40));
  scenario::Data data;
  data.mutable_cifar()->set_directory(directory.path());

  survive_damage(directory / "data_batch_1.bin", [&data] { load(data, Split::train); });
}

TEST(RealCifar, begins_with_the_published_labels) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  data.mutable_cifar()->set_directory("${SOUK_DATA}/cifar10");

  const Loaded train = load(data, Split::train);

  EXPECT_EQ(train.labels.size(), 10'000u);
  EXPECT_THAT(std::vector<int>(train.labels.begin(), train.labels.begin() + 10),
              ElementsAre(6, 9, 9, 4, 1, 1, 2, 7, 8, 3));
}

}  // namespace
}  // namespace souk::cifar_test
