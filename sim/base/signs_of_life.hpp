#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace souk {

/// How a process learns that a child of its still lives: a number in memory of both that a thread of the child moves. A
/// child that was stopped, or hangs in the kernel, cannot end itself, and its parent would wait for ever.
class SignsOfLife {
 public:
  static constexpr std::chrono::milliseconds look{5};  ///< how often the parent is to ask

  SignsOfLife();
  ~SignsOfLife();
  SignsOfLife(const SignsOfLife&) = delete;
  SignsOfLife& operator=(const SignsOfLife&) = delete;
  /// In the child: gives signs from now on.
  void give();
  /// In the parent, at every look: whether there was no sign for this many seconds, as looks are counted, since the
  /// first one.
  bool are_missing_for(double seconds);

 private:
  std::atomic<std::uint64_t>* signs_ = nullptr;
  std::uint64_t last_ = 0;
  std::uint64_t silent_looks_ = 0;
};

}  // namespace souk
