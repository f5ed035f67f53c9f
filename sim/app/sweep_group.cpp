#include "sim/app/sweep_group.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenarios/scenario.pb.h"
#include "sim/app/run_cell.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/last_words.hpp"
#include "sim/base/launcher_line.hpp"
#include "sim/base/log.hpp"
#include "sim/base/signs_of_life.hpp"
#include "sim/engine/scenario_file.hpp"
#include "sim/engine/stop_signal.hpp"

namespace souk {
namespace {

constexpr int child_recorded = 0;  ///< the run's results say how it ended
constexpr int child_failed = 75;   ///< its last words do

/// How a child process ended: as waitpid says, and whether it had to be killed because it gave no sign of life.
struct ChildEnd {
  int status = 0;
  bool was_silent = false;
};

/// A child process that works while this one waits and passes signals on.
ChildEnd run_in_child(double stall_timeout, const std::function<int()>& work, const std::function<void()>& idle) {
  SignsOfLife life;
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);                     // signals to the group of ranks reach it through its parent alone, once
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing survives its parent
    if (getppid() != parent) std::_Exit(child_failed);
    set_fatal_handler(nullptr);  // a child is not known to MPI
    log::set_before_message(nullptr);
    log::start(log::Level::error, 0);
    life.give();
    std::_Exit(work());
  }
  if (child < 0) throw std::runtime_error(fmt::format("cannot start a process: {}", std::strerror(errno)));
  ChildEnd end;
  bool told = false;
  while (true) {
    const pid_t ended = waitpid(child, &end.status, WNOHANG);
    if (ended == child) return end;
    if (ended < 0 && errno != EINTR)
      throw std::runtime_error(fmt::format("cannot wait for a process: {}", std::strerror(errno)));
    if (!told && stop_signal::received() != 0) {
      stop_signal::pass_on_to(child);
      told = true;
    }
    if (life.are_missing_for(stall_timeout)) {
      end.was_silent = true;
      kill(child, SIGKILL);
    }
    idle();
    std::this_thread::sleep_for(SignsOfLife::look);
  }
}

/// Where nothing can be written, the parent will find that, too.
void leave_words(const std::filesystem::path& directory, const char* words) {
  try {
    last_words::keep_in(last_words_file(directory));
    last_words::say(words);
  } catch (const std::runtime_error&) {
  }
}

std::string words_left_in(const std::filesystem::path& directory) {
  const auto file = last_words_file(directory);
  return std::filesystem::exists(file) ? read_text_file(file) : "";
}

