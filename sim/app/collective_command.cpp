#include "sim/app/collective_command.hpp"

#include <new>

#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"
#include "sim/comm/session.hpp"

namespace souk {

void end_for_all(const Comm& comm, const std::exception& error) {
  const bool memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
  end_fatally(fmt::format("rank {}: {}", comm.rank(), memory ? "out of memory" : error.what()),
              memory ? exit_failed : exit_our_fault);
}

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
  } catch (const std::exception& error) {
    end_for_all(comm, error);
  }
}

}  // namespace souk
