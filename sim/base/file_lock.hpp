#pragma once

#include <filesystem>
#include <utility>

namespace souk {

/// A lock on a file, held while this object lives, and by children forked meanwhile: the kernel lets go of it when the
/// last of them has ended, however it ends. Works between the hosts of a cluster where its file system passes locks on.
class FileLock {
 public:
  enum class Sharing { exclusive, shared };
  FileLock() = default;
  ~FileLock();
  FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  /// Creates the file and takes the lock; false where somebody else has it. Throws InputError where the file cannot be
  /// written, or its file system keeps no locks.
  bool take(const std::filesystem::path& file, Sharing sharing = Sharing::exclusive);
  /// The same, but waits until nobody else has it.
  void wait(const std::filesystem::path& file);
  /// Whether the file that was locked is still the one under this path.
  bool is_in_place(const std::filesystem::path& path) const;
  /// Whether anybody has a lock on the file; false where there is none, or it cannot be read. Takes nothing, so that
  /// whoever looks is in nobody's way.
  static bool is_taken(const std::filesystem::path& file);

 private:
  int file_ = -1;
};

}  // namespace souk
