#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/app/commands.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

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

std::vector<std::string> launch_command(int ranks, int argc, char** argv) {
  std::vector<std::string> command{"mpirun", "-q", "-n", std::to_string(ranks), "--bind-to", "none"};
  if (geteuid() == 0) command.emplace_back("--allow-run-as-root");
  if (static_cast<unsigned>(ranks) > std::thread::hardware_concurrency()) {
    command.insert(command.end(), {"--oversubscribe", "--mca", "mpi_yield_when_idle", "1"});
  } else {
    // Slots are counted by core, and a container may see fewer cores than it has processors.
    command.emplace_back("--use-hwthread-cpus");
  }
  if (!may_read_other_processes()) {
    command.insert(command.end(), {"--mca", "btl_vader_single_copy_mechanism", "none"});
  }
  std::string self(4096, '\0');
  const ssize_t length = readlink("/proc/self/exe", self.data(), self.size());
  std::vector<std::string> arguments = remaining_arguments(argc, argv);
  if (length > 0) arguments[0] = self.substr(0, static_cast<std::size_t>(length));
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

[[noreturn]] void become(std::vector<std::string> command) {
  setpgid(0, 0);                     // Ctrl-C is for us to pass on
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // and nothing survives us
  std::vector<char*> pointers;
  for (std::string& word : command) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  std::fprintf(stderr, "souk: --ranks: mpirun cannot be started: %s (Debian package openmpi-bin)\n",
               std::strerror(errno));
  std::_Exit(exit_bad_input);
}

}  // namespace

int launch_ranks(int ranks, int argc, char** argv) {
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) setenv(name, "1", 1);
  const std::vector<std::string> command = launch_command(ranks, argc, argv);
  launcher = fork();
  if (launcher == 0) become(command);
  SOUK_REQUIRE(launcher > 0, "--ranks {}: cannot start a process: {}", ranks, std::strerror(errno));
  std::signal(SIGINT, &pass_on);
  std::signal(SIGTERM, &pass_on);
  int status = 0;
  while (waitpid(launcher, &status, 0) < 0 && errno == EINTR) {
  }
  const int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // The signals we passed on end a rank at once before it listens, and the second time.
  if (exit_code == 128 + SIGUSR2) return exit_interrupt;
  if (exit_code == 128 + SIGUSR1) return exit_terminated;
  if (!is_ours(exit_code)) {
    std::fprintf(stderr, "souk: a rank ended with code %d%s\n", exit_code,
                 exit_code == 128 + SIGKILL ? " (killed: out of memory?)" : "");
  }
  return exit_code;
}

}  // namespace souk
