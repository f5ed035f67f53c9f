#include "sim/data/text_file.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/base/contract.hpp"
#include "sim/data/byte_source.hpp"

namespace souk {
namespace {

using namespace std::string_view_literals;

/// How files begin that people take for text.
struct Beginning {
  std::string_view bytes;
  const char* is;
};
constexpr std::array<Beginning, 16> beginnings{{
    {"\xFF\xFE\0\0"sv, "is UTF-32: save it as UTF-8"},
    {"\0\0\xFE\xFF"sv, "is UTF-32: save it as UTF-8"},
    {"\xFF\xFE"sv, "is UTF-16: save it as UTF-8"},
    {"\xFE\xFF"sv, "is UTF-16: save it as UTF-8"},
    {"PK\x03\x04"sv, "is a zip archive, as workbooks (.xlsx, .ods) are: unpack it, or export its sheet as CSV"},
    {"PK\x05\x06"sv, "is an empty zip archive"},
    {"\xD0\xCF\x11\xE0"sv, "is an old Microsoft Office file (.xls): export its sheet as CSV"},
    {"BZh"sv, "is packed by bzip2: unpack it (gzip is read as it is)"},
    {"\xFD\x37zXZ"sv, "is packed by xz: unpack it (gzip is read as it is)"},
    {"\x28\xB5\x2F\xFD"sv, "is packed by zstd: unpack it (gzip is read as it is)"},
    {"7z\xBC\xAF"sv, "is a 7z archive: unpack it"},
    {"%PDF"sv, "is a PDF document"},
    {"PAR1"sv, "is a Parquet file: save it as CSV"},
    {"SQLite format 3"sv, "is an SQLite database: export its table as CSV"},
    {"\x93NUMPY"sv, "is a NumPy array: read it with task.data.npy"},
    {"\x89HDF"sv, "is an HDF5 file: save it as CSV, or as .npz"},
}};

constexpr std::array<std::uint8_t, 3> utf8_mark{0xEF, 0xBB, 0xBF};
constexpr std::size_t looked_at = 4096;

// Text of Latin letters in UTF-16 has a zero for every other byte, and hardly another.
bool looks_like_utf16(std::string_view start) {
  std::array<std::size_t, 2> zeros{};
  for (std::size_t i = 0; i < start.size(); ++i) zeros[i % 2] += start[i] == '\0';
  const std::size_t most = std::max(zeros[0], zeros[1]), least = std::min(zeros[0], zeros[1]);
  return most > 0 && 5 * most >= 2 * start.size() && 20 * least <= most;
}

}  // namespace

std::string what_begins(std::string_view start) {
  for (const Beginning& beginning : beginnings) {
    if (start.starts_with(beginning.bytes)) return beginning.is;
  }
  return {};
}

std::vector<std::uint8_t> read_plain_text(const std::string& path, std::uint64_t limit) {
  std::vector<std::uint8_t> content = read_whole_file(path, limit);
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  const std::string_view start = text.substr(0, looked_at);
  const std::string known = what_begins(start);
  SOUK_REQUIRE(known.empty(), "{}: {}", path, known);
  SOUK_REQUIRE(!looks_like_utf16(start), "{}: every other byte is zero: it is UTF-16: save it as UTF-8", path);
  const std::size_t zero = start.find('\0');
  SOUK_REQUIRE(zero == std::string_view::npos, "{}: is no text: byte {} is zero", path, zero);
  if (content.size() >= utf8_mark.size() && std::ranges::equal(std::span(content).first(utf8_mark.size()), utf8_mark)) {
    content.erase(content.begin(), content.begin() + utf8_mark.size());
  }
  return content;
}

}  // namespace souk
