#pragma once

#include <atomic>
#include <cstddef>

namespace souk {
namespace heap {

inline std::atomic<std::size_t> now{0}, peak{0};

inline void grow(std::size_t bytes) {
  const std::size_t sum = now.fetch_add(bytes) + bytes;
  std::size_t before = peak.load();
  while (before < sum && !peak.compare_exchange_weak(before, sum)) {
  }
}

}  // namespace heap

/// In a program one of whose sources includes counting_new.hpp: the most bytes that the threads of this program held
/// beyond what they held when this was made, all together.
class HeapPeak {
 public:
  HeapPeak() : start_(heap::now.load()) { heap::peak.store(start_); }
  std::size_t bytes() const { return heap::peak.load() - start_; }

 private:
  std::size_t start_;
};

}  // namespace souk
