#include "sim/app/file_lock.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "sim/base/error.hpp"

namespace souk {

FileLock::~FileLock() {
  if (file_ >= 0) close(file_);
}

bool FileLock::take(const std::filesystem::path& path, Sharing sharing) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) throw_input_error("cannot write in {}: {}", path.parent_path().string(), std::strerror(errno));
  if (flock(file, (sharing == Sharing::exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(file);
    return false;
  }
  if (file_ >= 0) close(file_);
  file_ = file;
  return true;
}

}  // namespace souk
