#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "analysis/sinks/sqlite_sink.hpp"
#include "sim/app/collective_command.hpp"
#include "sim/app/filter.hpp"
#include "sim/app/sweep_commands.hpp"
#include "sim/app/sweep_group.hpp"
#include "sim/app/version.hpp"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"
#include "sim/base/memory.hpp"
#include "sim/comm/session.hpp"
#include "sim/engine/neighbour_watch.hpp"
#include "sim/engine/stop_signal.hpp"

namespace souk {

SweepDirectory directory_of(const SweepArguments& arguments, const SweepPlan& plan) {
  return SweepDirectory(arguments.directory.empty() ? "runs/" + plan.name : arguments.directory);
}

std::vector<std::size_t> chosen_runs(const SweepArguments& arguments, const SweepPlan& plan) {
  const std::vector<bool> matching = matching_cells(plan, arguments.filter);
  std::vector<bool> chosen(plan.runs.size(), false);
  for (std::size_t c = 0; c < plan.cells.size(); ++c) {
    if (matching[c]) chosen[plan.cells[c].run] = true;
  }
  std::vector<std::size_t> runs;
  for (std::size_t run = 0; run < chosen.size(); ++run) {
    if (chosen[run] && arguments.shard.takes(run)) runs.push_back(run);
  }
  return runs;
}

namespace {

/// What is left to do, and what is known from what was done.
struct Work {
  std::vector<std::size_t> todo;
  std::size_t complete = 0;
  std::size_t failed = 0;  ///< as often as they were to be tried
  std::vector<Measured> measured;
};

Work look_at_directory(const SweepDirectory& directory, const SweepPlan& plan, const std::vector<std::size_t>& runs,
                       std::uint32_t most_failures) {
  Work work;
  for (const std::size_t run : runs) {
    const RunState state = read_run_state(directory.of_run(plan.runs[run].id()));
    if (state.complete(plan.runs[run].identity)) {
      ++work.complete;
      work.measured.push_back({run, state.seconds});
    } else if (state.failures <= most_failures) {
      work.todo.push_back(run);
    } else {
      ++work.failed;
    }
  }
  return work;
}

void share(const Comm& comm, SweepPlan& plan) {
  SaveArchive save;
  if (comm.rank() == 0) serialize(save, plan);
  std::vector<std::byte> bytes(comm.broadcast(save.bytes().size(), 0));
  if (comm.rank() == 0) bytes = save.bytes();
  comm.broadcast_into(std::span(bytes), 0);
  LoadArchive load(bytes);
  if (comm.rank() != 0) serialize(load, plan);
}

template <class T>
std::vector<T> share(const Comm& comm, std::vector<T> values) {
  values.resize(comm.broadcast(values.size(), 0));
  comm.broadcast_into(std::span(values), 0);
  return values;
}

void warn_of_memory(const Comm& world, const std::vector<std::size_t>& todo, const std::vector<Estimate>& estimates,
                    int ranks_per_run) {
  double largest = 0.0;
  for (const std::size_t run : todo) largest = std::max(largest, estimates[run].bytes);
  const int groups = (world.node().size() + ranks_per_run - 1) / ranks_per_run;
  if (world.rank() != 0 || groups * largest <= available_memory()) return;
  log::warning("{} runs at a time need up to {} on this node, which has {} to give", groups,
               bytes_text(groups * largest), bytes_text(available_memory()));
}

/// Makes room for a run that begins anew; whoever can read more in its results than we may still do so.
void set_aside(const std::filesystem::path& run) {
  int number = 1;
  const auto aside = [&] { return std::filesystem::path(fmt::format("{}.damaged-{}", run.string(), number)); };
  while (std::filesystem::exists(aside())) ++number;
  std::filesystem::rename(run, aside());
  log::warning("{}: cannot be read and is now {}", run.string(), aside().filename().string());
}

/// Counts failures anew, as if nothing had been tried.
void forget_failures(const SweepDirectory& directory, const SweepPlan& plan, const std::vector<std::size_t>& runs) {
  for (const std::size_t run : runs) {
    const auto path = directory.of_run(plan.runs[run].id());
    const RunState state = read_run_state(path);
    if (state.status == RunStatus::damaged) {
      set_aside(path);
    } else if (state.failures > 0) {
      open_sqlite_sink(path / "results.sqlite")->describe({{"failures", "0"}});
    }
  }
}

void print_summary(const SweepDirectory& directory, const SweepPlan& plan, const std::vector<std::size_t>& runs,
                   int& exit_code) {
  std::size_t done = 0, diverged = 0, failed = 0;
  for (const std::size_t run : runs) {
    const RunState state = read_run_state(directory.of_run(plan.runs[run].id()));
    const bool complete = state.complete(plan.runs[run].identity);
    done += complete && state.status == RunStatus::done ? 1 : 0;
    diverged += complete && state.status == RunStatus::diverged ? 1 : 0;
    failed += !complete && state.failures > 0 ? 1 : 0;
  }
  const std::size_t left = runs.size() - done - diverged - failed;
  std::printf("sweep %s: %zu runs: %zu done, %zu diverged, %zu failed, %zu left\n", directory.path().c_str(),
              runs.size(), done, diverged, failed, left);
  if (failed > 0) std::printf("'souk sweep status' says what failed; --retry-failed tries again\n");
  if (left > 0 && stop_signal::received() == 0) std::printf("another job has what is left in hand\n");
  std::fflush(stdout);
  if (failed + left > 0) exit_code = exit_failed;
}

class SweepRun {
 public:
  SweepRun(const Comm& world, const SweepRunArguments& arguments) : world_(world), arguments_(arguments) {}

