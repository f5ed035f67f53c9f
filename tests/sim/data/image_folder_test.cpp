#include <gmock/gmock.h>
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on
#include <set>

#include <png.h>

#include "tests/sim/data/support.hpp"

namespace souk::image_folder_test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace test;

// A PNG of the given size and libpng format from its pixels, rows top down, channels last.
Bytes png(unsigned width, unsigned height, unsigned format, const Bytes& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width, image.height = height, image.format = format;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  Bytes file(bytes);
  png_image_write_to_memory(&image, file.data(), &bytes, 0, pixels.data(), 0, nullptr);
  file.resize(bytes);
  return file;
}

// A JPEG of one colour.
Bytes jpeg(unsigned width, unsigned height, int channels, std::uint8_t value) {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* memory = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&encoder, &memory, &bytes);
  encoder.image_width = width, encoder.image_height = height, encoder.input_components = channels;
  encoder.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  Bytes row(width * static_cast<unsigned>(channels), value);
  JSAMPROW rows = row.data();
  for (unsigned y = 0; y < height; ++y) jpeg_write_scanlines(&encoder, &rows, 1);
  jpeg_finish_compress(&encoder);
  const Bytes file(memory, memory + bytes);
  jpeg_destroy_compress(&encoder);
  std::free(memory);
  return file;
}

