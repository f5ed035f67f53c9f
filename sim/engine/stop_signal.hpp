#pragma once

namespace souk::stop_signal {

/// From now on SIGINT and SIGTERM only set a flag; a second one ends the process at once. SIGHUP (the terminal is gone)
/// and SIGXCPU (the time a process may take is nearly over) stand for SIGTERM, and so does SIGUSR1, as
/// SIGUSR2 does for SIGINT: mpirun passes these on to its ranks and keeps the others to itself. One of each kind is no
/// second one: a scheduler that sends SIGTERM to every process sends it also to those that pass it on.
void install();
/// The signal received, or 0.
int received();
/// Passes the signal received, if any, on to another process.
void pass_on_to(int process);

}  // namespace souk::stop_signal
