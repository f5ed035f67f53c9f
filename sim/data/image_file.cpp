#include "sim/data/image_file.hpp"

// clang-format off
#include <cstdio>
#include <jpeglib.h>  // needs stdio before it
// clang-format on
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <vector>

#include <png.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

constexpr std::size_t pixels_max = std::size_t{1} << 24;
constexpr std::size_t message_bytes = 256;

// Both libraries report errors by a jump past frames, which may hold no C++ object that needs a destructor: everything
// that does lives in these decoders, whose members are made before the jump target is set.

struct PngDecoder {
  std::span<const std::uint8_t> content;
  std::array<char, message_bytes> message{};
  std::vector<std::uint8_t> pixels;  // [height, width, channels]
  std::vector<png_bytep> rows;
  ImageShape shape;
  png_structp png = nullptr;
  png_infop info = nullptr;

  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

void keep_png_error(png_structp png, png_const_charp text) {
  auto* decoder = static_cast<PngDecoder*>(png_get_error_ptr(png));
  std::snprintf(decoder->message.data(), message_bytes, "%s", text);
  std::longjmp(png_jmpbuf(png), 1);
}

void ignore_png_warning(png_structp, png_const_charp) {}

void give_png_bytes(png_structp png, png_bytep out, std::size_t bytes) {
  auto* decoder = static_cast<PngDecoder*>(png_get_io_ptr(png));
  if (bytes > decoder->content.size()) png_error(png, "ends early");
  std::memcpy(out, decoder->content.data(), bytes);
  decoder->content = decoder->content.subspan(bytes);
}

bool start_png(PngDecoder& decoder) {
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, keep_png_error, ignore_png_warning);
  SOUK_EXPECT(decoder.png != nullptr);
  decoder.info = png_create_info_struct(decoder.png);
  SOUK_EXPECT(decoder.info != nullptr);
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_set_read_fn(decoder.png, &decoder, give_png_bytes);
  png_read_info(decoder.png, decoder.info);
  const bool colour = (png_get_color_type(decoder.png, decoder.info) & PNG_COLOR_MASK_COLOR) != 0;
  decoder.shape = {colour ? 3u : 1u, png_get_image_height(decoder.png, decoder.info),
                   png_get_image_width(decoder.png, decoder.info)};
  return true;
}

