#include "sim/engine/watchdog.hpp"

#include <chrono>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {

Watchdog::Watchdog(int rank, double seconds) : rank_(rank), seconds_(seconds) {
  if (seconds > 0.0) thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::watch() {
  // Looks are counted, not the clock read: a process that was stopped (Ctrl-Z, a frozen container) is not stuck.
  constexpr int looks = 20;
  const std::chrono::duration<double> pause(seconds_ / looks);
  heartbeat::Status last = heartbeat::status();
  int still = 0;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [this] { return over_; })) {
    const heartbeat::Status now = heartbeat::status();
    still = now.beats != last.beats || now.waiting ? 0 : still + 1;
    last = now;
    if (still < looks) continue;
    end_fatally(fmt::format("nothing has moved for {} s: rank {} is stuck in phase '{}' of round {} (--stall-timeout)",
                            seconds_, rank_, now.phase, now.round),
                exit_failed);
  }
}

}  // namespace souk
