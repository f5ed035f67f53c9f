#pragma once

namespace souk::stop_signal {

/// From now on SIGINT and SIGTERM only set a flag; a second one ends the process at once. SIGUSR1 stands for SIGTERM
/// and SIGUSR2 for SIGINT: mpirun passes these on to its ranks and keeps the others to itself.
void install();
/// The signal received, or 0.
int received();

}  // namespace souk::stop_signal
