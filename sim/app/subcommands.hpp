#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace souk {

/// What the command line chose.
struct ChosenCommand {
  std::function<int()> command{};  ///< the work to do; returns the exit code
  int ranks = 0;                   ///< of --ranks: to start on this machine; 0: none
  /// How it is done on that many; empty: it runs on no others.
  std::function<int(int ranks, int argc, char** argv)> on_ranks{};
};

/// The option --ranks of a command that runs on several.
void add_ranks(CLI::App& command, ChosenCommand& chosen);

// Each declares commands with their options, and what becomes of `chosen` where the command line names one of them.
void add_run(CLI::App& app, ChosenCommand& chosen);
void add_check(CLI::App& app, ChosenCommand& chosen);
void add_aggregate(CLI::App& app, ChosenCommand& chosen);
void add_attack(CLI::App& app, ChosenCommand& chosen);
void add_conform(CLI::App& app, ChosenCommand& chosen);
void add_sweep(CLI::App& app, ChosenCommand& chosen);
void add_table(CLI::App& app, ChosenCommand& chosen);
void add_export(CLI::App& app, ChosenCommand& chosen);
void add_report(CLI::App& app, ChosenCommand& chosen);
void add_privacy(CLI::App& app, ChosenCommand& chosen);
void add_look_up(CLI::App& app, ChosenCommand& chosen);
void add_data(CLI::App& app, ChosenCommand& chosen);

}  // namespace souk
