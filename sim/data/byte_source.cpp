#include "sim/data/byte_source.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include <zlib.h>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/file_handle.hpp"

namespace souk {
namespace {

constexpr std::size_t step_bytes = 1 << 16;
constexpr std::size_t large_bytes = std::size_t{1} << 26;  // where to ask for room is worth its time
// Deflate cannot pack more than 1032 bytes into one (zlib's technical notes).
constexpr std::uint64_t deflate_ratio_max = 1032;
constexpr int gzip_window_bits = 15 + 16;
constexpr int raw_window_bits = -15;

FileHandle open_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  SOUK_REQUIRE(std::filesystem::exists(status), "{}: no such file", path);
  SOUK_REQUIRE(std::filesystem::is_regular_file(status), "{}: not a regular file", path);
  FileHandle file(std::fopen(path.c_str(), "rb"));
  SOUK_REQUIRE(file != nullptr, "{}: cannot be opened: {}", path, std::strerror(errno));
  return file;
}

FileExtent whole_file(const std::string& path) {
  const FileHandle file = open_file(path);
  std::array<unsigned char, 2> magic{};
  const bool gzip = std::fread(magic.data(), 1, magic.size(), file.get()) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
  return {0, std::filesystem::file_size(path), gzip ? Packing::gzip : Packing::none};
}

}  // namespace

struct ByteSource::State {
  std::string path;
  FileExtent extent;
  FileHandle file;
  std::uint64_t left = 0;  // stored bytes not yet read from the file
  std::vector<std::uint8_t> input;
  z_stream zlib{};
  bool zlib_ready = false;
  bool ended = false;

  ~State() {
    if (zlib_ready) inflateEnd(&zlib);
  }
};

ByteSource::ByteSource(const std::string& path) : ByteSource(path, whole_file(path)) {}

ByteSource::ByteSource(const std::string& path, const FileExtent& extent) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.path = path;
  s.extent = extent;
  s.file = open_file(path);
  s.left = extent.bytes;
  const std::uint64_t all = file_bytes();
  if (extent.offset > all || extent.bytes > all - extent.offset) fail("ends early");
  if (fseeko(s.file.get(), static_cast<off_t>(extent.offset), SEEK_SET) != 0) fail("cannot be searched");
  if (extent.packing == Packing::none) return;
  s.input.resize(step_bytes);
  s.zlib_ready = inflateInit2(&s.zlib, extent.packing == Packing::gzip ? gzip_window_bits : raw_window_bits) == Z_OK;
  SOUK_EXPECT(s.zlib_ready);
}

ByteSource::~ByteSource() = default;
ByteSource::ByteSource(ByteSource&&) noexcept = default;
ByteSource& ByteSource::operator=(ByteSource&&) noexcept = default;

const std::string& ByteSource::path() const { return state_->path; }

std::uint64_t ByteSource::file_bytes() const { return std::filesystem::file_size(state_->path); }

bool ByteSource::packed() const { return state_->extent.packing != Packing::none; }

std::uint64_t ByteSource::size_bound() const {
  return packed() ? state_->extent.bytes * deflate_ratio_max : state_->extent.bytes;
}

std::uint64_t ByteSource::size_claim() const {
  const State& s = *state_;
  if (s.extent.packing == Packing::none) return s.extent.bytes;
  if (s.extent.packing == Packing::deflate) return 0;
  const FileHandle file = open_file(s.path);
  std::array<std::uint8_t, 4> trailer{};
  if (s.extent.bytes < 18 || fseeko(file.get(), -4, SEEK_END) != 0 ||
      std::fread(trailer.data(), 1, trailer.size(), file.get()) != trailer.size()) {
    fail("ends early: gzip data cut short");
  }
  std::reverse(trailer.begin(), trailer.end());  // little-endian
  return big_endian_32(trailer);
}

void ByteSource::fail(const std::string& reason) const { throw_input_error("{}: {}", state_->path, reason); }

