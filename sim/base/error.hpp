#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/core.h>

namespace souk {

/// What a process returns to the shell.
enum ExitCode : int {
  exit_done = 0,
  exit_bad_input = 2,    ///< the user's: a bad field, a missing file, an impossible size
  exit_failed = 3,       ///< a run that failed and was ended cleanly on all ranks
  exit_our_fault = 70,   ///< a broken contract
  exit_interrupt = 130,  ///< SIGINT, after a checkpoint
  exit_terminated = 143  ///< SIGTERM, after a checkpoint
};

/// What the user asked for cannot be run: bad field, missing file, impossible size. Exit code 2.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The same failure, thrown on every rank by Comm::run_phase. Carries the first failing rank.
class PhaseError : public std::runtime_error {
 public:
  PhaseError(int rank, int exit_code, const std::string& what)
      : std::runtime_error(what), rank_(rank), exit_code_(exit_code) {}
  int rank() const noexcept { return rank_; }
  int exit_code() const noexcept { return exit_code_; }

 private:
  int rank_;
  int exit_code_;
};

/// Throws InputError with a formatted sentence: what is wrong, what it should be, where.
template <class... Args>
[[noreturn]] void throw_input_error(fmt::format_string<Args...> format, Args&&... args) {
  throw InputError(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace souk
