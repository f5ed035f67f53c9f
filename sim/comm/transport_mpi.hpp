#pragma once

#include <memory>

#include "sim/comm/transport.hpp"

namespace souk {

/// All ranks of MPI_COMM_WORLD. Needs a live MpiSession.
std::shared_ptr<Transport> make_mpi_transport();

}  // namespace souk
