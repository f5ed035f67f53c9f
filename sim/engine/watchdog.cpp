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
  using Clock = std::chrono::steady_clock;
  const std::chrono::duration<double> patience(seconds_);
  heartbeat::Status last = heartbeat::status();
  auto moved = Clock::now();
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, patience / 20, [this] { return over_; })) {
    const heartbeat::Status now = heartbeat::status();
    if (now.beats != last.beats) {
      last = now;
      moved = Clock::now();
      continue;
    }
    const bool too_long = Clock::now() - moved > (now.waiting ? 2 * patience : patience);
    if (!too_long) continue;
    end_fatally(fmt::format("nothing has moved for {} s: rank {} {} phase '{}' of round {} (--stall-timeout)",
                            std::chrono::duration<double>(Clock::now() - moved).count(), rank_,
                            now.waiting ? "waits for other ranks in" : "is stuck in", now.phase, now.round),
                exit_failed);
  }
}

}  // namespace souk
