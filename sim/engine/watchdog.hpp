#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace souk {

/// Watches this process's heartbeat from a thread of its own. When nothing moves for `seconds`, names rank, round and
/// phase once; a rank that is itself at work (not waiting for others) then ends the whole run with exit_failed, one
/// that waits gives the culprit as long again to do so. seconds = 0: no watchdog.
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
