#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <zlib.h>

#include "scenarios/data.pb.h"
#include "sim/base/error.hpp"
#include "sim/base/random.hpp"
#include "sim/data/dataset_reader.hpp"

namespace souk::test {

using Bytes = std::vector<std::uint8_t>;

/// A directory of its own for one test, removed with it.
class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "souk-data-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  std::string path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline void write_file(const std::string& path, const Bytes& content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
}

inline void write_file(const std::string& path, const std::string& content) {
  write_file(path, Bytes(content.begin(), content.end()));
}

inline Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// zlib's deflate; window bits 31: gzip, -15: raw.
inline Bytes pack(const Bytes& content, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  Bytes packed(deflateBound(&stream, static_cast<uLong>(content.size())) + 64);
  stream.next_in = const_cast<Bytef*>(content.data());
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline Bytes gzip(const Bytes& content) { return pack(content, 31); }

/// One split in memory.
struct Loaded {
  DatasetShape shape;
  Bytes u8;
  std::vector<float> f32;
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> groups;
  std::vector<float> numbers;

  DatasetBuffers buffers() { return {u8, f32, labels, groups, numbers}; }
};

inline Loaded load(DatasetReader& reader, Split split, std::optional<RowRange> rows = std::nullopt) {
  Loaded loaded;
  loaded.shape = reader.shape(split);
  const RowRange range = rows.value_or(RowRange{0, loaded.shape.samples});
  const std::size_t n = range.end - range.begin;
  (loaded.shape.element == Element::u8 ? loaded.u8.resize(n * loaded.shape.row_values())
                                       : loaded.f32.resize(n * loaded.shape.row_values()));
  if (loaded.shape.numbers) {
    loaded.numbers.resize(n);
  } else {
    loaded.labels.resize(n);
  }
  if (loaded.shape.groups > 0) loaded.groups.resize(n);
  reader.read(split, range, loaded.buffers());
  return loaded;
}

inline Loaded load(const scenario::Data& data, Split split, std::uint64_t seed = 1) {
  return load(*open_dataset(data, {seed}), split);
}

/// The message of the InputError that `action` must end in; empty if it ends otherwise.
inline std::string input_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

inline std::string load_error(const scenario::Data& data) {
  return input_error([&data] {
    load(data, Split::train);
    load(data, Split::test);
  });
}

/// Damages `file` in 500 seeded ways (flipped bytes, cuts, additions) and calls `action` on each: it must return or
/// throw InputError. Restores the file.
inline void survive_damage(const std::string& file, const std::function<void()>& action) {
  const Bytes whole = read_file(file);
  for (std::uint32_t trial = 0; trial < 500; ++trial) {
    Stream random(trial, StreamKey{Purpose::dataset, nobody, RoundIndex{0}});
    Bytes damaged = whole;
    const std::uint32_t flips = random.below(6);
    for (std::uint32_t i = 0; i < flips; ++i) {
      damaged[random.below(static_cast<std::uint32_t>(damaged.size()))] = static_cast<std::uint8_t>(random.next());
    }
    if (random.below(4) == 0) damaged.resize(random.below(static_cast<std::uint32_t>(damaged.size())));
    if (random.below(8) == 0) damaged.push_back(static_cast<std::uint8_t>(random.next()));
    write_file(file, damaged);
    input_error(action);
  }
  write_file(file, whole);
}

/// Folder of real data sets named by SOUK_DATA; nothing if it is not set.
inline std::optional<std::string> real_data() {
  const char* path = std::getenv("SOUK_DATA");
  return path == nullptr ? std::nullopt : std::optional<std::string>(path);
}

}  // namespace souk::test
