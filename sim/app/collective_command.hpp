#pragma once

#include <functional>

#include "sim/comm/comm.hpp"

namespace souk {

/// Runs a command's work on all ranks that were started, one BLAS thread each, and returns the exit code. A failure
/// that all ranks agreed on is printed once.
int run_collectively(const std::function<void(const Comm&)>& work);

}  // namespace souk