  int run() {
    limit_blas_to_one_thread();
    limit_libtorch_to_one_thread();
    const NeighbourWatch neighbours(world_, arguments_.stall_timeout);
    world_.run_phase("read grid", [&] {
      if (world_.rank() != 0) return;
      grid_ = load_grid(arguments_.sweep.grid);
      plan_ = expand(grid_);
      chosen_ = chosen_runs(arguments_.sweep, plan_);
    });
    share(world_, plan_);
    retries_ = world_.broadcast(grid_.retries, 0);
    const double time_limit = world_.broadcast(grid_.timeout, 0);
    SweepCatalogue catalogue(world_, plan_);
    SweepDirectory directory = directory_of(arguments_.sweep, plan_);
    Work left;
    world_.run_phase("open sweep", [&] {
      if (world_.rank() == 0) left = open(directory);
    });
    const std::vector<std::size_t> todo = share(world_, left.todo);
    const std::vector<Estimate> estimates = refined_estimates(catalogue, left);
    catalogue.keep(todo);
    warn_of_memory(world_, todo, estimates, arguments_.ranks_per_run);
    const std::string path = world_.broadcast_text(directory.path().string(), 0);
    const SweepDirectory shared(path);
    const SweepWork work{plan_,
                         catalogue,
                         shared,
                         in_order(todo, estimates),
                         estimates,
                         retries_,
                         time_limit,
                         stall_timeout(time_limit),
                         arguments_.sweep.device};
    const std::string fault = work_in_groups(work, left);
    return finish(directory, fault);
  }

 private:
  /// Of what is left to do, corrected by what was done; the same on every rank, for the order of the queue hangs on it.
  std::vector<Estimate> refined_estimates(const SweepCatalogue& catalogue, const Work& left) const {
    const std::vector<Measured> measured = share(world_, left.measured);
    std::vector<std::size_t> runs = share(world_, left.todo);
    for (const Measured& one : measured) runs.push_back(one.run);
    std::vector<Estimate> estimates = estimate(world_, plan_, catalogue, runs);
    refine(plan_, measured, estimates);
    return estimates;
  }

  Work open(SweepDirectory& directory) {
    directory.open(plan_, arguments_.sweep.shard);
    if (arguments_.retry_failed) forget_failures(directory, plan_, chosen_);
    Work left = look_at_directory(directory, plan_, chosen_, grid_.retries);
    log::info("{}: {} cells, {} runs, of these {} done; {} to do on {} rank(s)", directory.path().string(),
              plan_.cells.size(), plan_.runs.size(), left.complete, left.todo.size(), world_.size());
    return left;
  }

