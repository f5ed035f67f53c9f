#include "sim/app/subcommands.hpp"

namespace souk {

void add_report(CLI::App&, std::function<int()>&) {}

}  // namespace souk
