#include "sim/data/npy_array.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/data/zip_archive.hpp"

namespace souk {
namespace {

static_assert(std::endian::native == std::endian::little, "values are used as stored");

namespace fs = std::filesystem;

constexpr std::size_t header_bytes_max = 1 << 20;
constexpr std::size_t dimensions_max = 32;
constexpr std::size_t step_values = 1 << 14;

void read_bytes(NpyArray& array, std::span<std::uint8_t> out) {
  array.source.read(out);
  if (array.checked) {
    for (std::size_t at = 0; at < out.size(); at += 1u << 30) {
      const auto step = static_cast<uInt>(std::min<std::size_t>(out.size() - at, 1u << 30));
      array.running_crc32 = static_cast<std::uint32_t>(::crc32(array.running_crc32, out.data() + at, step));
    }
  }
}

// Value of a key in the header's Python dictionary, up to its comma or closing brace outside brackets and quotes.
std::string_view value_in_header(const NpyArray& array, std::string_view header, std::string_view key) {
  const std::string quoted = fmt::format("'{}':", key);
  std::size_t begin = header.find(quoted);
  SOUK_REQUIRE(begin != std::string_view::npos, "{}: the .npy header has no '{}'", array.name, key);
  begin = header.find_first_not_of(' ', begin + quoted.size());
  SOUK_REQUIRE(begin != std::string_view::npos, "{}: the .npy header ends after '{}'", array.name, key);
  const char close = header[begin] == '(' ? ')' : header[begin] == '\'' ? '\'' : ',';
  const std::size_t end = header.find(close, begin + 1);
  SOUK_REQUIRE(end != std::string_view::npos, "{}: the .npy header's '{}' has no end", array.name, key);
  return header.substr(begin, end - begin + (close == ',' ? 0 : 1));
}

NpyType parse_type(const NpyArray& array, std::string_view descr) {
  SOUK_REQUIRE(descr.find('O') == std::string_view::npos && descr.find('[') == std::string_view::npos,
               "{}: holds Python objects or records (dtype {}), which are not read: save it as numbers", array.name,
               descr);
  const bool quoted = descr.size() == 5 && descr.front() == '\'' && descr.back() == '\'';
  const NpyType type = quoted ? NpyType{descr[2], static_cast<std::size_t>(descr[3] - '0')} : NpyType{'?', 0};
  const bool order_known = quoted && (descr[1] == '<' || descr[1] == '|');
  const bool integer = (type.kind == 'u' || type.kind == 'i') &&
                       (type.bytes == 1 || type.bytes == 2 || type.bytes == 4 || type.bytes == 8);
  const bool known =
      integer || (type.kind == 'f' && (type.bytes == 4 || type.bytes == 8)) || (type.kind == 'b' && type.bytes == 1);
  SOUK_REQUIRE(order_known && known, "{}: dtype {} is not read: must be little-endian integers, float32 or float64",
               array.name, descr);
  return type;
}

std::vector<std::uint64_t> parse_shape(const NpyArray& array, std::string_view text) {
  SOUK_REQUIRE(text.front() == '(' && text.back() == ')', "{}: damaged shape {}", array.name, text);
  std::vector<std::uint64_t> shape;
  const char* at = text.data() + 1;
  const char* const end = text.data() + text.size() - 1;
  while (at != end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    std::uint64_t size = 0;
    const auto parsed = std::from_chars(at, end, size);
    SOUK_REQUIRE(parsed.ec == std::errc{} && shape.size() < dimensions_max, "{}: damaged shape {}", array.name, text);
    shape.push_back(size);
    at = parsed.ptr;
    if (at != end && *at == 'L') ++at;  // Python 2 wrote long integers so
  }
  return shape;
}

std::string read_header(NpyArray& array) {
  std::array<std::uint8_t, 8> start{};
  read_bytes(array, start);
  constexpr std::array<std::uint8_t, 6> magic{0x93, 'N', 'U', 'M', 'P', 'Y'};
  SOUK_REQUIRE(std::equal(magic.begin(), magic.end(), start.begin()), "{}: not an .npy file", array.name);
  const int version = start[6];
  SOUK_REQUIRE(version >= 1 && version <= 3, "{}: .npy version {} is not read", array.name, version);
  std::array<std::uint8_t, 4> length{};
  read_bytes(array, std::span(length).first(version == 1 ? 2 : 4));
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, length.data(), sizeof bytes);
  SOUK_REQUIRE(bytes <= header_bytes_max, "{}: .npy header of {} bytes", array.name, bytes);
  std::vector<std::uint8_t> header(bytes);
  read_bytes(array, header);
  return {header.begin(), header.end()};
}

// `bytes`: how many the file or member has in all; for deflated members as its archive claims.
NpyArray parse_npy(NpyArray array, std::uint64_t bytes, ValueOrder order) {
  const std::string header = read_header(array);
  array.type = parse_type(array, value_in_header(array, header, "descr"));
  const std::string_view fortran = value_in_header(array, header, "fortran_order");
  array.shape = parse_shape(array, value_in_header(array, header, "shape"));
  array.fortran = fortran != "False" && array.shape.size() > 1;
  SOUK_REQUIRE(fortran == "False" || (fortran == "True" && order == ValueOrder::any),
               "{}: is in Fortran order: save numpy.ascontiguousarray(…)", array.name);
  array.values = 1;
  const std::uint64_t possible = std::min(bytes, array.source.size_bound());
  for (const std::uint64_t size : array.shape) {
    SOUK_REQUIRE(size > 0, "{}: an array without values", array.name);
    SOUK_REQUIRE(size <= possible / array.values, "{}: its header declares more values than the file can hold",
                 array.name);
    array.values *= size;
  }
  SOUK_REQUIRE(array.values <= possible / array.type.bytes, "{}: ends early: its header declares {} values", array.name,
               array.values);
  return array;
}

std::size_t value_bytes(const NpyArray& array, std::size_t values) { return values * array.type.bytes; }

template <class Stored, class Value>
void convert(const std::vector<std::uint8_t>& bytes, std::span<Value> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored value;
    std::memcpy(&value, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<Value>(value);
  }
}

template <class Value>
void convert_integers(const NpyType& type, const std::vector<std::uint8_t>& bytes, std::span<Value> out) {
  const bool is_signed = type.kind == 'i';
  switch (type.bytes) {
    case 1:
      return is_signed ? convert<std::int8_t>(bytes, out) : convert<std::uint8_t>(bytes, out);
    case 2:
      return is_signed ? convert<std::int16_t>(bytes, out) : convert<std::uint16_t>(bytes, out);
    case 4:
      return is_signed ? convert<std::int32_t>(bytes, out) : convert<std::uint32_t>(bytes, out);
    default:
      return is_signed ? convert<std::int64_t>(bytes, out) : convert<std::uint64_t>(bytes, out);
  }
}

void convert_reals(const NpyType& type, const std::vector<std::uint8_t>& bytes, std::span<float> out) {
  if (type.bytes == 4) return convert<float>(bytes, out);
  for (std::size_t i = 0; i < out.size(); ++i) {
    double value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    // A double beyond float's range has no defined conversion.
    const bool fits = std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max());
    out[i] = fits ? static_cast<float>(value) : std::numeric_limits<float>::infinity();
  }
}