class ImageFolder : public testing::Test {
 protected:
  ImageFolder() { data.mutable_image_folder()->set_directory(directory.path()); }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(ImageFolder, passes_over_what_macos_leaves_and_says_so) {
  for (const char* name : {"train/a/1.png", "train/b/1.png", "test/a/1.png"}) {
    write_file(directory / name, png(1, 1, PNG_FORMAT_GRAY, {7}));
  }
  write_file(directory / "train/a/._1.png", std::string("AppleDouble"));
  write_file(directory / "train/__MACOSX/._a.png", std::string("AppleDouble"));

  const auto reader = open_dataset(data, {});

  EXPECT_THAT(reader->shape(Split::train).class_names, ElementsAre("a", "b"));
  EXPECT_THAT(load(*reader, Split::train).u8, ElementsAre(7, 7));
  EXPECT_THAT(reader->warnings(), ElementsAre(HasSubstr("1 image files whose names begin with a dot")));
}

TEST_F(ImageFolder, reads_classes_and_files_in_ascending_order) {
  write_file(directory / "train/dog/1.png", png(2, 1, PNG_FORMAT_GRAY, {3, 4}));
  write_file(directory / "train/cat/b.png", png(2, 1, PNG_FORMAT_GRAY, {1, 2}));
  write_file(directory / "train/cat/a.PNG", png(2, 1, PNG_FORMAT_GRAY, {5, 6}));
  write_file(directory / "train/cat/notes.txt", std::string("no image"));
  write_file(directory / "test/dog/1.jpg", jpeg(2, 1, 1, 200));

  const auto reader = open_dataset(data, {});
  const Loaded train = load(*reader, Split::train), test = load(*reader, Split::test);

  EXPECT_THAT(train.u8, ElementsAre(5, 6, 1, 2, 3, 4));
  EXPECT_THAT(train.labels, ElementsAre(0, 0, 1));
  EXPECT_THAT(train.shape.class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(train.shape.sample_shape, ElementsAre(1, 1, 2));
  EXPECT_THAT(test.u8, ElementsAre(200, 200));
  EXPECT_THAT(test.labels, ElementsAre(1));
  EXPECT_THAT(load(*reader, Split::train, RowRange{1, 2}).u8, ElementsAre(1, 2));
}

TEST_F(ImageFolder, separates_channels_drops_transparency_and_spreads_grey) {
  write_file(directory / "train/a/1.png", png(1, 2, PNG_FORMAT_RGBA, {1, 2, 3, 255, 4, 5, 6, 255}));
  write_file(directory / "train/a/2.png", png(1, 2, PNG_FORMAT_GRAY, {7, 8}));
  write_file(directory / "train/b/1.jpeg", jpeg(1, 2, 3, 100));
  write_file(directory / "test/b/1.png", png(1, 2, PNG_FORMAT_RGB, {1, 2, 3, 4, 5, 6}));

  const Loaded train = load(data, Split::train);

  EXPECT_THAT(std::vector<int>(train.u8.begin(), train.u8.begin() + 12),
              ElementsAre(1, 4, 2, 5, 3, 6, 7, 8, 7, 8, 7, 8));
  EXPECT_THAT(Bytes(train.u8.begin() + 12, train.u8.end()), Each(100));
}

TEST_F(ImageFolder, draws_a_test_share_of_every_class_where_there_is_no_test_folder) {
  for (int i = 0; i < 20; ++i) {
    const auto level = static_cast<std::uint8_t>(i);
    write_file(directory / fmt::format("train/{}/{}.png", i % 2, i), png(1, 1, PNG_FORMAT_GRAY, {level}));
  }
  data.mutable_image_folder()->set_test_fraction(0.3);

  const Loaded train = load(data, Split::train), test = load(data, Split::test);
  std::multiset<int> all(train.u8.begin(), train.u8.end());
  all.insert(test.u8.begin(), test.u8.end());

  EXPECT_THAT(test.labels, ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_EQ(all.size(), 20u);
  EXPECT_EQ(std::set<int>(all.begin(), all.end()).size(), 20u);
  EXPECT_EQ(load(data, Split::test).u8, test.u8);
  EXPECT_NE(load(data, Split::test, 2).u8, test.u8);
}

TEST_F(ImageFolder, names_what_is_wrong) {
  EXPECT_THAT(load_error(data), HasSubstr("train: no such directory"));
  write_file(directory / "train/a/1.png", png(2, 1, PNG_FORMAT_GRAY, {3, 4}));
  EXPECT_THAT(load_error(data), HasSubstr("has 1 class folders"));
  write_file(directory / "train/b/1.png", png(1, 1, PNG_FORMAT_GRAY, {3}));
  write_file(directory / "test/b/1.png", png(2, 1, PNG_FORMAT_GRAY, {3, 4}));
  EXPECT_THAT(load_error(data), HasSubstr("b/1.png: an image of 1 x 1 pixels, the data set's are 1 x 2"));
  write_file(directory / "train/b/1.png", png(2, 1, PNG_FORMAT_RGB, {3, 4, 5, 6, 7, 8}));
  EXPECT_THAT(load_error(data), HasSubstr("a colour image, but the data set's first is grey"));
  write_file(directory / "train/b/1.png", std::string("GIF89a"));
  EXPECT_THAT(load_error(data), HasSubstr("neither PNG nor JPEG"));
  write_file(directory / "train/b/1.png", png(2, 1, PNG_FORMAT_GRAY, {3, 4}));
  EXPECT_THAT(load_error(data), IsEmpty());
  write_file(directory / "test/c/1.png", png(2, 1, PNG_FORMAT_GRAY, {3, 4}));
  EXPECT_THAT(load_error(data), HasSubstr("class folder \"c\" has no counterpart"));
}

TEST_F(ImageFolder, refuses_absurd_sizes_before_decoding) {
  Bytes huge = png(2, 1, PNG_FORMAT_GRAY, {3, 4});
  huge[16] = 0x00, huge[17] = 0x0f, huge[20] = 0x00, huge[21] = 0x0f;  // 983,042 x 983,041 pixels
  const auto crc = static_cast<std::uint32_t>(crc32(0, huge.data() + 12, 17));
  for (int i = 0; i < 4; ++i) huge[29 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  write_file(directory / "train/a/1.png", huge);
  write_file(directory / "train/b/1.png", huge);

  EXPECT_THAT(load_error(data), HasSubstr("1.png"));
}

TEST_F(ImageFolder, ends_in_an_error_wherever_an_image_is_cut) {
  Bytes pixels(64);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37);
  const std::string file = directory / "train/b/1.png";
  write_file(directory / "train/a/1.png", png(8, 8, PNG_FORMAT_GRAY, pixels));
  write_file(directory / "test/a/1.png", png(8, 8, PNG_FORMAT_GRAY, pixels));
  for (const Bytes& whole : {png(8, 8, PNG_FORMAT_GRAY, pixels), jpeg(8, 8, 1, 77)}) {
    for (std::size_t bytes = 0; bytes + 2 < whole.size(); bytes += 7) {
      write_file(file, Bytes(whole.begin(), whole.begin() + static_cast<long>(bytes)));
      EXPECT_THAT(load_error(data), HasSubstr("b/1.png")) << bytes;
    }
  }
}

TEST_F(ImageFolder, survives_damage) {
  const std::string file = directory / "train/a/1.png";
  write_file(directory / "train/b/1.png", png(8, 8, PNG_FORMAT_GRAY, Bytes(64, 9)));
  write_file(directory / "test/a/1.png", png(8, 8, PNG_FORMAT_GRAY, Bytes(64, 9)));
  for (const Bytes& whole : {png(8, 8, PNG_FORMAT_GRAY, Bytes(64, 9)), jpeg(8, 8, 3, 77)}) {
    write_file(file, whole);
    survive_damage(file, [this] { load(data, Split::train); });
  }
}

}  // namespace
}  // namespace souk::image_folder_test
