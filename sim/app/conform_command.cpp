// `souk conform`: its options.
#include <memory>

#include <CLI/CLI.hpp>

#include "sim/app/commands.hpp"
#include "sim/app/subcommands.hpp"

namespace souk {

void add_conform(CLI::App& app, ChosenCommand& chosen) {
  const auto arguments = std::make_shared<ConformArguments>();
  CLI::App* command =
      app.add_subcommand("conform", "Try a rule or an attack of your own in Python on what all must do");
  command->add_option("file", arguments->file, "Python file with the function 'aggregate' or 'craft'")->required();
  command
      ->add_option("--set", arguments->settings,
                   "NAME=VALUE for an argument of the function: true, false, a number or a text")
      ->expected(1)
      ->take_all();
  command->footer(
      "Prints a line for each property: pass, FAIL with what is wrong, or none where the file says in\n"
      "does_not_preserve that the rule does not have it, or the attack asks for more knowledge. Exit code 0\n"
      "where nothing fails, 1 otherwise.\n");
  command->callback([&chosen, arguments] { chosen.command = [arguments] { return conform_command(*arguments); }; });
}

}  // namespace souk
