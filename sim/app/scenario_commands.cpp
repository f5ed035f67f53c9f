// `souk run` and `souk check`: their options.
#include <memory>

#include <CLI/CLI.hpp>

#include "sim/app/commands.hpp"
#include "sim/app/subcommands.hpp"

namespace souk {
namespace {

void add_scenario_arguments(CLI::App& command, ScenarioArguments& arguments) {
  command.add_option("scenario", arguments.file, "Scenario file: protobuf text format, or JSON")->required();
  command.add_option("--set", arguments.overrides, "PATH=VALUE: change one field, e.g. task.training.batch_size=64")
      ->expected(1)
      ->take_all();
  command.add_option("--seed", arguments.seed, "Change the seed");
  command.add_option("--device", arguments.device, "cpu, cuda or cuda:K")->capture_default_str();
}

}  // namespace

void add_ranks(CLI::App& command, ChosenCommand& chosen) {
  command.add_option("--ranks", chosen.ranks, "Start this many ranks on this machine through mpirun")
      ->check(CLI::Range(1, 4096));
}

void add_run(CLI::App& app, ChosenCommand& chosen) {
  const auto run = std::make_shared<RunArguments>();
  const auto citations = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("run", "Run one scenario");
  add_scenario_arguments(*command, run->scenario);
  command->add_option("--out", run->directory, "Directory of the run (default: runs/NAME-IDENTITY)");
  add_ranks(*command, chosen);
  command->add_flag("--resume", run->resume, "Continue from the last checkpoint, if there is one");
  command->add_flag("-q,--quiet", run->quiet, "Print only errors and the result");
  command->add_flag("-v,--verbose", run->verbose, "Print and log more");
  command->add_flag("--citations", *citations, "Print the BibTeX of the methods used, and stop");
  command
      ->add_option("--stall-timeout", run->stall_timeout,
                   "End the run when nothing moves for this many seconds; 0: never")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command->add_option("--inject-fault", run->fault, "For tests: rank=R,round=N,phase=NAME[,kind=hang|kill]");
  command->callback([&chosen, run, citations] {
    if (*citations) {
      chosen.command = [run] { return citations_command(run->scenario); };
    } else {
      chosen.command = [run] { return run_command(*run); };
      chosen.on_ranks = run_on_ranks;
    }
  });
}

void add_check(CLI::App& app, ChosenCommand& chosen) {
  struct Given {
    ScenarioArguments scenario;
    bool print = false;
    int ranks = 0;
  };
  const auto given = std::make_shared<Given>();
  CLI::App* command = app.add_subcommand("check", "Check a scenario and show what it needs, without running it");
  add_scenario_arguments(*command, given->scenario);
  command->add_flag("--print", given->print, "Print the resolved scenario, every default filled in");
  command->add_option("--ranks", given->ranks, "Estimate the memory for this many ranks (default: 1)")
      ->check(CLI::Range(1, 4096));
  command->callback([&chosen, given] {
    chosen.command = [given] { return check_command(given->scenario, given->print, given->ranks); };
  });
}

}  // namespace souk
