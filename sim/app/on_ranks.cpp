#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "analysis/sinks/sqlite_sink.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/launch.hpp"
#include "sim/app/sweep_directory.hpp"
#include "sim/base/error.hpp"
#include "sim/engine/run_status.hpp"

namespace souk {
namespace {

/// Signals that leave last words behind (sim/base/last_words.hpp).
bool is_a_crash(int exit_code) {
  const auto signals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  return std::find(signals.begin(), signals.end(), exit_code - 128) != signals.end();
}

bool died(int exit_code) { return exit_code > 128 && exit_code != exit_interrupt && exit_code != exit_terminated; }

/// What the ranks did not live to write: that their run is over, and why.
void record_end_of(const Launched& ended) {
  if (ended.run_directory.empty()) return;
  if (read_run_state(ended.run_directory).status != RunStatus::running) return;
  const bool crashed = died(ended.exit_code);
  const std::string reason =
      ended.culprit.empty() ? fmt::format("a rank ended with code {}", ended.exit_code) : ended.culprit;
  open_sqlite_sink(std::filesystem::path(ended.run_directory) / "results.sqlite")
      ->describe({{"status", to_string(crashed ? RunStatus::crashed : RunStatus::failed)}, {"reason", reason}});
}

}  // namespace

int run_on_ranks(int ranks, int argc, char** argv) {
  const Launched ended = launch_ranks(ranks, argc, argv);
  if (ended.exit_code == exit_done || ended.exit_code == exit_bad_input) return ended.exit_code;
  try {
    record_end_of(ended);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "souk: how the run ended could not be recorded: %s\n", error.what());
  }
  if (died(ended.exit_code)) std::fputs("souk: the same command with --resume continues\n", stderr);
  return ended.exit_code;
}

int sweep_on_ranks(int ranks, int argc, char** argv) {
  // A crash is counted against the run that was taken last, which is given up after some; the others go on. One that is
  // counted against none would come again and again.
  constexpr int most_on_one_run = 10;
  Launched ended = launch_ranks(ranks, argc, argv);
  for (int on_one_run = 1; is_a_crash(ended.exit_code) && !ended.last_run.empty(); ++on_one_run) {
    if (on_one_run > most_on_one_run) {
      std::fprintf(stderr, "souk: ranks crashed %d times after they took run %s, which was not counted against it\n",
                   on_one_run, ended.last_run.c_str());
      return ended.exit_code;
    }
    const std::string before = ended.last_run;
    ended = launch_ranks(ranks, argc, argv);
    if (ended.last_run != before) on_one_run = 0;
  }
  if (is_a_crash(ended.exit_code)) {
    std::fputs("souk: the sweep crashed before it took a run; the same command would crash again\n", stderr);
  }
  return ended.exit_code;
}

}  // namespace souk
