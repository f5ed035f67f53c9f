#include "sim/data/zip_archive.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

// Layout: PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).
constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50, end_signature = 0x06054b50;
constexpr std::size_t local_bytes = 30, central_bytes = 46, end_bytes = 22, comment_max = 65535;
constexpr std::uint32_t zip64_mark = 0xffffffff;

std::uint32_t little_endian(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t width) {
  std::uint32_t value = 0;
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

Directory find_directory(const std::string& path, std::uint64_t file_bytes) {
  SOUK_REQUIRE(file_bytes >= end_bytes, "{}: not a zip archive: {} bytes", path, file_bytes);
  const auto tail_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(file_bytes, end_bytes + comment_max));
  const auto tail = read_piece(path, file_bytes - tail_bytes, tail_bytes);
  for (std::size_t at = tail_bytes - end_bytes + 1; at-- > 0;) {
    if (little_endian(tail, at, 4) != end_signature) continue;
    const Directory found{little_endian(tail, at + 16, 4), little_endian(tail, at + 12, 4),
                          little_endian(tail, at + 10, 2)};
    SOUK_REQUIRE(found.offset != zip64_mark && found.members != 0xffff, "{}: zip64 archives are not read", path);
    SOUK_REQUIRE(found.offset + found.bytes <= file_bytes - tail_bytes + at, "{}: damaged zip directory", path);
    return found;
  }
  throw_input_error("{}: not a zip archive, or cut short: it has no end record", path);
}

ZipMember member_at(const std::string& path, std::span<const std::uint8_t> record, std::uint64_t file_bytes) {
  ZipMember member;
  const std::uint32_t flags = little_endian(record, 8, 2), method = little_endian(record, 10, 2);
  member.crc32 = little_endian(record, 16, 4);
  member.bytes = little_endian(record, 24, 4);
  const std::uint64_t offset = little_endian(record, 42, 4);
  const auto name = record.subspan(central_bytes, little_endian(record, 28, 2));
  member.name.assign(name.begin(), name.end());
  const std::uint64_t packed = little_endian(record, 20, 4);
  SOUK_REQUIRE((flags & 1) == 0, "{}: member \"{}\" is encrypted", path, member.name);
  SOUK_REQUIRE(method == 0 || method == 8, "{}: member \"{}\" is packed by method {}, only stored and deflate are read",
               path, member.name, method);
  SOUK_REQUIRE(member.bytes != zip64_mark && packed != zip64_mark && offset != zip64_mark,
               "{}: member \"{}\" needs zip64, which is not read", path, member.name);
  SOUK_REQUIRE(offset + local_bytes <= file_bytes, "{}: damaged zip directory at \"{}\"", path, member.name);
  // The local header repeats name and extra field, whose lengths may differ from those in the directory.
  const auto local = read_piece(path, offset, local_bytes);
  SOUK_REQUIRE(little_endian(local, 0, 4) == local_signature, "{}: damaged zip member \"{}\"", path, member.name);
  member.extent.offset = offset + local_bytes + little_endian(local, 26, 2) + little_endian(local, 28, 2);
  member.extent.bytes = packed;
  member.extent.packing = method == 8 ? Packing::deflate : Packing::none;
  SOUK_REQUIRE(member.extent.offset + packed <= file_bytes, "{}: member \"{}\" is cut short", path, member.name);
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
    const std::size_t bytes = central_bytes + little_endian(records, at + 28, 2) + little_endian(records, at + 30, 2) +
                              little_endian(records, at + 32, 2);
    SOUK_REQUIRE(records.size() - at >= bytes, "{}: damaged zip directory at member {}", path, i);
    members.push_back(member_at(path, std::span(records).subspan(at, bytes), file_bytes));
    at += bytes;
  }
  return members;
}

}  // namespace souk
