#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace souk {

/// Writes a file so that a reader, or a crash, sees the old content or the new one, and nothing between: beside its
/// place, synced, renamed, directory synced. Links are followed. What is no regular file (a device, a pipe,
/// /dev/stdout) is written to as it is. Leaves nothing beside the file where it fails. Throws std::runtime_error with
/// the path and the system's reason.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, const std::string& text);

/// A file written piece by piece that takes its place as a whole, in the same way; not for links, devices and pipes.
/// Every member function throws std::runtime_error with the path and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();  ///< leaves nothing where `put_in_place` was not reached
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(std::span<const std::byte> bytes);
  void put_in_place();

 private:
  std::filesystem::path path_, temporary_;
  int file_ = -1;  ///< -1: in its place
};

/// The last steps of that, for a file written by others: `temporary` is synced and takes the place of `path`, or is
/// removed where that fails.
void put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path);

/// Throws InputError where a user's `path` cannot become a file: it is a directory, its directory does not exist, or
/// nothing can be written there. To be asked before work is done whose result it takes. Changes nothing.
void require_writable(const std::filesystem::path& path);

/// Whether what is written to `path` arrives where our standard output does, so that nothing else should.
bool is_standard_output(const std::filesystem::path& path);

/// The whole file. Throws InputError if it cannot be read.
std::vector<std::byte> read_file(const std::filesystem::path& path);
std::string read_text_file(const std::filesystem::path& path);

}  // namespace souk
