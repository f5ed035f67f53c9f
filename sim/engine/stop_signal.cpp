#include "sim/engine/stop_signal.hpp"

#include <csignal>
#include <initializer_list>

namespace souk::stop_signal {
namespace {

volatile std::sig_atomic_t last_signal = 0;

extern "C" void note_signal(int signal) {
  if (last_signal != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  last_signal = signal == SIGUSR1 ? SIGTERM : (signal == SIGUSR2 ? SIGINT : signal);
}

}  // namespace

void install() {
  struct sigaction action = {};
  action.sa_handler = &note_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) sigaction(signal, &action, nullptr);
}

int received() { return last_signal; }

}  // namespace souk::stop_signal
