#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "sim/comm/comm.hpp"

namespace souk {

/// Ends the job where a rank gives no sign of life for `seconds`: a process that was stopped, or whose host is gone,
/// cannot judge itself (Watchdog), and the others would wait for it for ever. Every rank listens to the one before it.
/// Construction is collective; all ranks destroy theirs at about the same time. seconds = 0: watches nobody.
class NeighbourWatch {
 public:
  NeighbourWatch(const Comm& comm, double seconds);
  ~NeighbourWatch();
  NeighbourWatch(const NeighbourWatch&) = delete;
  NeighbourWatch& operator=(const NeighbourWatch&) = delete;

 private:
  void watch();
  double seconds_;
  std::unique_ptr<Neighbours> neighbours_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace souk
