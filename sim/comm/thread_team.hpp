#pragma once

#include <functional>

#include "sim/comm/comm.hpp"

namespace souk {

/// Runs `body` once per rank, every rank a thread of this process, on a communicator that joins them; for tests, `souk
/// conform` among them. An exception that leaves `body` breaks the team: the others stop at their next collective, and
/// the exception of the smallest rank is thrown here.
void run_team(int ranks, const std::function<void(const Comm&)>& body);

}  // namespace souk
