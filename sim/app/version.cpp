#include "sim/app/version.hpp"

#include <fmt/format.h>

#include "sim/comm/session.hpp"

namespace souk {

std::string version() { return SOUK_VERSION; }
std::string commit() {
  return
#include "commit.inc"
      ;
}
std::string build_type() { return SOUK_BUILD; }

std::string version_text() {
  return fmt::format("souk {}\ncommit {}\nLibTorch {}\nMPI {}\nbuild {}\n", version(), commit(), libtorch_version(),
                     mpi_version(), build_type());
}

}  // namespace souk
