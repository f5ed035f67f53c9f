#pragma once

#include <array>
#include <cstdint>
#include <streambuf>
#include <string>

#include "sim/base/heartbeat.hpp"
#include "sim/data/byte_source.hpp"

namespace souk {

/// A file as a stream, unpacked on the way. What the source says of a failure passes through a stream that throws for
/// badbit.
class SourceBuffer final : public std::streambuf {
 public:
  explicit SourceBuffer(const std::string& path) : source_(path) {}

 private:
  int_type underflow() override {
    heartbeat::beat();
    const std::size_t got = source_.read_some(bytes_);
    char* const begin = reinterpret_cast<char*>(bytes_.data());
    setg(begin, begin, begin + got);
    return got == 0 ? traits_type::eof() : traits_type::to_int_type(*begin);
  }

  ByteSource source_;
  std::array<std::uint8_t, 1 << 16> bytes_{};
};

}  // namespace souk
