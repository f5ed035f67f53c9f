#pragma once

namespace souk::stop_signal {

/// From now on SIGINT and SIGTERM only set a flag; a second one ends the process at once. SIGUSR1 stands for SIGTERM
/// and SIGUSR2 for SIGINT: mpirun passes these on to its ranks and keeps the others to itself. One of each kind is no
/// second one: a scheduler that sends SIGTERM to every process sends it also to those that pass it on.
void install();
/// The signal received, or 0.
int received();
/// Passes the signal received, if any, on to another process.
void pass_on_to(int process);

}  // namespace souk::stop_signal
