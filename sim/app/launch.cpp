#include "sim/app/launch.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/app/rank_watch.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/launcher_line.hpp"
#include "sim/comm/session.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

/// Copying straight between processes is refused inside most containers, and where processes may not trace each other.
bool may_read_other_processes() {
  int scope = 1;
  std::ifstream("/proc/sys/kernel/yama/ptrace_scope") >> scope;
  return scope == 0 && access("/.dockerenv", F_OK) != 0 && access("/run/.containerenv", F_OK) != 0;
}

/// The arguments without --ranks and its value.
std::vector<std::string> remaining_arguments(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = 0; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--ranks") {
      ++i;
    } else if (argument.rfind("--ranks=", 0) != 0) {
      arguments.push_back(argument);
    }
  }
  return arguments;
}

/// Codes with which souk itself ends, after saying why.
bool is_ours(int exit_code) {
  const auto codes = {exit_done, exit_bad_input, exit_failed, exit_our_fault, exit_interrupt, exit_terminated};
  return std::find(codes.begin(), codes.end(), exit_code) != codes.end();
}

volatile pid_t launcher = 0;

/// mpirun answers SIGINT and SIGTERM by killing its ranks at once, but passes these two on: the ranks then finish their
/// round, write a checkpoint, and leave with the exit code of the signal meant.
extern "C" void pass_on(int signal) { kill(launcher, signal == SIGINT ? SIGUSR2 : SIGUSR1); }

void pass_signals_on() {
  std::signal(SIGINT, &pass_on);
  std::signal(SIGTERM, &pass_on);
  // Under nohup a terminal that closes is to change nothing.
  if (std::signal(SIGHUP, &pass_on) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
}

/// Where mpirun keeps its session: it waits for ever where that directory is full. Two ranks need some 10 MB.
void require_room_for_session(int ranks) {
  const char* named = nullptr;
  for (const char* variable : {"TMPDIR", "TEMP", "TMP"}) named = named != nullptr ? named : std::getenv(variable);
  const std::string folder = named != nullptr ? named : "/tmp";
  const off_t bytes = (off_t{16} << 20) + (off_t{ranks} << 16);
  std::string probe = folder + "/souk-room-XXXXXX";
  const int file = mkstemp(probe.data());
  const int reason = file < 0 ? errno : posix_fallocate(file, 0, bytes);
  if (file >= 0) {
    close(file);
    unlink(probe.c_str());
  }
  if (reason == 0) return;
  throw std::runtime_error(fmt::format("--ranks: mpirun needs {:.0f} MB for its files in {} (TMPDIR): {}",
                                       static_cast<double>(bytes) / (1 << 20), folder, std::strerror(reason)));
}

/// Options of mpirun that a container, root, or fewer cores than ranks need. Versions take each other's without a word.
std::vector<std::string> launcher_options(int ranks) {
  std::vector<std::string> options{"-n", std::to_string(ranks), "--bind-to", "none"};
  if (geteuid() == 0) options.emplace_back("--allow-run-as-root");
  const bool crowded = static_cast<unsigned>(ranks) > std::thread::hardware_concurrency();
  if (crowded) options.insert(options.end(), {"--mca", "mpi_yield_when_idle", "1"});
  const bool may_copy = may_read_other_processes();
  if (mpi_major_version() >= 5) {
    // The ranks are on one machine: TCP is not needed, and complains where there is no network.
    options.insert(options.end(), {"--map-by", ":OVERSUBSCRIBE", "--mca", "btl", "^tcp"});
    if (!may_copy) options.insert(options.end(), {"--mca", "smsc", "^cma"});
    return options;
  }
  options.emplace_back("-q");
  // Slots are counted by core, and a container may see fewer cores than it has processors.
  options.emplace_back(crowded ? "--oversubscribe" : "--use-hwthread-cpus");
  if (!may_copy) options.insert(options.end(), {"--mca", "btl_vader_single_copy_mechanism", "none"});
  return options;
}

std::vector<std::string> launch_command(int ranks, int argc, char** argv) {
  std::vector<std::string> command{"mpirun"};
  const std::vector<std::string> options = launcher_options(ranks);
  command.insert(command.end(), options.begin(), options.end());
  std::string self(4096, '\0');
  const ssize_t length = readlink("/proc/self/exe", self.data(), self.size());
  std::vector<std::string> arguments = remaining_arguments(argc, argv);
  if (length > 0) arguments[0] = self.substr(0, static_cast<std::size_t>(length));
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

/// Whether an argument names our standard input, as /dev/stdin does.
bool reads_standard_input(const std::vector<std::string>& command) {
  std::error_code none;
  return std::any_of(command.begin() + 1, command.end(), [&](const std::string& word) {
    return !word.empty() && word.front() == '/' && fs::equivalent(word, "/dev/stdin", none);
  });
}

/// mpirun hands its standard input to rank 0, whether that reads it or not: the rest of a loop's list, say.
void leave_standard_input_alone() {
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0) return;
  dup2(nothing, STDIN_FILENO);
  close(nothing);
}

[[noreturn]] void become(std::vector<std::string> command) {
  setpgid(0, 0);                     // Ctrl-C is for us to pass on
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // and nothing survives us
  if (!reads_standard_input(command)) leave_standard_input_alone();
  std::vector<char*> pointers;
  for (std::string& word : command) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  std::fprintf(stderr, "souk: --ranks: mpirun cannot be started: %s (Debian package openmpi-bin)\n",
               std::strerror(errno));
  std::_Exit(exit_bad_input);
}

/// Waits for mpirun to end and listens to the ranks meanwhile. Returns its status as waitpid does.
int wait_for(pid_t process, int ranks, RankWatch& watch) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(mpi_start_seconds + ranks);
  int status = 0;
  while (true) {
    const pid_t ended = waitpid(process, &status, WNOHANG);
    if (ended == process) return status;
    if (ended < 0 && errno != EINTR)
      throw std::runtime_error(fmt::format("cannot wait for mpirun: {}", std::strerror(errno)));
    watch.listen(std::chrono::milliseconds(20));
    if (!watch.works() || watch.has_started() || std::chrono::steady_clock::now() < until) continue;
    kill(process, SIGKILL);
    waitpid(process, &status, 0);
    throw std::runtime_error(fmt::format("--ranks: mpirun has started no rank within {} s", mpi_start_seconds + ranks));
  }
}