std::size_t ByteSource::read_some(std::span<std::uint8_t> out) {
  State& s = *state_;
  const auto read_stored = [&s](std::uint8_t* into, std::size_t most) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, s.left));
    const std::size_t got = std::fread(into, 1, wanted, s.file.get());
    s.left -= got;
    return got;
  };
  if (!packed()) return read_stored(out.data(), out.size());
  std::size_t done = 0;
  while (done < out.size() && !s.ended) {
    heartbeat::beat();
    if (s.zlib.avail_in == 0) {
      s.zlib.next_in = s.input.data();
      s.zlib.avail_in = static_cast<uInt>(read_stored(s.input.data(), s.input.size()));
      if (s.zlib.avail_in == 0) fail("ends early: packed data cut short");
    }
    s.zlib.next_out = out.data() + done;
    const auto room = static_cast<uInt>(std::min<std::size_t>(out.size() - done, 1u << 30));
    s.zlib.avail_out = room;
    const int status = inflate(&s.zlib, Z_NO_FLUSH);
    done += room - s.zlib.avail_out;
    if (status == Z_STREAM_END) {
      // gzip files may hold several members, one after the other.
      s.ended = s.zlib.avail_in == 0 && s.left == 0;
      if (!s.ended && s.extent.packing == Packing::deflate) fail("goes on after the end of its packed data");
      if (!s.ended) inflateReset(&s.zlib);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      fail(fmt::format("damaged packed data ({})", s.zlib.msg != nullptr ? s.zlib.msg : "no reason given"));
    }
  }
  return done;
}

void ByteSource::read(std::span<std::uint8_t> out) {
  const std::size_t got = read_some(out);
  if (got != out.size()) fail(fmt::format("ends early: {} bytes are missing", out.size() - got));
}

void ByteSource::skip(std::uint64_t bytes) {
  State& s = *state_;
  if (!packed()) {
    if (bytes > s.left) fail(fmt::format("ends early: {} bytes are missing", bytes - s.left));
    if (fseeko(s.file.get(), static_cast<off_t>(bytes), SEEK_CUR) != 0) fail("cannot be searched");
    s.left -= bytes;
    return;
  }
  std::vector<std::uint8_t> unused(step_bytes);
  while (bytes > 0) {
    const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, unused.size()));
    read(std::span(unused).first(step));
    bytes -= step;
  }
}

void ByteSource::expect_end() {
  std::array<std::uint8_t, 1> next{};
  if (read_some(next) != 0) fail("goes on after the last sample its header declares");
}

std::vector<std::uint8_t> read_whole_file(const std::string& path, std::uint64_t limit) {
  ByteSource source(path);
  if (!source.packed() && source.size_bound() > limit) {
    source.fail(fmt::format("{} bytes are more than the {} this format may have", source.size_bound(), limit));
  }
  std::vector<std::uint8_t> content;
  // One byte more than there is, so that the end is met at once.
  const std::size_t first_step = source.packed() ? step_bytes : static_cast<std::size_t>(source.size_bound()) + 1;
  for (;;) {
    const std::size_t before = content.size(), wanted = std::max(before * 2, first_step);
    if (wanted > large_bytes && static_cast<double>(wanted) > available_memory()) {
      source.fail(fmt::format("its {} or more do not fit into memory: this node has {} to give",
                              bytes_text(static_cast<double>(wanted)), bytes_text(available_memory())));
    }
    content.resize(wanted);
    const std::size_t got = source.read_some(std::span(content).subspan(before));
    const bool ended = before + got < content.size();
    content.resize(before + got);
    if (content.size() > limit) source.fail(fmt::format("unpacks to more than {} bytes", limit));
    if (ended) return content;
  }
}

std::string find_data_file(const std::string& directory, std::span<const std::string> names) {
  for (const std::string& name : names) {
    for (const char* suffix : {"", ".gz"}) {
      const std::filesystem::path path = std::filesystem::path(directory) / (name + suffix);
      std::error_code error;
      if (std::filesystem::is_regular_file(path, error)) return path.string();
    }
  }
  return {};
}

std::uint32_t big_endian_32(std::span<const std::uint8_t, 4> b) {
  return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

}  // namespace souk
