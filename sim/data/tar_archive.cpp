#include "sim/data/tar_archive.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>

#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/data/byte_source.hpp"

namespace souk {
namespace {

// Layout: POSIX.1-1988 "ustar"; older archives differ only in fields not read here.
constexpr std::size_t block_bytes = 512;
using Block = std::array<std::uint8_t, block_bytes>;

struct TarMember {
  std::string name;
  std::uint64_t bytes = 0;
  char type = '0';
};

std::string_view field(const Block& block, std::size_t at, std::size_t width) {
  const std::string_view text(reinterpret_cast<const char*>(block.data()) + at, width);
  return text.substr(0, std::min(text.find('\0'), width));
}

std::uint64_t octal(const ByteSource& source, std::string_view text) {
  std::uint64_t value = 0;
  for (const char digit : text) {
    if (digit == ' ') continue;
    if (digit < '0' || digit > '7' || value >> 60 != 0) source.fail("damaged tar header: not an octal number");
    value = value * 8 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

TarMember parse_header(const ByteSource& source, const Block& block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block_bytes; ++i) sum += i >= 148 && i < 156 ? ' ' : block[i];
  if (sum != octal(source, field(block, 148, 8))) source.fail("damaged tar header: its checksum is wrong");
  return {std::string(field(block, 0, 100)), octal(source, field(block, 124, 12)), static_cast<char>(block[156])};
}

void copy_member(ByteSource& source, std::uint64_t bytes, const std::filesystem::path& path) {
  const std::string partial = path.string() + ".part";
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  std::vector<std::uint8_t> step(1 << 16);
  while (bytes > 0) {
    const auto some = std::span(step).first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, step.size())));
    source.read(some);
    out.write(reinterpret_cast<const char*>(some.data()), static_cast<std::streamsize>(some.size()));
    bytes -= some.size();
  }
  out.close();
  SOUK_REQUIRE(out.good(), "{}: cannot be written", partial);
  put_in_place(partial, path);
}

}  // namespace

std::vector<std::string> unpack_tar(const std::string& archive, const std::string& directory,
                                    const std::string& suffix) {
  ByteSource source(archive);
  std::vector<std::string> written;
  Block block{};
  for (;;) {
    source.read(block);
    if (std::all_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte == 0; })) return written;
    const TarMember member = parse_header(source, block);
    const std::uint64_t padding = (block_bytes - member.bytes % block_bytes) % block_bytes;
    const std::string name = std::filesystem::path(member.name).filename().string();
    const bool regular = member.type == '0' || member.type == '\0';
    if (regular && name.size() > suffix.size() && name.ends_with(suffix)) {
      const std::filesystem::path path = std::filesystem::path(directory) / name;
      copy_member(source, member.bytes, path);
      written.push_back(path.string());
    } else {
      source.skip(member.bytes);
    }
    source.skip(padding);
  }
}

}  // namespace souk
