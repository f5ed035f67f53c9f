#include "sim/app/program.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "sim/app/subcommands.hpp"
#include "sim/app/version.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/decimal.hpp"
#include "sim/comm/session.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

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
  ChosenCommand chosen;
  for (const auto add : {add_run, add_aggregate, add_attack, add_conform, add_sweep, add_table, add_export, add_report,
                         add_check, add_privacy, add_look_up, add_data}) {
    add(app, chosen);
  }
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
  const bool starts_ranks = chosen.ranks > 0 && chosen.on_ranks && !started_by_mpi_launcher();
  return starts_ranks ? chosen.on_ranks(chosen.ranks, argc, argv) : chosen.command();
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
