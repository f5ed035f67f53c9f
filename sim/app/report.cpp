#include "analysis/report/report.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "analysis/report/libraries.hpp"
#include "analysis/report/page.hpp"
#include "analysis/report/static_figures.hpp"
#include "analysis/report/watch_server.hpp"
#include "analysis/results/results_view.hpp"
#include "sim/app/filter.hpp"
#include "sim/app/subcommands.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/engine/stop_signal.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

struct ReportArguments {
  std::vector<std::string> directories;
  std::string out;
  std::string figures;
  std::string watched;
  std::string filter;
  std::string address = "127.0.0.1";
  int port = 8737;
};

Report report_on(const std::vector<fs::path>& directories, const std::string& filter) {
  ResultsView view = ResultsView::load(directories, ResultsView::Detail::federation);
  keep_matching(view, filter);
  return make_report(view.database());
}

/// Another report may be replaced; what somebody else wrote is not ours.
void require_page(const std::string& file) {
  require_writable(file);
  if (!fs::is_regular_file(file) || fs::file_size(file) == 0) return;
  std::string head(1 << 16, '\0');
  std::ifstream(file, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
  SOUK_REQUIRE(head.find(page_mark) != std::string::npos,
               "{}: exists and is no report; choose another name, or remove it", file);
}

int write_report(const ReportArguments& arguments) {
  const std::string file = arguments.out.empty() ? "report.html" : arguments.out;
  const bool page_wanted = arguments.figures.empty() || !arguments.out.empty();
  if (page_wanted) require_page(file);
  const std::vector<fs::path> directories(arguments.directories.begin(), arguments.directories.end());
  const Report report = report_on(directories, arguments.filter);
  if (!arguments.figures.empty()) {
    const WrittenFigures written = write_figures(figures_of(report), arguments.figures);
    if (!written.without_pdf.empty()) fmt::print(stderr, "souk: {}\n", written.without_pdf);
    fmt::print("{} figures are in {}; index.csv says what they show\n", written.count, arguments.figures);
    if (!page_wanted) return exit_done;
  }
  const auto libraries = read_libraries(library_directory());
  if (libraries.empty()) fmt::print(stderr, "souk: {}\n", no_libraries);
  const std::string page = render_page(report.title, to_json(report), libraries, false);
  write_file_atomically(file, page);
  const bool to_reader = is_standard_output(file);  // who wants the page there, and nothing else
  fmt::print(to_reader ? stderr : stdout, "{} ({:.1f} MB)\n", file, static_cast<double>(page.size()) * 1e-6);
  return exit_done;
}

/// Until SIGINT or SIGTERM.
int watch(const ReportArguments& arguments) {
  const std::vector<fs::path> directories{arguments.watched};
  report_on(directories, arguments.filter);  // so that a wrong directory is a message here and not in the browser
  const auto libraries = read_libraries(library_directory());
  if (libraries.empty()) fmt::print(stderr, "souk: {}\n", no_libraries);
  const auto page = [&] {
    const Report report = report_on(directories, arguments.filter);
    return render_page(report.title, to_json(report), libraries, true);
  };
  const auto data = [&] { return to_json(report_on(directories, arguments.filter)); };
  WatchServer server(arguments.address, arguments.port, page, data);
  stop_signal::install();
  fmt::print("http://{}:{}/ shows {}; Ctrl-C ends it\n", arguments.address, server.port(), arguments.watched);
  std::fflush(stdout);
  server.serve([] { return stop_signal::received() != 0; });
  return stop_signal::received() == SIGTERM ? exit_terminated : exit_interrupt;
}

}  // namespace

void add_report(CLI::App& app, ChosenCommand& chosen) {
  const auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command = app.add_subcommand("report", "One page, in one file, that shows runs and sweeps in a browser");
  CLI::Option* runs = command->add_option("runs", arguments->directories,
                                          "Directories of runs or sweeps, or folders that contain such");
  CLI::Option* out = command->add_option("-o,--out", arguments->out, "The page (default: report.html)");
  CLI::Option* figures = command->add_option(
      "--figures", arguments->figures,
      "Write every figure, in every state, into this directory, as SVG, PDF and Vega-Lite; without -o, nothing else. "
      "Needs Node.js, and for PDF rsvg-convert or Chromium");
  command->add_option("--filter", arguments->filter,
                      "Only these runs, e.g. 'aggregator=krum && malicious>0.1'; as for souk table");
  CLI::Option* watched =
      command->add_option("--watch", arguments->watched, "Serve the page of a run or sweep that is going on");
  command->add_option("--port", arguments->port, "Port to serve on; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str()
      ->needs(watched);
  command->add_option("--bind", arguments->address, "Address to serve on; another than loopback lets others read")
      ->capture_default_str()
      ->needs(watched);
  for (CLI::Option* other : {runs, out, figures}) watched->excludes(other);
  command->callback([arguments, &chosen] {
    chosen.command = [arguments] {
      SOUK_REQUIRE(!arguments->directories.empty() || !arguments->watched.empty(),
                   "report: name the directories of runs or sweeps, or one with --watch");
      return arguments->watched.empty() ? write_report(*arguments) : watch(*arguments);
    };
  });
}

}  // namespace souk
