#include "sim/engine/stop_signal.hpp"

#include <csignal>
#include <initializer_list>

namespace souk::stop_signal {
namespace {

volatile std::sig_atomic_t last_signal = 0, came_directly = 0, was_passed_on = 0;

extern "C" void note_signal(int signal) {
  const bool passed_on = signal == SIGUSR1 || signal == SIGUSR2;
  volatile std::sig_atomic_t& before = passed_on ? was_passed_on : came_directly;
  if (before != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  before = 1;
  last_signal = signal == SIGINT || signal == SIGUSR2 ? SIGINT : SIGTERM;
}

}  // namespace

void install() {
  struct sigaction action = {};
  action.sa_handler = &note_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU}) sigaction(signal, &action, nullptr);
  // Under nohup a terminal that closes is to change nothing.
  struct sigaction before = {};
  sigaction(SIGHUP, &action, &before);
  if (before.sa_handler == SIG_IGN) sigaction(SIGHUP, &before, nullptr);
}

int received() { return last_signal; }

void pass_on_to(int process) {
  if (last_signal != 0) kill(process, last_signal == SIGINT ? SIGUSR2 : SIGUSR1);
}

}  // namespace souk::stop_signal
