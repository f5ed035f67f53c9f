#include "sim/base/atomic_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/contract.hpp"
#include "sim/base/decimal.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what) {
  throw std::runtime_error(fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

class Descriptor {
 public:
  Descriptor(int value, const fs::path& path, const char* what) : value_(value) {
    if (value_ < 0) fail(path, what);
  }
  ~Descriptor() { close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

void write_all(int file, const fs::path& path, std::span<const std::byte> bytes) {
  for (std::span<const std::byte> rest = bytes; !rest.empty();) {
    const ssize_t written = write(file, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) fail(path, "write");
    if (written > 0) rest = rest.subspan(static_cast<std::size_t>(written));
  }
}

/// The number N of a path that means our open file N, as /dev/fd/N does.
std::optional<int> open_file_of(const fs::path& path) {
  const std::string folder = path.parent_path().string();
  const bool own = folder == "/dev/fd" || folder == "/proc/self/fd" || folder == fmt::format("/proc/{}/fd", getpid());
  const auto number = own ? parse_whole(path.filename().string()) : std::nullopt;
  return number && *number < 1U << 20U ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

/// What a chain of links leads to, whether it is there or not. Our own open files are not followed further.
fs::path end_of_links(fs::path path) {
  constexpr int most = 40;  // the system's own limit
  std::error_code error;
  for (int i = 0; i < most && !open_file_of(path) && fs::is_symlink(fs::symlink_status(path, error)); ++i) {
    const fs::path next = fs::read_symlink(path, error);
    path = next.is_absolute() ? next : path.parent_path() / next;
  }
  return path;
}

/// A path as something to write to.
struct Target {
  fs::path path;
  bool replaceable = true;  ///< a regular file, or nothing yet
};

Target behind_link(const fs::path& path) {
  const fs::path end = end_of_links(path);
  if (open_file_of(end)) return {end, false};
  std::error_code error;
  const fs::file_status status = fs::status(end, error);
  return {end, !fs::exists(status) || fs::is_regular_file(status)};
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : "."; }

/// Into a device or a pipe, with nothing beside it.
void write_straight(const fs::path& path, std::span<const std::byte> bytes) {
  const auto number = open_file_of(path);
  if (number == STDOUT_FILENO) std::fflush(stdout);  // what was printed before comes before
  const Descriptor file(number ? dup(*number) : open(path.c_str(), O_WRONLY | O_CLOEXEC), path, "open");
  write_all(file.value(), path, bytes);
}

}  // namespace

void put_in_place(const fs::path& temporary, const fs::path& path) {
  try {
    {
      const Descriptor file(open(temporary.c_str(), O_RDONLY | O_CLOEXEC), temporary, "open");
      if (fsync(file.value()) != 0) fail(temporary, "flush");
    }
    if (std::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "put in place");
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);  // a full disk needs the room
    throw;
  }
  const fs::path folder = folder_of(path);
  const Descriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder, "open");
  fsync(directory.value());  // some network file systems refuse this; the rename is still atomic
}

AtomicFile::AtomicFile(const fs::path& path)
    : path_(path),
      temporary_(path.string() + ".tmp"),
      file_(open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (file_ < 0) fail(temporary_, "create");
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  close(file_);
  unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) { write_all(file_, temporary_, bytes); }

void AtomicFile::put_in_place() {
  close(std::exchange(file_, -1));
  souk::put_in_place(temporary_, path_);
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  const Target target = behind_link(path);
  if (!target.replaceable) return write_straight(target.path, bytes);
  AtomicFile file(target.path);
  file.write(bytes);
  file.put_in_place();
}

void write_file_atomically(const fs::path& path, const std::string& text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

void require_writable(const fs::path& path) {
  const Target target = behind_link(path);
  if (open_file_of(target.path)) return;
  std::error_code error;
  SOUK_REQUIRE(!path.empty(), "an empty path is no file to write");
  SOUK_REQUIRE(!fs::is_directory(target.path, error), "{}: is a directory, not a file", path.string());
  const fs::path folder = folder_of(target.path);
  SOUK_REQUIRE(fs::is_directory(folder, error), "{}: there is no directory {}", path.string(), folder.string());
  const fs::path& written = target.replaceable ? folder : target.path;
  SOUK_REQUIRE(access(written.c_str(), W_OK) == 0, "{}: cannot be written: {}", path.string(), std::strerror(errno));
}

bool is_standard_output(const fs::path& path) {
  struct stat file = {}, output = {};
  if (stat(path.c_str(), &file) != 0 || fstat(STDOUT_FILENO, &output) != 0) return false;
  return file.st_dev == output.st_dev && file.st_ino == output.st_ino;
}

std::string read_text_file(const std::filesystem::path& path) {
  std::error_code error;
  SOUK_REQUIRE(!std::filesystem::is_directory(path, error), "{}: is a directory, not a file", path.string());
  std::ifstream file(path, std::ios::binary);
  SOUK_REQUIRE(file.good(), "{}: {}", path.string(), std::strerror(errno));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  SOUK_REQUIRE(!file.bad(), "{}: could not be read", path.string());
  return text;
}

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  const std::string text = read_text_file(path);
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace souk
