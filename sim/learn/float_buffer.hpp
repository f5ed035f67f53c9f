#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace souk {

/// Work memory that grows and never shrinks: cache-line aligned floats with a readable and writable margin on both
/// sides, so that vector kernels may overrun a row by less than one vector.
class FloatBuffer {
 public:
  static constexpr std::size_t margin = 32;  ///< floats before and after

  FloatBuffer() = default;
  explicit FloatBuffer(std::size_t size) { reserve(size); }
  /// At least `size` floats; growing zeroes them, else the contents stay.
  void reserve(std::size_t size) {
    if (size <= size_ && memory_ != nullptr) return;
    memory_.reset(static_cast<float*>(::operator new[]((size + 2 * margin) * sizeof(float), alignment)));
    std::fill_n(memory_.get(), size + 2 * margin, 0.0F);
    size_ = size;
  }
  float* data() { return memory_.get() + margin; }
  const float* data() const { return memory_.get() + margin; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::align_val_t alignment{128};
  struct Free {
    void operator()(float* memory) const { ::operator delete[](memory, alignment); }
  };
  std::unique_ptr<float, Free> memory_;
  std::size_t size_ = 0;
};

}  // namespace souk
