#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace souk {

/// Watches this process's heartbeat from a thread of its own. When the rank is at work and nothing moves for `seconds`,
/// names rank, round and phase, and ends the whole run with exit_failed. A rank that waits for others judges nobody: if
/// one of them is stuck, its own watchdog says so. seconds = 0: no watchdog.
class Watchdog {
 public:
  Watchdog(int rank, double seconds);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void watch();
  int rank_;
  double seconds_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace souk
