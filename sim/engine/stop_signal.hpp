#pragma once

namespace souk::stop_signal {

/// From now on SIGINT and SIGTERM only set a flag; a second one ends the process at once.
void install();
/// The signal received, or 0.
int received();

}  // namespace souk::stop_signal
