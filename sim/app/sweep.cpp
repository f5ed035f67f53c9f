#include <algorithm>
#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>

#include "sim/app/commands.hpp"
#include "sim/app/subcommands.hpp"
#include "sim/app/sweep_commands.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/decimal.hpp"

namespace souk {
namespace {

/// What the command line may fill in, for as long as the work may be done.
struct Given {
  SweepRunArguments run;
  std::string shard;
  std::string id, other;
  bool removes = false;
};

Shard parse_shard(const std::string& text) {
  Shard shard;
  if (text.empty()) return shard;
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto index = parse_whole(std::string_view(text).substr(0, slash));
  const auto count = parse_whole(std::string_view(text).substr(std::min(slash + 1, text.size())));
  SOUK_REQUIRE(index && count && *index >= 1 && *index <= *count, "--shard {}: expected I/N with I from 1 to N", text);
  return {.index = *index, .count = *count};
}

CLI::App* add_part(CLI::App& sweep, const char* name, const char* what, const std::shared_ptr<Given>& given) {
  CLI::App* part = sweep.add_subcommand(name, what);
  part->add_option("grid", given->run.sweep.grid, "Grid file: protobuf text format")->required();
  part->add_option("--out", given->run.sweep.directory, "Directory of the sweep (default: runs/NAME)");
  return part;
}

void add_choice_of_cells(CLI::App& part, const std::shared_ptr<Given>& given) {
  part.add_option("--filter", given->run.sweep.filter,
                  "Only these cells, e.g. 'aggregator=krum && attack.fraction>0.2': axes, fields of the "
                  "scenario, and names as for souk table");
  part.add_option("--shard", given->shard, "I/N: only every N-th run, beginning with the I-th");
  part.add_option("--device", given->run.sweep.device, "cpu, cuda or cuda:K")->capture_default_str();
}

}  // namespace

void add_sweep(CLI::App& app, ChosenCommand& chosen) {
  const auto given = std::make_shared<Given>();
  CLI::App* sweep = app.add_subcommand("sweep", "Run a grid of scenarios, and see how it gets on");
  sweep->require_subcommand(1);
  sweep->footer("'souk sweep GRID' is 'souk sweep run GRID'.");

  CLI::App* plan = add_part(*sweep, "plan", "List cells: id, state, expected time and memory, coordinates", given);
  add_choice_of_cells(*plan, given);
  CLI::App* status = add_part(*sweep, "status", "Count what is done, and say what failed and why", given);
  add_choice_of_cells(*status, given);
  CLI::App* run = add_part(*sweep, "run", "Run every cell that is not done; the same command goes on", given);
  add_choice_of_cells(*run, given);
  run->add_option("--ranks-per-run", given->run.ranks_per_run, "Ranks that share one run")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  add_ranks(*run, chosen);
  run->add_flag("--retry-failed", given->run.retry_failed, "Try runs again that failed for good");
  run->add_option("--stall-timeout", given->run.stall_timeout, "Seconds without any movement that end a run; 0: never")
      ->capture_default_str();
  run->add_flag("-q,--quiet", given->run.quiet, "Errors and the summary only");
  CLI::App* show = add_part(*sweep, "show", "Say how to run one cell by itself", given);
  show->add_option("id", given->id, "Its id, or the beginning")->required();
  CLI::App* diff = add_part(*sweep, "diff", "Compare two cells: fields of the scenario, last metrics", given);
  diff->add_option("id", given->id, "Id of the one")->required();
  diff->add_option("other", given->other, "Id of the other")->required();
  CLI::App* prune = add_part(*sweep, "prune", "List results of old parameters, which no cell of the grid has", given);
  prune->add_flag("--remove", given->removes, "Remove them; what somebody is at work in stays");

  const auto with_shard = [given](auto command) {
    return [given, command] {
      given->run.sweep.shard = parse_shard(given->shard);
      return command();
    };
  };
  const auto choose = [&chosen](CLI::App* part, std::function<int()> command) {
    part->callback([&chosen, command = std::move(command)] {
      chosen.command = command;
      chosen.on_ranks = sweep_on_ranks;
    });
  };
  choose(plan, with_shard([given] { return sweep_plan_command(given->run.sweep); }));
  choose(status, with_shard([given] { return sweep_status_command(given->run.sweep); }));
  choose(run, with_shard([given] { return sweep_run_command(given->run); }));
  choose(show, [given] { return sweep_show_command(given->run.sweep, given->id); });
  choose(prune, [given] { return sweep_prune_command(given->run.sweep, given->removes); });
  choose(diff, [given] { return sweep_diff_command(given->run.sweep, given->id, given->other); });
}

}  // namespace souk
