#include "sim/base/atomic_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  throw std::runtime_error(fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags, const char* what) : value_(open(path.c_str(), flags, 0666)) {
    if (value_ < 0) fail(path, what);
  }
  ~Descriptor() { close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

}  // namespace

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const std::filesystem::path temporary = path.string() + ".tmp";
  {
    const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, "create");
    for (std::span<const std::byte> rest = bytes; !rest.empty();) {
      const ssize_t written = write(file.value(), rest.data(), rest.size());
      if (written < 0) {
        const int reason = errno;
        unlink(temporary.c_str());  // a full disk needs the room
        errno = reason;
        fail(temporary, "write");
      }
      rest = rest.subspan(static_cast<std::size_t>(written));
    }
    if (fsync(file.value()) != 0) fail(temporary, "flush");
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "put in place");
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  const Descriptor directory(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, "open");
  fsync(directory.value());  // some network file systems refuse this; the rename is still atomic
}

void write_file_atomically(const std::filesystem::path& path, const std::string& text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
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
