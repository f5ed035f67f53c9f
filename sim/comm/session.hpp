#pragma once

#include <string>

#include "sim/comm/comm.hpp"

namespace souk {

/// Whether this process was started by an MPI launcher (mpirun, srun): only then is MPI initialised, which costs a
/// second of start-up that a run on one rank does not pay.
bool started_by_mpi_launcher();

/// How long MPI may take to start, in seconds, before the job is ended.
inline constexpr int mpi_start_seconds = 120;

/// MPI from construction to destruction, or nothing at all where no launcher started us. Broken contracts then end all
/// ranks through MPI_Abort. Destruction while an exception that was not agreed on unwinds is fatal for all ranks too.
class MpiSession {
 public:
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  Comm world() const;

 private:
  bool active_;
  int exceptions_at_start_;
};

/// Version of the MPI library, one line.
std::string mpi_version();
/// Its first number: launchers of Open MPI 5 take other options than those of 4.
int mpi_major_version();

/// Makes the BLAS of this process single-threaded; with more threads its sums have other bits. Returns a description
/// of the BLAS in use.
std::string limit_blas_to_one_thread();

}  // namespace souk
