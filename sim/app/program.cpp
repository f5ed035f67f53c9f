#include "sim/app/program.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <limits>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "sim/app/commands.hpp"
#include "sim/app/launch.hpp"
#include "sim/app/subcommands.hpp"
#include "sim/app/version.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/decimal.hpp"
#include "sim/comm/session.hpp"
#include "sim/engine/scenario_file.hpp"

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

void add_run(CLI::App& app, RunArguments& run, bool& citations, int& ranks) {
  CLI::App* command = app.add_subcommand("run", "Run one scenario");
  add_scenario_arguments(*command, run.scenario);
  command->add_option("--out", run.directory, "Directory of the run (default: runs/NAME-IDENTITY)");
  command->add_option("--ranks", ranks, "Start this many ranks on this machine through mpirun")
      ->check(CLI::Range(1, 4096));
  command->add_flag("--resume", run.resume, "Continue from the last checkpoint, if there is one");
  command->add_flag("-q,--quiet", run.quiet, "Print only errors and the result");
  command->add_flag("-v,--verbose", run.verbose, "Print and log more");
  command->add_flag("--citations", citations, "Print the BibTeX of the methods used, and stop");
  command
      ->add_option("--stall-timeout", run.stall_timeout,
                   "End the run when nothing moves for this many seconds; 0: never")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command->add_option("--inject-fault", run.fault, "For tests: rank=R,round=N,phase=NAME[,kind=hang|kill]");
}

void add_aggregate(CLI::App& app, AggregateArguments& aggregate, int& ranks) {
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
  command->add_option("--ranks", ranks, "Start this many ranks on this machine through mpirun")
      ->check(CLI::Range(1, 4096));
}

void add_attack(CLI::App& app, AttackArguments& attack, int& ranks) {
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
  command->add_option("--ranks", ranks, "Start this many ranks on this machine through mpirun")
      ->check(CLI::Range(1, 4096));
  command->footer(
      "Members know every update of the round and each other's. Nobody remembers earlier rounds, and the server adds\n"
      "the aggregate as it is. Prints a line about the run, and what the attack says about itself as 'name value'\n"
      "lines. Attacks that train a model need a scenario.\n");
}

/// glibc gives large blocks back to the system and takes them again, zeroed page by page, in every round: first touch
/// runs at a tenth of the speed of memory in use. Keep what was allocated.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
}

/// Whatever started us may have closed files or ignored signals that we count on.
void start_like_any_process() {
  for (int file = open("/dev/null", O_RDWR); file >= 0 && file <= STDERR_FILENO; file = open("/dev/null", O_RDWR)) {
  }
  std::signal(SIGCHLD, SIG_DFL);  // ignored, nobody would learn how children end
  // A file-size limit, or a reader that is gone, is then an error of write, with a message.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

/// The exit code, but not success where what was printed went nowhere. A reader that has seen enough is no failure.
int with_output_written(int exit_code) {
  errno = 0;
  if ((std::fflush(stdout) == 0 && std::ferror(stdout) == 0) || errno == EPIPE || exit_code != exit_done)
    return exit_code;
  std::fprintf(stderr, "souk: cannot write standard output: %s\n", std::strerror(errno));
  return exit_failed;
}

/// Numbers of the command line are decimal: the parser would take 010 for 8 and -1 for the largest there is.
void require_decimal_numbers(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    const bool whole = type.rfind("UINT", 0) == 0 || type.rfind("INT", 0) == 0;
    if (!whole && type.rfind("FLOAT", 0) != 0) continue;
    option->check([whole](const std::string& text) -> std::string {
      if (whole) return parse_whole(text) ? "" : fmt::format("'{}' is not a whole number in decimal digits", text);
      return is_decimal(text) ? "" : fmt::format("'{}' is not a decimal number", text);
    });
  }
  for (CLI::App* part : app.get_subcommands({})) require_decimal_numbers(*part);
}

/// `souk sweep GRID` as `souk sweep run GRID`.
std::vector<std::string> with_default_part(int argc, char** argv) {
  std::vector<std::string> words(argv, argv + argc);
  constexpr std::string_view parts[] = {"plan", "run", "status", "show", "diff", "prune"};
  const bool named =
      words.size() > 2 && (words[2].rfind("-", 0) == 0 || std::ranges::find(parts, words[2]) != std::end(parts));
  if (words.size() > 2 && words[1] == "sweep" && !named) words.insert(words.begin() + 2, "run");
  return words;
}

/// For a command line that was not understood.
void print_hint(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
  const std::string first = argc > 1 ? argv[1] : "";
  if (!first.empty() && first.front() != '-' && std::ranges::find(commands, first) == commands.end()) {
    std::fprintf(stderr, "souk: there is no command '%s'.%s\n", first.c_str(), did_you_mean(first, commands).c_str());
    return;
  }
  if (first.empty() || first.front() == '-') return;
  const CLI::App* command = app.get_subcommand(first);
  std::vector<std::string> options;
  for (const CLI::Option* option : command->get_options()) options.push_back(option->get_name());
  const bool takes_fields = std::ranges::find(options, "--set") != options.end();
  for (int i = 2; i < argc; ++i) {
    const std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
    if (word.rfind("--", 0) != 0 || std::ranges::find(options, word) != options.end()) continue;
    std::fprintf(stderr, "souk: there is no option '%s'.%s%s\n", word.c_str(), did_you_mean(word, options).c_str(),
                 takes_fields ? " Fields of the scenario are changed by --set PATH=VALUE." : "");
  }
}

