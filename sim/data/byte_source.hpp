#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace souk {

/// How the bytes of a source are packed.
enum class Packing : std::uint8_t { none, gzip, deflate };

/// A piece of a file, such as a member of an archive.
struct FileExtent {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;  ///< as stored
  Packing packing = Packing::none;
};

/// The bytes of a file in order, unpacked in small steps: memory never depends on what a file claims about itself.
/// Every failure is an InputError "FILE: reason".
class ByteSource {
 public:
  /// A whole file, unpacked if it begins like a gzip file.
  explicit ByteSource(const std::string& path);
  ByteSource(const std::string& path, const FileExtent& extent);
  ~ByteSource();
  ByteSource(ByteSource&&) noexcept;
  ByteSource& operator=(ByteSource&&) noexcept;

  const std::string& path() const;
  /// Size of the whole file, of which the source may be a piece.
  std::uint64_t file_bytes() const;
  /// Whether skipping costs as much as reading.
  bool packed() const;
  /// No more than this many unpacked bytes can come; exact where the source is not packed.
  std::uint64_t size_bound() const;
  /// What the file says about its unpacked size: exact if not packed, gzip's trailer (modulo 2^32) otherwise. Zero for
  /// raw deflate. Check it against size_bound() and by reading.
  std::uint64_t size_claim() const;
  /// Fills `out`; fails where the source ends before.
  void read(std::span<std::uint8_t> out);
  /// Reads up to out.size() bytes; fewer only at the end.
  std::size_t read_some(std::span<std::uint8_t> out);
  void skip(std::uint64_t bytes);
  /// Fails unless everything has been read.
  void expect_end();
  [[noreturn]] void fail(const std::string& reason) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The whole unpacked content of a file. Fails above `limit` bytes.
std::vector<std::uint8_t> read_whole_file(const std::string& path, std::uint64_t limit);

/// The first of `names` that is a file in `directory`, as itself or with ".gz"; empty if there is none.
std::string find_data_file(const std::string& directory, std::span<const std::string> names);

/// Value of an unsigned big-endian number of four bytes.
std::uint32_t big_endian_32(std::span<const std::uint8_t, 4> bytes);

}  // namespace souk
