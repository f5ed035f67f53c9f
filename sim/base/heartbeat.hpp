#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace souk::heartbeat {

/// Where this process is, for the watchdog and for phase timing. One writer (the rank's only working thread), any
/// number of readers.

/// Enters a phase of the current round; `name` outlives it (a literal).
void enter(const char* name);
/// The phase's local work is done; the rank now waits for the others.
void wait_for_others();
/// The wait is over: all ranks agreed.
void go_on();
/// Something moved: called after every mini-batch and every message.
void beat();
void set_round(std::uint32_t round);

struct Status {
  std::uint64_t beats = 0;  ///< grows with everything above
  std::uint32_t round = 0;
  const char* phase = "start";
  bool waiting = false;
};
Status status();

}  // namespace souk::heartbeat
