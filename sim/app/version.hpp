#pragma once

#include <string>

namespace souk {

std::string version();  ///< "0.1.0"
std::string commit();   ///< of the sources, "-dirty" with uncommitted changes
std::string build_type();
std::string libtorch_version();

/// Version, commit, LibTorch, MPI and build type, one a line.
std::string version_text();

/// One LibTorch thread in this process: its sums have other bits with two.
void limit_libtorch_to_one_thread();

}  // namespace souk