void say_how_it_ended(const Launched& ended) {
  if (is_ours(ended.exit_code)) return;
  if (!ended.culprit.empty()) {
    std::fprintf(stderr, "souk: %s\n", ended.culprit.c_str());
  } else {
    std::fprintf(stderr, "souk: a rank ended with code %d%s\n", ended.exit_code,
                 ended.exit_code == 128 + SIGKILL ? " (killed: out of memory?)" : "");
  }
}

}  // namespace

Launched launch_ranks(int ranks, int argc, char** argv) {
  require_room_for_session(ranks);
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) setenv(name, "1", 1);
  RankWatch watch;
  const std::vector<std::string> command = launch_command(ranks, argc, argv);
  launcher = fork();
  if (launcher == 0) become(command);
  SOUK_REQUIRE(launcher > 0, "--ranks {}: cannot start a process: {}", ranks, std::strerror(errno));
  pass_signals_on();
  const int status = wait_for(launcher, ranks, watch);
  watch.listen(std::chrono::milliseconds(0));
  Launched ended{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                 .culprit = {},
                 .run_directory = watch.run_directory(),
                 .last_run = watch.last_run()};
  // The signals we passed on end a rank at once before it listens, and the second time.
  if (ended.exit_code == 128 + SIGUSR2) ended.exit_code = exit_interrupt;
  if (ended.exit_code == 128 + SIGUSR1) ended.exit_code = exit_terminated;
  ended.culprit = watch.why(ended.exit_code);
  say_how_it_ended(ended);
  return ended;
}

}  // namespace souk
