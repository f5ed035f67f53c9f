#pragma once

#include <exception>
#include <functional>

#include "sim/comm/comm.hpp"

namespace souk {

/// For an exception that ranks did not agree on: the others do not know of it and would wait for ever. Says it and ends
/// all of them.
[[noreturn]] void end_for_all(const Comm& comm, const std::exception& error);

/// Runs a command's work on all ranks that were started, one BLAS thread each, and returns the exit code. A failure
/// that all ranks agreed on is printed once.
int run_collectively(const std::function<void(const Comm&)>& work);

}  // namespace souk