int dispatch(int argc, char** argv) {
  CLI::App app("Souk: federated learning and gradient marketplaces, simulated on MPI ranks.", "souk");
  app.set_version_flag("--version", version_text(), "Print versions");
  app.require_subcommand(1);

  RunArguments run;
  ScenarioArguments checked;
  bool citations = false;
  bool print = false;
  bool markdown = false;
  int ranks = 0;
  int checked_ranks = 0;
  std::string kind;
  std::string name;
  std::string path, label;
  std::string pages;
  std::string directory = ".";
  std::vector<std::string> mirrors;
  AggregateArguments aggregate;
  AttackArguments attack;
  add_run(app, run, citations, ranks);
  add_aggregate(app, aggregate, ranks);
  add_attack(app, attack, ranks);
  std::function<int()> chosen;
  add_sweep(app, chosen, ranks);
  add_table(app, chosen);
  add_export(app, chosen);
  add_report(app, chosen);

  CLI::App* check = app.add_subcommand("check", "Check a scenario and show what it needs, without running it");
  add_scenario_arguments(*check, checked);
  check->add_flag("--print", print, "Print the resolved scenario, every default filled in");
  check->add_option("--ranks", checked_ranks, "Estimate the memory for this many ranks (default: 1)")
      ->check(CLI::Range(1, 4096));
  CLI::App* list = app.add_subcommand("list", "List what there is: aggregators, attacks, models, …");
  list->add_option("kind", kind, "One kind only: aggregators, attacks, attacks/data, …");
  CLI::App* describe = app.add_subcommand(
      "describe", "Describe a rule, attack, model, …, a section of a scenario, a metric or a table of results");
  describe->add_option("name", name, "Name or kind, as printed by 'souk list'")->required();
  describe->add_flag("--markdown", markdown, "Print a page in Markdown");
  describe->add_option("--out", pages, "Directory for one page in Markdown per plug-in, NAME.md");
  bool every_field = false;
  CLI::App* blank = app.add_subcommand("template", "Print a small scenario to start from");
  blank->add_flag("--all", every_field, "Print every field, at its default, with comments");
  CLI::App* reference = app.add_subcommand("reference", "Print the scenario reference in Markdown");
  CLI::App* data = app.add_subcommand("data", "Look at data sets, or download them");
  data->require_subcommand(1);
  CLI::App* data_describe = data->add_subcommand("describe", "Recognise and summarise a file or directory");
  data_describe->add_option("path", path, "File or directory")->required();
  data_describe->add_option("--label", label, "Column of the class, where the file has columns");
  CLI::App* data_fetch = data->add_subcommand("fetch", "Download a public data set, resumable and checked");
  data_fetch->add_option("name", name, "Name of the set; 'list' prints them")->required();
  data_fetch->add_option("--to", directory, "Directory to put it in")->capture_default_str();
  data_fetch
      ->add_option("--mirror", mirrors,
                   "Base address to use instead of the known ones (or set SOUK_MIRRORS); may be repeated")
      ->expected(1)
      ->take_all();

  require_decimal_numbers(app);
  try {
    std::vector<std::string> words = with_default_part(argc, argv);
    std::reverse(words.begin() + 1, words.end());  // the parser takes them from the back
    app.parse(std::vector<std::string>(words.begin() + 1, words.end()));
  } catch (const CLI::ParseError& error) {
    if (app.exit(error) == 0) return exit_done;
    print_hint(app, argc, argv);
    return exit_bad_input;
  }
  if (ranks > 0 && !citations && !started_by_mpi_launcher()) {
    if (app.got_subcommand("sweep")) return sweep_on_ranks(ranks, argc, argv);
    return app.got_subcommand("run") ? run_on_ranks(ranks, argc, argv) : launch_ranks(ranks, argc, argv).exit_code;
  }
  if (chosen) return chosen();
  if (app.got_subcommand("run")) return citations ? citations_command(run.scenario) : run_command(run);
  if (app.got_subcommand("aggregate")) return aggregate_command(aggregate);
  if (app.got_subcommand("attack")) return attack_command(attack);
  if (check->parsed()) return check_command(checked, print, checked_ranks);
  if (list->parsed()) return list_command(kind);
  if (describe->parsed()) return describe_command(name, markdown, pages);
  if (blank->parsed()) return template_command(every_field);
  if (reference->parsed()) return reference_command();
  if (data_describe->parsed()) return data_describe_command(path, label);
  return data_fetch_command(name, directory, mirrors);
}

}  // namespace

int run_program(int argc, char** argv) {
  start_like_any_process();
  keep_freed_memory();
  try {
    return with_output_written(dispatch(argc, argv));
  } catch (const InputError& error) {
    std::fprintf(stderr, "souk: %s\n", error.what());
    return exit_bad_input;
  } catch (const PhaseError& error) {
    std::fprintf(stderr, "souk: %s\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "souk: %s\n", error.what());
    return exit_failed;
  }
}

}  // namespace souk