// Reads the pixels after start_png; pixels and rows must be allocated.
bool finish_png(PngDecoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  const png_byte type = png_get_color_type(decoder.png, decoder.info);
  png_set_strip_16(decoder.png);
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(decoder.png);
  if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(decoder.png);
  if ((type & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_alpha(decoder.png);
  png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
  if (png_get_rowbytes(decoder.png, decoder.info) != decoder.shape.width * decoder.shape.channels) {
    png_error(decoder.png, "unexpected row size");
  }
  png_read_image(decoder.png, decoder.rows.data());
  png_read_end(decoder.png, nullptr);
  return true;
}

struct JpegDecoder {
  jpeg_error_mgr errors{};  // first: libjpeg hands us a pointer to it
  std::jmp_buf target{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  jpeg_decompress_struct jpeg{};
  std::vector<std::uint8_t> pixels;
  ImageShape shape;

  ~JpegDecoder() { jpeg_destroy_decompress(&jpeg); }
};

void keep_jpeg_error(j_common_ptr jpeg) {
  auto* decoder = reinterpret_cast<JpegDecoder*>(jpeg->err);
  jpeg->err->format_message(jpeg, decoder->message.data());
  std::longjmp(decoder->target, 1);
}

// libjpeg only warns of truncated and corrupt data and invents the rest; to us they are errors.
void keep_jpeg_warning(j_common_ptr jpeg, int level) {
  if (level < 0) keep_jpeg_error(jpeg);
}

bool start_jpeg(JpegDecoder& decoder, std::span<const std::uint8_t> content) {
  decoder.jpeg.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = keep_jpeg_error;
  decoder.errors.emit_message = keep_jpeg_warning;
  if (setjmp(decoder.target) != 0) return false;
  jpeg_create_decompress(&decoder.jpeg);
  jpeg_mem_src(&decoder.jpeg, content.data(), content.size());
  jpeg_read_header(&decoder.jpeg, TRUE);
  decoder.shape = {decoder.jpeg.num_components == 1 ? 1u : 3u, decoder.jpeg.image_height, decoder.jpeg.image_width};
  return true;
}

bool finish_jpeg(JpegDecoder& decoder) {
  if (setjmp(decoder.target) != 0) return false;
  decoder.jpeg.out_color_space = decoder.shape.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  decoder.jpeg.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&decoder.jpeg);
  const std::size_t row_bytes = decoder.shape.width * decoder.shape.channels;
  while (decoder.jpeg.output_scanline < decoder.jpeg.output_height) {
    JSAMPROW row = decoder.pixels.data() + decoder.jpeg.output_scanline * row_bytes;
    jpeg_read_scanlines(&decoder.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&decoder.jpeg);
  return true;
}

bool is_png(std::span<const std::uint8_t> content) {
  return content.size() >= 8 && png_sig_cmp(content.data(), 0, 8) == 0;
}

bool is_jpeg(std::span<const std::uint8_t> content) {
  return content.size() >= 3 && content[0] == 0xff && content[1] == 0xd8 && content[2] == 0xff;
}

void require_size(const ImageShape& shape, const std::string& path) {
  SOUK_REQUIRE(shape.height > 0 && shape.width > 0 && shape.height <= pixels_max / shape.width,
               "{}: an image of {} x {} pixels, must be 1 to {} pixels", path, shape.height, shape.width, pixels_max);
}

void require_shape(const ImageShape& shape, const ImageShape& expected, const std::string& path) {
  SOUK_REQUIRE(shape.height == expected.height && shape.width == expected.width,
               "{}: an image of {} x {} pixels, the data set's are {} x {}", path, shape.height, shape.width,
               expected.height, expected.width);
  SOUK_REQUIRE(shape.channels <= expected.channels,
               "{}: a colour image, but the data set's first is grey: convert one or the other", path);
}

// From [height, width, channels] to [channels, height, width].
void separate_channels(std::span<const std::uint8_t> pixels, std::size_t channels, const ImageShape& expected,
                       std::span<std::uint8_t> out) {
  const std::size_t plane = expected.height * expected.width;
  for (std::size_t c = 0; c < expected.channels; ++c) {
    const std::size_t from = channels == 1 ? 0 : c;
    for (std::size_t i = 0; i < plane; ++i) out[c * plane + i] = pixels[i * channels + from];
  }
}

void decode_png(std::span<const std::uint8_t> content, const std::string& path, const ImageShape& expected,
                std::span<std::uint8_t> out) {
  PngDecoder decoder;
  decoder.content = content;
  SOUK_REQUIRE(start_png(decoder), "{}: damaged PNG: {}", path, decoder.message.data());
  require_shape(decoder.shape, expected, path);
  const std::size_t row_bytes = decoder.shape.width * decoder.shape.channels;
  decoder.pixels.resize(decoder.shape.height * row_bytes);
  for (std::size_t y = 0; y < decoder.shape.height; ++y) decoder.rows.push_back(decoder.pixels.data() + y * row_bytes);
  SOUK_REQUIRE(finish_png(decoder), "{}: damaged PNG: {}", path, decoder.message.data());
  separate_channels(decoder.pixels, decoder.shape.channels, expected, out);
}

void decode_jpeg(std::span<const std::uint8_t> content, const std::string& path, const ImageShape& expected,
                 std::span<std::uint8_t> out) {
  JpegDecoder decoder;
  SOUK_REQUIRE(start_jpeg(decoder, content), "{}: damaged JPEG: {}", path, decoder.message.data());
  require_shape(decoder.shape, expected, path);
  decoder.pixels.resize(decoder.shape.height * decoder.shape.width * decoder.shape.channels);
  SOUK_REQUIRE(finish_jpeg(decoder), "{}: damaged JPEG: {}", path, decoder.message.data());
  separate_channels(decoder.pixels, decoder.shape.channels, expected, out);
}

}  // namespace

ImageShape image_shape(std::span<const std::uint8_t> content, const std::string& path) {
  ImageShape shape;
  if (is_png(content)) {
    PngDecoder decoder;
    decoder.content = content;
    SOUK_REQUIRE(start_png(decoder), "{}: damaged PNG: {}", path, decoder.message.data());
    shape = decoder.shape;
  } else if (is_jpeg(content)) {
    JpegDecoder decoder;
    SOUK_REQUIRE(start_jpeg(decoder, content), "{}: damaged JPEG: {}", path, decoder.message.data());
    shape = decoder.shape;
  } else {
    throw_input_error("{}: neither PNG nor JPEG", path);
  }
  require_size(shape, path);
  return shape;
}

void decode_image(std::span<const std::uint8_t> content, const std::string& path, const ImageShape& expected,
                  std::span<std::uint8_t> out) {
  SOUK_EXPECT(out.size() == expected.channels * expected.height * expected.width);
  SOUK_REQUIRE(is_png(content) || is_jpeg(content), "{}: neither PNG nor JPEG", path);
  if (is_png(content)) {
    decode_png(content, path, expected, out);
  } else {
    decode_jpeg(content, path, expected, out);
  }
}

}  // namespace souk
