#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace souk {

/// Each declares one subcommand with its options. Where the command line chooses it, `chosen` becomes the work to do,
/// which returns the exit code. `ranks` is what --ranks was given, for commands that run on several.
void add_sweep(CLI::App& app, std::function<int()>& chosen, int& ranks);
void add_table(CLI::App& app, std::function<int()>& chosen);
void add_export(CLI::App& app, std::function<int()>& chosen);
void add_report(CLI::App& app, std::function<int()>& chosen);

}  // namespace souk
