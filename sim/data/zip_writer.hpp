#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "sim/base/atomic_file.hpp"

namespace souk {

/// A zip archive whose members are stored as they are, put in its place as a whole. Sizes and places are always those
/// of zip64, which have no limit, and times are the beginning of zip's calendar, so that equal members give equal
/// files. Every member function throws std::runtime_error with the path and the system's reason.
class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path& path) : file_(path) {}
  /// A member of the pieces, one after the other. Its content begins at a multiple of `alignment` bytes.
  void add(const std::string& name, std::initializer_list<std::span<const std::byte>> pieces,
           std::uint64_t alignment = 1);
  /// The directory, without which it is no archive, and then the archive in its place.
  void finish();

 private:
  struct Entry {
    std::string name;
    std::uint64_t bytes, offset;
    std::uint32_t crc32;
  };
  void write(std::span<const std::byte> bytes);
  AtomicFile file_;
  std::vector<Entry> entries_;
  std::uint64_t at_ = 0;  ///< bytes written
};

}  // namespace souk