  /// Longest first, so that no group is left with a long one at the end.
  static std::vector<std::size_t> in_order(std::vector<std::size_t> runs, const std::vector<Estimate>& estimates) {
    std::stable_sort(runs.begin(), runs.end(),
                     [&](std::size_t a, std::size_t b) { return estimates[a].seconds > estimates[b].seconds; });
    return runs;
  }

  /// A run that stands still is ended soon after its time is up; one that moves ends by itself after a round, which is
  /// given some time to end.
  double stall_timeout(double time_limit) const {
    constexpr double shortest = 10.0;
    const double stall = arguments_.stall_timeout, limit = std::max(time_limit, shortest);
    return time_limit > 0.0 && (stall == 0.0 || limit < stall) ? limit : stall;
  }

  std::string work_in_groups(const SweepWork& work, const Work& left) {
    const int group = world_.rank() / arguments_.ranks_per_run;
    const int groups = (world_.size() + arguments_.ranks_per_run - 1) / arguments_.ranks_per_run;
    const Comm comm = world_.split(group);
    std::vector<std::filesystem::path> files;
    for (int g = 0; g < groups; ++g) files.push_back(work.directory.of_group(arguments_.sweep.shard, g));
    std::unique_ptr<GroupReporter> reporter;
    world_.run_phase("report groups", [&] {
      if (comm.rank() == 0) reporter = std::make_unique<GroupReporter>(files[static_cast<std::size_t>(group)]);
    });
    SweepProgress before{
        .runs = work.queue.size() + left.complete + left.failed, .done = left.complete, .failed = left.failed};
    for (const std::size_t run : work.queue) before.expected_seconds += work.estimates[run].seconds;
    SweepScreen screen(files, before, arguments_.quiet || world_.rank() != 0);
    std::string fault = work_through(comm, work, reporter.get(), [&] { screen.refresh(); });
    if (reporter != nullptr) {
      reporter->status().over = true;
      reporter->publish();
    }
    if (world_.rank() == 0) wait_for_all(work.directory, files, screen);
    return fault;
  }

  /// The others are still at work; a barrier would wait as well, but show nothing.
  static void wait_for_all(const SweepDirectory& directory, const std::vector<std::filesystem::path>& files,
                           SweepScreen& screen) {
    const auto over = [&] {
      const std::vector<GroupStatus> groups = read_groups(files);
      return std::all_of(groups.begin(), groups.end(), [](const GroupStatus& group) { return group.over; });
    };
    while (!over() && directory.is_in_place()) {
      screen.refresh();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  /// The smallest rank's fault ends all with one message.
  int finish(const SweepDirectory& directory, const std::string& fault) {
    world_.run_phase("sweep", [&] {
      if (fault.empty()) return;
      throw std::runtime_error(
          fmt::format("the sweep cannot go on: {}; nothing that was done is lost, the same command goes on", fault));
    });
    const int signal = world_.all_max(stop_signal::received());
    int exit_code = signal == 0 ? exit_done : (signal == SIGINT ? exit_interrupt : exit_terminated);
    world_.run_phase("summary", [&] {
      if (world_.rank() != 0) return;
      int of_failures = exit_done;
      print_summary(directory, plan_, chosen_, of_failures);
      if (exit_code == exit_done) exit_code = of_failures;
      if (signal != 0) log::warning("interrupted; the same command goes on");
    });
    return world_.broadcast(exit_code, 0);
  }

  const Comm& world_;
  const SweepRunArguments& arguments_;
  Grid grid_;
  SweepPlan plan_;
  std::vector<std::size_t> chosen_;
  std::uint32_t retries_ = 0;
};

}  // namespace

int sweep_run_command(const SweepRunArguments& arguments) {
  stop_signal::install();
  const MpiSession session;
  const Comm world = session.world();
  log::start(arguments.quiet ? log::Level::error : log::Level::info, world.rank());
  try {
    return SweepRun(world, arguments).run();
  } catch (const PhaseError& error) {
    if (world.rank() == 0) log::error("{}", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    end_for_all(world, error);
  }
}

}  // namespace souk
