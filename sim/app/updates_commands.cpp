// `souk aggregate` and `souk attack`: their options.
#include <limits>
#include <memory>

#include <CLI/CLI.hpp>

#include "sim/app/commands.hpp"
#include "sim/app/launch.hpp"
#include "sim/app/subcommands.hpp"

namespace souk {
namespace {

int plain_ranks(int ranks, int argc, char** argv) { return launch_ranks(ranks, argc, argv).exit_code; }

}  // namespace

void add_aggregate(CLI::App& app, ChosenCommand& chosen) {
  const auto arguments = std::make_shared<AggregateArguments>();
  AggregateArguments& aggregate = *arguments;
  CLI::App* command = app.add_subcommand("aggregate", "Apply one rule to updates in a file");
  command->add_option("rule", aggregate.rule.rule, "Name of the rule, as printed by 'souk list aggregators'")
      ->required();
  command->add_option("--updates", aggregate.updates, "n x d matrix of float32 or float64, one update per row (.npy)")
      ->required();
  command->add_option("--pre", aggregate.rule.pre, "Pre-aggregators, in the order of their application")->take_all();
  command->add_option("--root", aggregate.root, "The server's own update, for rules that compare with it (.npy)");
  command->add_option("--global", aggregate.global,
                      "The parameters the clients started from, for rules that look at models (.npy; default: 0)");
  command
      ->add_option("--set", aggregate.settings,
                   "f=N for all, K=V for the rule, NAME.K=V for the rule or a pre-aggregator")
      ->expected(1)
      ->take_all();
  command->add_option("--out", aggregate.out, "Where the aggregate goes: d values, float64 (.npy)");
  command->add_option("--weights", aggregate.weights, "Where the weights of the updates go: n values, float64 (.npy)");
  command->add_option("--scores", aggregate.scores, "Where the scores of the updates go: n values, float64 (.npy)");
  command->add_option("--seed", aggregate.seed, "Seed of rules that draw random numbers")->capture_default_str();
  add_ranks(*command, chosen);
  command->callback([&chosen, arguments] {
    chosen.command = [arguments] { return aggregate_command(*arguments); };
    chosen.on_ranks = plain_ranks;
  });
}

void add_attack(CLI::App& app, ChosenCommand& chosen) {
  const auto arguments = std::make_shared<AttackArguments>();
  AttackArguments& attack = *arguments;
  CLI::App* command = app.add_subcommand("attack", "Craft malicious updates from the benign ones in a file");
  command->add_option("attack", attack.attack, "Name of the attack, as printed by 'souk list attacks/updates'")
      ->required();
  command
      ->add_option("--updates", attack.updates,
                   "n x d matrix of float32 or float64: the updates of the benign clients 0 ... n - 1 (.npy)")
      ->required();
  command->add_option("--malicious", attack.malicious, "m: members of the attacker group, clients n ... n + m - 1")
      ->required()
      ->check(CLI::Range(1, 1000000));
  command->add_option("--own", attack.own,
                      "m x d matrix of what members would have sent honestly (.npy; default: copies of the benign rows "
                      "0, 1, ..., from the first again after the last)");
  command->add_option("--global", attack.global, "The parameters the clients started from (.npy; default: 0)");
  command->add_option("--change", attack.change, "The last round's change of them (.npy; default: 0)");
  command->add_option("--root", attack.root, "The server's own update (.npy)");
  command->add_option("--against", attack.against.rule,
                      "The server's rule, which members then know and may try their updates on");
  command->add_option("--pre", attack.against.pre, "Its pre-aggregators, in the order of their application")
      ->take_all();
  command
      ->add_option("--set", attack.settings,
                   "K=V for the attack, NAME.K=V for the attack, the rule or a pre-aggregator; with --against f=N for "
                   "the rule (default: m)")
      ->expected(1)
      ->take_all();
  command->add_option("--round", attack.round, "The round, from 1")
      ->check(CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()))
      ->capture_default_str();
  command->add_option("--seed", attack.seed, "Seed of attacks and rules that draw random numbers")
      ->capture_default_str();
  command->add_option("--out", attack.out, "Where the members' updates go: m x d, float32 (.npy)")->required();
  add_ranks(*command, chosen);
  command->footer(
      "Members know every update of the round and each other's. Nobody remembers earlier rounds, and the server adds\n"
      "the aggregate as it is. Prints a line about the run, and what the attack says about itself as 'name value'\n"
      "lines. Attacks that train a model need a scenario.\n");
  command->callback([&chosen, arguments] {
    chosen.command = [arguments] { return attack_command(*arguments); };
    chosen.on_ranks = plain_ranks;
  });
}

}  // namespace souk
