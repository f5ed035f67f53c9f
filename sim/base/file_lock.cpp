#include "sim/base/file_lock.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/error.hpp"

namespace souk {
namespace {

/// Over the whole file. Locks of open file descriptions (fcntl(2)) are those that children share and that can be looked
/// at without taking them.
struct flock whole_file(FileLock::Sharing sharing) {
  struct flock lock = {};
  lock.l_type = sharing == FileLock::Sharing::exclusive ? F_WRLCK : F_RDLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

FileLock::~FileLock() {
  if (file_ >= 0) close(file_);
}

void FileLock::wait(const std::filesystem::path& path) {
  while (!take(path)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

bool FileLock::take(const std::filesystem::path& path, Sharing sharing) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) throw_input_error("cannot write in {}: {}", path.parent_path().string(), std::strerror(errno));
  struct flock lock = whole_file(sharing);
  if (fcntl(file, F_OFD_SETLK, &lock) != 0) {
    const int reason = errno;
    close(file);
    if (reason == EAGAIN || reason == EACCES) return false;
    throw_input_error("cannot lock {}: {}", path.string(), std::strerror(reason));
  }
  if (file_ >= 0) close(file_);
  file_ = file;
  return true;
}

bool FileLock::is_in_place(const std::filesystem::path& path) const {
  struct stat held = {}, found = {};
  if (file_ < 0 || fstat(file_, &held) != 0 || stat(path.c_str(), &found) != 0) return false;
  return held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

bool FileLock::is_taken(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct flock lock = whole_file(Sharing::exclusive);
  const bool taken = fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(file);
  return taken;
}

}  // namespace souk