template <class Value, class Convert>
void read_in_steps(NpyArray& array, std::span<Value> values, Convert convert_step) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < values.size(); at += step_values) {
    const auto step = values.subspan(at, std::min(step_values, values.size() - at));
    bytes.resize(value_bytes(array, step.size()));
    read_bytes(array, bytes);
    convert_step(bytes, step);
  }
}

void write_array(const std::string& path, std::string_view type, std::string_view shape,
                 std::span<const std::byte> values) {
  std::string bytes = npy_head(type, shape);
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size());
  try {
    write_file_atomically(path, bytes);
  } catch (const std::exception& error) {
    throw_input_error("{}: {}", path, error.what());
  }
}

}  // namespace

std::string NpyType::name() const {
  if (kind == 'b') return "bool";
  return fmt::format("{}{}", kind == 'u' ? "uint" : kind == 'i' ? "int" : "float", bytes * 8);
}

std::string npy_head(std::string_view type, std::string_view shape) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
  constexpr std::size_t prefix = 10;  // magic, version, length of the header
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += '\x01';
  bytes += '\0';
  bytes += static_cast<char>(header.size() & 0xFFU);
  bytes += static_cast<char>(header.size() >> 8U);
  return bytes + header;
}

NpyArray open_npy(const std::string& path, const std::string& name, ValueOrder order) {
  if (name.empty() || fs::is_directory(path)) {
    const std::string file = name.empty() ? path : (fs::path(path) / (name + ".npy")).string();
    ByteSource source(file);
    if (source.packed()) source.fail("is packed by gzip: unpack it, or save an .npz archive");
    const std::uint64_t bytes = source.file_bytes();
    NpyArray array{file, std::move(source), {}, {}};
    array = parse_npy(std::move(array), bytes, order);
    return array;
  }
  for (const ZipMember& member : list_zip_members(path)) {
    if (member.name != name + ".npy") continue;
    NpyArray array{fmt::format("{}: {}", path, member.name), ByteSource(path, member.extent), {}, {}};
    array.checked = true;
    array.crc32 = member.crc32;
    return parse_npy(std::move(array), member.bytes, order);
  }
  throw_input_error("{}: has no array \"{}\"; it has: {}", path, name,
                    fmt::format("{}", fmt::join(list_npy(path), ", ")));
}

