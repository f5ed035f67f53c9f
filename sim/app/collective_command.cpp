#include "sim/app/collective_command.hpp"

#include "sim/base/error.hpp"
#include "sim/base/log.hpp"
#include "sim/comm/session.hpp"

namespace souk {

int run_collectively(const std::function<void(const Comm&)>& work) {
  const MpiSession session;
  const Comm comm = session.world();
  log::start(log::Level::info, comm.rank());
  limit_blas_to_one_thread();
  try {
    work(comm);
    return exit_done;
  } catch (const PhaseError& error) {
    if (comm.rank() == 0) log::error("{}", error.what());
    return error.exit_code();
  }
}

}  // namespace souk
