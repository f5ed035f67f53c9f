#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace souk {

/// What became of a run; results hold it as text. By the alphabet: tables and reports list it in this order.
enum class RunStatus : std::uint8_t {
  crashed,
  damaged,  ///< its results cannot be read
  diverged,
  done,
  failed,
  interrupted,
  missing,  ///< never started
  refused,  ///< it cannot be run here
  running,
  timed_out,
};

std::string to_string(RunStatus status);
/// Throws InputError where it names none.
RunStatus run_status_named(std::string_view text);

/// Whether it came to an end of its own, after which there is nothing left to do.
constexpr bool is_over(RunStatus status) { return status == RunStatus::done || status == RunStatus::diverged; }

}  // namespace souk
