#pragma once

#include <cstddef>
#include <span>

namespace souk {

/// Cuts typed spans out of one block, each on a cache line of its own. Of no bytes: measures, and gives empty ones.
class Cutter {
 public:
  explicit Cutter(std::span<std::byte> bytes) : bytes_(bytes) {}
  template <class T>
  std::span<T> cut(std::size_t count) {
    const std::size_t begin = used_;
    used_ += (count * sizeof(T) + 63) / 64 * 64;
    if (bytes_.empty()) return {};
    return {reinterpret_cast<T*>(bytes_.data() + begin), count};
  }
  std::size_t used() const { return used_; }

 private:
  std::span<std::byte> bytes_;
  std::size_t used_ = 0;
};

}  // namespace souk
