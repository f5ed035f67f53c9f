#include "analysis/png.hpp"

#include <cstdint>
#include <string_view>

#include <zlib.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

void add_number(std::uint32_t number, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((number >> shift) & 0xFFU));
}

/// Length, type, data, and the CRC of the last two.
void add_chunk(std::string_view type, const std::string& data, std::string& out) {
  add_number(static_cast<std::uint32_t>(data.size()), out);
  const std::string checked = std::string(type) + data;
  out += checked;
  const auto* bytes = reinterpret_cast<const Bytef*>(checked.data());
  add_number(static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(checked.size()))), out);
}

std::string compressed(const std::string& data) {
  uLongf size = compressBound(static_cast<uLong>(data.size()));
  std::string out(size, '\0');
  const int result = compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data.data()),
                               static_cast<uLong>(data.size()), 9);
  SOUK_EXPECT(result == Z_OK);
  out.resize(size);
  return out;
}

}  // namespace

std::string png_of(const PictureRow& picture) {
  SOUK_EXPECT(picture.channels == 1 || picture.channels == 3);
  SOUK_EXPECT(picture.values.size() == picture.height * picture.width * picture.channels);
  std::string header;
  add_number(static_cast<std::uint32_t>(picture.width), header);
  add_number(static_cast<std::uint32_t>(picture.height), header);
  header += std::string{8, picture.channels == 1 ? '\0' : '\2', 0, 0, 0};  // bits; grey or colours; the usual methods
  const std::size_t row = picture.width * picture.channels;
  std::string lines;
  for (std::size_t y = 0; y < picture.height; ++y) {
    lines.push_back('\0');  // no filter
    lines.append(reinterpret_cast<const char*>(picture.values.data()) + y * row, row);
  }
  std::string file = "\x89PNG\r\n\x1a\n";
  add_chunk("IHDR", header, file);
  add_chunk("IDAT", compressed(lines), file);
  add_chunk("IEND", {}, file);
  return file;
}

}  // namespace souk
