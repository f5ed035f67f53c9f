#pragma once

namespace souk {

/// The whole program: arguments in, exit code out (sim/base/error.hpp).
int run_program(int argc, char** argv);

}  // namespace souk
