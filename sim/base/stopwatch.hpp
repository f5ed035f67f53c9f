#pragma once

#include <chrono>

namespace souk {

/// Wall-clock time since it was made. For measurements only, never for results.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// Age of this process, to a hundredth of a second; 0 where the kernel does not tell.
double seconds_since_process_start();

}  // namespace souk
