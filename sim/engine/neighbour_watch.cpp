#include "sim/engine/neighbour_watch.hpp"

#include <chrono>

#include "sim/base/contract.hpp"

namespace souk {

NeighbourWatch::NeighbourWatch(const Comm& comm, double seconds) : seconds_(seconds) {
  if (seconds > 0.0) neighbours_ = comm.neighbours();
  if (neighbours_ != nullptr) thread_ = std::thread([this] { watch(); });
}

NeighbourWatch::~NeighbourWatch() {
  if (neighbours_ == nullptr) return;
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  thread_.join();
  neighbours_->leave();
}

void NeighbourWatch::watch() {
  // Looks are counted, not the clock read: where all ranks were stopped together (Ctrl-Z), nobody is missing.
  constexpr int looks = 20;
  const std::chrono::duration<double> pause(seconds_ / looks);
  int silent = 0;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [this] { return over_; })) {
    neighbours_->tell();
    silent = neighbours_->has_heard() ? 0 : silent + 1;
    if (silent <= looks) continue;
    end_fatally(
        fmt::format("rank {} has given no sign of life for {} s: stopped, or its host is gone (--stall-timeout)",
                    neighbours_->previous(), seconds_),
        exit_failed);
  }
}

}  // namespace souk
