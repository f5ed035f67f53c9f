#include "sim/app/subcommands.hpp"

namespace souk {

void add_sweep(CLI::App&, std::function<int()>&, int&) {}

}  // namespace souk
