#include "sim/comm/session.hpp"

#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>

#include <dlfcn.h>
#include <mpi.h>
#include <unistd.h>

#include "sim/base/contract.hpp"
#include "sim/base/launcher_line.hpp"
#include "sim/comm/transport_mpi.hpp"

namespace souk {

bool started_by_mpi_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

namespace {

/// Where MPI cannot start (a full disk, a host name that nobody resolves) MPI_Init may wait for ever. Ends the process
/// when this lives longer than the time allowed.
class StartLimit {
 public:
  StartLimit() : thread_([this] { watch(); }) {}
  ~StartLimit() {
    {
      const std::scoped_lock lock(mutex_);
      started_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  StartLimit(const StartLimit&) = delete;
  StartLimit& operator=(const StartLimit&) = delete;

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, std::chrono::seconds(mpi_start_seconds), [this] { return started_; })) return;
    end_fatally(fmt::format("MPI has not started within {} s", mpi_start_seconds), exit_failed);
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  bool started_ = false;
  std::thread thread_;
};

/// Whether MPI may be called by the threads that watch over a run.
bool any_thread_may_call() {
  int provided = MPI_THREAD_SINGLE;
  MPI_Query_thread(&provided);
  return provided == MPI_THREAD_MULTIPLE;
}

/// Ends all ranks. A thread that must not call MPI ends its process, which the launcher takes for the end of the job.
void abort_all(int exit_code) {
  int main_thread = 0;
  MPI_Is_thread_main(&main_thread);
  if (main_thread != 0 || any_thread_may_call()) MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

}  // namespace

MpiSession::MpiSession() : active_(started_by_mpi_launcher()), exceptions_at_start_(std::uncaught_exceptions()) {
  if (!active_) return;
  {
    const StartLimit limit;
    int provided = MPI_THREAD_SINGLE;  // see any_thread_may_call
    if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided) != MPI_SUCCESS) {
      end_fatally("MPI could not be initialised", exit_failed);
    }
  }
  set_fatal_handler(&abort_all);
  launcher_line::say(launcher_line::rank, fmt::format("{} {}", world().rank(), getpid()));
}

MpiSession::~MpiSession() {
  if (!active_) return;
  if (std::uncaught_exceptions() > exceptions_at_start_) {
    MPI_Abort(MPI_COMM_WORLD, exit_our_fault);
  }
  set_fatal_handler(nullptr);
  launcher_line::say(launcher_line::leaves, std::to_string(world().rank()));
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

int mpi_major_version() {
  const std::string text = mpi_version();  // "Open MPI v4.1.4"
  const auto number = text.find(" v");
  return number == std::string::npos ? 0 : std::atoi(text.c_str() + number + 2);
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