/// Why a child ended that recorded nothing.
std::string reason_of_status(int status, const std::filesystem::path& directory) {
  const std::string words = words_left_in(directory);
  if (!words.empty()) return words;
  if (!WIFSIGNALED(status)) return fmt::format("the process ended with code {}", WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return fmt::format("signal {} ({}){}", signal, strsignal(signal), signal == SIGKILL ? ": out of memory?" : "");
}

/// Where a group of several ranks notes how far a run was when it took it: nobody looks after it who could say that it
/// was killed. What is found there later, and no round further, ended without a word.
std::filesystem::path attempt_file(const std::filesystem::path& directory) { return directory / "attempt"; }

std::string reason_of_silence(const std::filesystem::path& directory, const RunState& state) {
  const auto file = attempt_file(directory);
  const bool stuck = std::filesystem::exists(file) && read_text_file(file) == std::to_string(state.rounds_done);
  return stuck ? fmt::format("a rank was killed in round {}: out of memory?", state.rounds_done + 1) : "";
}

class Group {
 public:
  Group(const Comm& comm, const SweepWork& work, GroupReporter* reporter, const std::function<void()>& idle)
      : comm_(comm), work_(work), reporter_(reporter), idle_(idle) {}

  std::string work_through() {
    try {
      for (const std::size_t run : work_.queue) {
        if (comm_.all_max(stop_signal::received()) != 0) break;
        take(run);
      }
    } catch (const PhaseError& error) {
      return fault_of(error);
    }
    return "";
  }

 private:
  /// What failed because the directory is gone is said as that.
  std::string fault_of(const PhaseError& error) const {
    try {
      work_.directory.require_in_place();
    } catch (const std::runtime_error& gone) {
      return gone.what();
    }
    return error.what();
  }

  bool leads() const { return comm_.rank() == 0; }

  /// Runs it, again where it fails, unless somebody else has it or it is over.
  void take(std::size_t run) {
    CellOrder order = order_for(run);
    while (true) {
      std::unique_ptr<RunDirectory> locked;
      comm_.run_phase("take run", [&] {
        if (leads()) locked = claim(run, order);
      });
      if (comm_.broadcast(locked != nullptr ? 1 : 0, 0) == 0) return;
      order.failures = comm_.broadcast(order.failures, 0);
      if (leads()) announce(run);
      attempt(order, std::move(locked));
      comm_.run_phase("look at run", [&] {
        if (leads()) look_back(run);
      });
      if (comm_.all_max(stop_signal::received()) != 0) return;
    }
  }

  CellOrder order_for(std::size_t run) {
    const PlannedRun& planned = work_.plan.runs[run];
    return {.run = planned,
            .data = work_.catalogue.data_of(run),
            .data_hash = work_.catalogue.hash_of(run),
            .directory = work_.directory.of_run(planned.id()),
            .device = work_.device,
            .time_limit = work_.time_limit,
            .stall_timeout = work_.stall_timeout,
            .refused = work_.retries + 1,
            .after_round = [this](const RoundRecord& record) {
              reporter_->status().round = record.round.value;
              reporter_->publish();
              if (comm_.size() > 1) idle_();
            }};
  }

  /// Its directory, locked, where there is something left to do.
  std::unique_ptr<RunDirectory> claim(std::size_t run, CellOrder& order) const {
    work_.directory.require_in_place();
    auto directory = std::make_unique<RunDirectory>(order.directory);
    if (!directory->try_open()) return nullptr;
    RunState state = read_run_state(order.directory);
    order.failures = state.failures;
    // A larger group that crashes takes its job with it: the next one finds why.
    std::string words = words_left_in(order.directory);
    if (words.empty()) words = reason_of_silence(order.directory, state);
    if (!words.empty() && state.status != RunStatus::damaged) {
      record_crash(order, words);
      state = read_run_state(order.directory);
      order.failures = state.failures;
    }
    std::filesystem::remove(last_words_file(order.directory));
    std::filesystem::remove(attempt_file(order.directory));
    if (state.complete(work_.plan.runs[run].identity) || state.failures > work_.retries) return nullptr;
    if (comm_.size() > 1) write_file_atomically(attempt_file(order.directory), std::to_string(state.rounds_done));
    return directory;
  }

  void announce(std::size_t run) const {
    const PlannedRun& planned = work_.plan.runs[run];
    launcher_line::say(launcher_line::takes, planned.id());
    reporter_->set_label(fmt::format("{} {}", planned.id(), coordinates_text(work_.plan.cells[planned.first_cell])));
    reporter_->status().round = 0;
    reporter_->status().rounds = resolve_scenario({"", planned.scenario, {}}).scenario->rounds();
    reporter_->publish();
    idle_();
  }

  void attempt(const CellOrder& order, std::unique_ptr<RunDirectory> locked) const {
    const std::string crash =
        comm_.size() > 1 ? attempt_here(order, std::move(locked)) : attempt_in_child(order, locked);
    comm_.run_phase("record crash", [&] {
      if (!leads()) return;
      std::filesystem::remove(attempt_file(order.directory));
      std::filesystem::remove(last_words_file(order.directory));
      if (crash.empty()) return;
      require_space(order.directory);  // for want of it a run may crash, which is no fault of the run's
      record_crash(order, crash);
    });
  }

  /// Returns why the attempt ended, if its results do not say so.
  std::string attempt_here(const CellOrder& order, std::unique_ptr<RunDirectory> locked) const {
    try {
      run_cell(comm_, order, std::move(locked));
      return "";
    } catch (const PhaseError& error) {
      return error.what();
    }
  }

  /// The same. The lock stays with this process, too.
  std::string attempt_in_child(const CellOrder& order, std::unique_ptr<RunDirectory>& locked) const {
    const auto [status, was_silent] = run_in_child(
        order.stall_timeout,
        [&] {
          try {
            run_cell(Comm::self(), order, std::move(locked));
            return child_recorded;
          } catch (const std::exception& error) {
            leave_words(order.directory, error.what());
            return child_failed;
          }
        },
        idle_);
    if (was_silent) return fmt::format("the process gave no sign of life for {} s: stopped?", order.stall_timeout);
    const bool told_to_end = WIFSIGNALED(status) && stop_signal::received() != 0;
    const bool recorded = WIFEXITED(status) && WEXITSTATUS(status) == child_recorded;
    return told_to_end || recorded ? "" : reason_of_status(status, order.directory);
  }

  /// Notes how the attempt ended.
  void look_back(std::size_t run) {
    const PlannedRun& planned = work_.plan.runs[run];
    const RunState state = read_run_state(work_.directory.of_run(planned.id()));
    GroupStatus& status = reporter_->status();
    status.rounds = 0;
    if (state.complete(planned.identity)) {
      ++(state.status == RunStatus::done ? status.done : status.diverged);
      status.expected_seconds += work_.estimates[run].seconds;
    } else if (state.status != RunStatus::interrupted && state.status != RunStatus::running) {  // killed with the job
      const bool again = state.failures <= work_.retries;
      log::error("run {} ({}) {}: {}{}", planned.id(), coordinates_text(work_.plan.cells[planned.first_cell]),
                 to_string(state.status), state.reason, again ? "; trying again" : "");
      status.failed += again ? 0 : 1;
      status.expected_seconds += again ? 0.0 : work_.estimates[run].seconds;
    }
    reporter_->publish();
  }

  const Comm& comm_;
  const SweepWork& work_;
  GroupReporter* reporter_;
  const std::function<void()>& idle_;
};

}  // namespace

std::string work_through(const Comm& group, const SweepWork& work, GroupReporter* reporter,
                         const std::function<void()>& idle) {
  return Group(group, work, reporter, idle).work_through();
}

}  // namespace souk
