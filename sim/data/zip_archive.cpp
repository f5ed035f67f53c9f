#include "sim/data/zip_archive.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

// Layout: PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to 4.3.16 (its ends),
// 4.5.3 (zip64's extra field). Archives and members above 4 GiB, and more than 65,535 members, need zip64: a field that
// is all ones then stands for a wider one elsewhere.
constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50, end_signature = 0x06054b50,
                        end64_signature = 0x06064b50, locator64_signature = 0x07064b50;
constexpr std::size_t local_bytes = 30, central_bytes = 46, end_bytes = 22, end64_bytes = 56, locator64_bytes = 20,
                      comment_max = 65535;
constexpr std::uint64_t wide_32 = 0xffffffff, wide_16 = 0xffff;
constexpr std::uint64_t zip64_extra = 0x0001;

std::uint64_t little_endian(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = width; i > 0; --i) value = value << 8 | bytes[at + i - 1];
  return value;
}

std::vector<std::uint8_t> read_piece(const std::string& path, std::uint64_t offset, std::size_t bytes) {
  ByteSource source(path, {offset, bytes, Packing::none});
  std::vector<std::uint8_t> piece(bytes);
  source.read(piece);
  return piece;
}

struct Directory {
  std::uint64_t offset = 0, bytes = 0, members = 0;
};

// The end record that zip64 puts before the usual one, which begins at `end`.
Directory find_directory_64(const std::string& path, std::uint64_t end) {
  SOUK_REQUIRE(end >= locator64_bytes, "{}: damaged zip64 archive: it has no locator", path);
  const auto locator = read_piece(path, end - locator64_bytes, locator64_bytes);
  SOUK_REQUIRE(little_endian(locator, 0, 4) == locator64_signature, "{}: damaged zip64 archive: it has no locator",
               path);
  const std::uint64_t at = little_endian(locator, 8, 8);
  SOUK_REQUIRE(at <= end && end - at >= end64_bytes, "{}: damaged zip64 archive: its end record lies outside", path);
  const auto record = read_piece(path, at, end64_bytes);
  SOUK_REQUIRE(little_endian(record, 0, 4) == end64_signature, "{}: damaged zip64 archive: it has no end record", path);
  const Directory found{little_endian(record, 48, 8), little_endian(record, 40, 8), little_endian(record, 32, 8)};
  SOUK_REQUIRE(found.offset <= at && found.bytes <= at - found.offset, "{}: damaged zip directory", path);
  return found;
}

Directory find_directory(const std::string& path, std::uint64_t file_bytes) {
  SOUK_REQUIRE(file_bytes >= end_bytes, "{}: not a zip archive: {} bytes", path, file_bytes);
  const auto tail_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(file_bytes, end_bytes + comment_max));
  const auto tail = read_piece(path, file_bytes - tail_bytes, tail_bytes);
  for (std::size_t at = tail_bytes - end_bytes + 1; at-- > 0;) {
    if (little_endian(tail, at, 4) != end_signature) continue;
    const Directory found{little_endian(tail, at + 16, 4), little_endian(tail, at + 12, 4),
                          little_endian(tail, at + 10, 2)};
    const std::uint64_t end = file_bytes - tail_bytes + at;
    if (found.offset == wide_32 || found.bytes == wide_32 || found.members == wide_16) {
      return find_directory_64(path, end);
    }
    SOUK_REQUIRE(found.offset + found.bytes <= end, "{}: damaged zip directory", path);
    return found;
  }
  throw_input_error("{}: not a zip archive, or cut short: it has no end record", path);
}

// Sizes and place of a member, which zip64 keeps in an extra field, in this order, as far as they are not in the
// record.
struct Extents {
  std::uint64_t bytes = 0, packed = 0, offset = 0;
};

