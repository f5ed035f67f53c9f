#include "sim/app/subcommands.hpp"

namespace souk {

void add_table(CLI::App&, std::function<int()>&) {}

}  // namespace souk
