#include "sim/app/subcommands.hpp"

namespace souk {

void add_export(CLI::App&, std::function<int()>&) {}

}  // namespace souk