Extents extents_of(const std::string& path, std::span<const std::uint8_t> record) {
  Extents extents{little_endian(record, 24, 4), little_endian(record, 20, 4), little_endian(record, 42, 4)};
  const auto name_bytes = static_cast<std::size_t>(little_endian(record, 28, 2));
  const auto extra = record.subspan(central_bytes + name_bytes, little_endian(record, 30, 2));
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const auto bytes = static_cast<std::size_t>(little_endian(extra, at + 2, 2));
    if (bytes > extra.size() - at - 4) break;
    if (little_endian(extra, at, 2) == zip64_extra) {
      auto wide = extra.subspan(at + 4, bytes);
      for (std::uint64_t* value : {&extents.bytes, &extents.packed, &extents.offset}) {
        if (*value != wide_32 || wide.size() < 8) continue;
        *value = little_endian(wide, 0, 8);
        wide = wide.subspan(8);
      }
    }
    at += 4 + bytes;
  }
  const bool known = extents.bytes != wide_32 && extents.packed != wide_32 && extents.offset != wide_32;
  SOUK_REQUIRE(known, "{}: damaged zip directory: the sizes of a member are missing", path);
  return extents;
}

ZipMember member_at(const std::string& path, std::span<const std::uint8_t> record, std::uint64_t file_bytes) {
  ZipMember member;
  const std::uint64_t flags = little_endian(record, 8, 2), method = little_endian(record, 10, 2);
  const auto name = record.subspan(central_bytes, little_endian(record, 28, 2));
  member.name.assign(name.begin(), name.end());
  const auto [bytes, packed, offset] = extents_of(path, record);
  member.bytes = bytes;
  member.crc32 = static_cast<std::uint32_t>(little_endian(record, 16, 4));
  SOUK_REQUIRE((flags & 1) == 0, "{}: member \"{}\" is encrypted", path, member.name);
  SOUK_REQUIRE(method == 0 || method == 8, "{}: member \"{}\" is packed by method {}, only stored and deflate are read",
               path, member.name, method);
  SOUK_REQUIRE(offset <= file_bytes && file_bytes - offset >= local_bytes, "{}: damaged zip directory at \"{}\"", path,
               member.name);
  // The local header repeats name and extra field, whose lengths may differ from those in the directory.
  const auto local = read_piece(path, offset, local_bytes);
  SOUK_REQUIRE(little_endian(local, 0, 4) == local_signature, "{}: damaged zip member \"{}\"", path, member.name);
  member.extent.offset = offset + local_bytes + little_endian(local, 26, 2) + little_endian(local, 28, 2);
  member.extent.bytes = packed;
  member.extent.packing = method == 8 ? Packing::deflate : Packing::none;
  SOUK_REQUIRE(member.extent.offset <= file_bytes && packed <= file_bytes - member.extent.offset,
               "{}: member \"{}\" is cut short", path, member.name);
  SOUK_REQUIRE(method == 8 || packed == member.bytes, "{}: member \"{}\" has two sizes", path, member.name);
  return member;
}

}  // namespace

std::vector<ZipMember> list_zip_members(const std::string& path) {
  const std::uint64_t file_bytes = ByteSource(path, {0, 0, Packing::none}).file_bytes();
  const Directory directory = find_directory(path, file_bytes);
  const auto records = read_piece(path, directory.offset, static_cast<std::size_t>(directory.bytes));
  std::vector<ZipMember> members;
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < directory.members; ++i) {
    const bool whole = records.size() - at >= central_bytes && little_endian(records, at, 4) == central_signature;
    SOUK_REQUIRE(whole, "{}: damaged zip directory at member {}", path, i);
    const auto bytes =
        static_cast<std::size_t>(central_bytes + little_endian(records, at + 28, 2) +
                                 little_endian(records, at + 30, 2) + little_endian(records, at + 32, 2));
    SOUK_REQUIRE(records.size() - at >= bytes, "{}: damaged zip directory at member {}", path, i);
    members.push_back(member_at(path, std::span(records).subspan(at, bytes), file_bytes));
    at += bytes;
  }
  return members;
}

}  // namespace souk
