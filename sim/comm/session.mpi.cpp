#include "sim/comm/session.hpp"

#include <cstdlib>
#include <exception>

#include <dlfcn.h>
#include <mpi.h>

#include "sim/base/contract.hpp"
#include "sim/comm/transport_mpi.hpp"

namespace souk {

bool started_by_mpi_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

MpiSession::MpiSession() : active_(started_by_mpi_launcher()), exceptions_at_start_(std::uncaught_exceptions()) {
  if (!active_) return;
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided) != MPI_SUCCESS) {
    end_fatally("MPI could not be initialised", exit_failed);
  }
  set_fatal_handler([](int exit_code) { MPI_Abort(MPI_COMM_WORLD, exit_code); });
}

MpiSession::~MpiSession() {
  if (!active_) return;
  if (std::uncaught_exceptions() > exceptions_at_start_) {
    MPI_Abort(MPI_COMM_WORLD, exit_our_fault);
  }
  set_fatal_handler(nullptr);
  MPI_Finalize();
}

Comm MpiSession::world() const { return active_ ? Comm(make_mpi_transport()) : Comm::self(); }

std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string full(text, static_cast<std::size_t>(length));
  return full.substr(0, full.find(','));
}

std::string limit_blas_to_one_thread() {
  // LibTorch does not control OpenBLAS's threads, and an environment variable set in main comes too late.
  if (void* set = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) reinterpret_cast<void (*)(int)>(set)(1);
  void* config = dlsym(RTLD_DEFAULT, "openblas_get_config");
  if (config == nullptr) return "not OpenBLAS";
  std::string text = reinterpret_cast<char* (*)()>(config)();
  if (void* core = dlsym(RTLD_DEFAULT, "openblas_get_corename")) {
    text += fmt::format(", kernels {}", reinterpret_cast<char* (*)()>(core)());
  }
  return text;
}

}  // namespace souk
