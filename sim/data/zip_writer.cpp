#include "sim/data/zip_writer.hpp"

#include <algorithm>

#include <zlib.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

// Layout: PKWARE's APPNOTE.TXT, as in zip_archive.cpp.
constexpr std::uint16_t zip64_version = 45, zip64_field = 0x0001, padding_field = 0x4246;  // "FB", as LibTorch's
constexpr std::uint16_t first_day = 1 << 5 | 1;                                            // 1 January 1980
constexpr std::uint32_t elsewhere_32 = 0xffffffff;                                         // in the zip64 field
constexpr std::uint16_t elsewhere_16 = 0xffff;

/// A record of little-endian numbers.
class ZipRecord {
 public:
  template <class Number>
  ZipRecord& add(Number number) {
    for (std::size_t i = 0; i < sizeof number; ++i) bytes_ += static_cast<char>(number >> (8 * i) & 0xFF);
    return *this;
  }
  ZipRecord& add(const std::string& text) {
    bytes_ += text;
    return *this;
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(bytes_)); }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

std::uint32_t crc32_of(std::initializer_list<std::span<const std::byte>> pieces) {
  std::uint32_t crc = 0;
  for (std::span<const std::byte> piece : pieces) {
    while (!piece.empty()) {
      const auto step = piece.first(std::min<std::size_t>(piece.size(), std::size_t{1} << 30));
      crc = static_cast<std::uint32_t>(
          ::crc32(crc, reinterpret_cast<const Bytef*>(step.data()), static_cast<uInt>(step.size())));
      piece = piece.subspan(step.size());
    }
  }
  return crc;
}

/// Version, flags, stored as it is, time, checksum, sizes, length of the name: what both records of a member have.
void add_common(ZipRecord& record, std::uint32_t crc, std::size_t name_bytes) {
  record.add(zip64_version).add(std::uint16_t{0}).add(std::uint16_t{0}).add(std::uint16_t{0}).add(first_day);
  record.add(crc).add(elsewhere_32).add(elsewhere_32).add(static_cast<std::uint16_t>(name_bytes));
}

}  // namespace

void ZipWriter::write(std::span<const std::byte> bytes) {
  file_.write(bytes);
  at_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::initializer_list<std::span<const std::byte>> pieces,
                    std::uint64_t alignment) {
  SOUK_EXPECT(name.size() < elsewhere_16 && alignment >= 1 && alignment <= 4096);
  std::uint64_t bytes = 0;
  for (const auto piece : pieces) bytes += piece.size();
  entries_.push_back({name, bytes, at_, crc32_of(pieces)});
  constexpr std::uint64_t fixed_bytes = 30, wide_bytes = 4 + 16, padding_head = 4;
  const std::uint64_t unpadded = at_ + fixed_bytes + name.size() + wide_bytes + padding_head;
  const std::uint64_t padding = (alignment - unpadded % alignment) % alignment;
  ZipRecord head;
  head.add(std::uint32_t{0x04034b50});
  add_common(head, entries_.back().crc32, name.size());
  head.add(static_cast<std::uint16_t>(wide_bytes + padding_head + padding)).add(name);
  head.add(zip64_field).add(std::uint16_t{16}).add(bytes).add(bytes);
  head.add(padding_field).add(static_cast<std::uint16_t>(padding)).add(std::string(padding, '\0'));
  write(head.bytes());
  for (const auto piece : pieces) write(piece);
}

void ZipWriter::finish() {
  const std::uint64_t begin = at_;
  for (const Entry& entry : entries_) {
    ZipRecord record;
    record.add(std::uint32_t{0x02014b50}).add(zip64_version);
    add_common(record, entry.crc32, entry.name.size());
    // Extra field, comment, disk, attributes of two kinds, place.
    record.add(std::uint16_t{4 + 24}).add(std::uint16_t{0}).add(std::uint16_t{0}).add(std::uint16_t{0});
    record.add(std::uint32_t{0}).add(elsewhere_32).add(entry.name);
    record.add(zip64_field).add(std::uint16_t{24}).add(entry.bytes).add(entry.bytes).add(entry.offset);
    write(record.bytes());
  }
  const std::uint64_t end = at_, count = entries_.size();
  ZipRecord tail;
  tail.add(std::uint32_t{0x06064b50}).add(std::uint64_t{44}).add(zip64_version).add(zip64_version);
  tail.add(std::uint32_t{0}).add(std::uint32_t{0}).add(count).add(count).add(end - begin).add(begin);
  tail.add(std::uint32_t{0x07064b50}).add(std::uint32_t{0}).add(end).add(std::uint32_t{1});
  tail.add(std::uint32_t{0x06054b50}).add(std::uint16_t{0}).add(std::uint16_t{0});
  tail.add(elsewhere_16).add(elsewhere_16).add(elsewhere_32).add(elsewhere_32).add(std::uint16_t{0});
  write(tail.bytes());
  file_.put_in_place();
}

}  // namespace souk