std::vector<std::string> list_npy(const std::string& path) {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& file) {
    if (file.ends_with(".npy")) names.push_back(file.substr(0, file.size() - 4));
  };
  if (fs::is_directory(path)) {
    std::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      if (file[0] != '.') add(file);  // macOS puts ._NAME beside NAME
    }
    SOUK_REQUIRE(!error, "{}: cannot be listed: {}", path, error.message());
  } else {
    for (const ZipMember& member : list_zip_members(path)) add(member.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void read_npy(NpyArray& array, std::span<float> values, Finite finite) {
  read_in_steps(array, values, [&array](const std::vector<std::uint8_t>& bytes, std::span<float> out) {
    array.type.kind == 'f' ? convert_reals(array.type, bytes, out) : convert_integers(array.type, bytes, out);
  });
  if (finite == Finite::any) return;
  const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  SOUK_REQUIRE(bad == values.end(), "{}: a value is not a finite float32 number", array.name);
}

void read_npy(NpyArray& array, std::span<std::int64_t> values) {
  SOUK_REQUIRE(array.type.kind != 'f', "{}: holds {}, must hold integers", array.name, array.type.name());
  read_in_steps(array, values, [&array](const std::vector<std::uint8_t>& bytes, std::span<std::int64_t> out) {
    convert_integers(array.type, bytes, out);
  });
}

void read_npy(NpyArray& array, std::span<std::uint8_t> values) {
  SOUK_EXPECT(array.type.bytes == 1);
  read_bytes(array, values);
}

void skip_npy(NpyArray& array, std::uint64_t values) {
  array.source.skip(values * array.type.bytes);
  array.checked = array.checked && values == 0;  // what was not seen cannot be summed
}

void finish_npy(NpyArray& array) {
  array.source.expect_end();
  SOUK_REQUIRE(!array.checked || array.running_crc32 == array.crc32, "{}: damaged: its checksum is wrong", array.name);
}

void write_npy(const std::string& path, std::span<const double> values) {
  write_array(path, "<f8", fmt::format("({},)", values.size()), std::as_bytes(values));
}

void write_npy(const std::string& path, std::span<const float> values, std::size_t columns) {
  SOUK_EXPECT(columns > 0 && values.size() % columns == 0);
  write_array(path, "<f4", fmt::format("({}, {})", values.size() / columns, columns), std::as_bytes(values));
}

}  // namespace souk
