#pragma once

#include <string>

namespace souk {

/// How a job of ranks ended.
struct Launched {
  int exit_code = 0;
  std::string culprit;        ///< who ended it and why, where that is known
  std::string run_directory;  ///< of `souk run`, once it had one
  std::string last_run;       ///< of a sweep: the id of the last that was taken
};

/// Starts `ranks` copies of the program on this machine through mpirun, with the arguments that remain, and waits for
/// them. SIGINT, SIGTERM and SIGHUP reach them as the request to stop after the round in hand. Throws
/// std::runtime_error where mpirun cannot start them.
Launched launch_ranks(int ranks, int argc, char** argv);

}  // namespace souk
