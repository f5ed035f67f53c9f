#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include "analysis/results/results_view.hpp"
#include "analysis/tables/tables.hpp"
#include "sim/app/filter.hpp"
#include "sim/app/subcommands.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

struct TableArguments {
  std::vector<std::filesystem::path> directories;
  std::string rows = "aggregator";
  std::string cols = "attack";
  std::string metrics;  ///< empty: what runs have of accuracy and r2
  std::string statistic = "mean±std";
  std::string round = "usual";
  std::string filter;
  std::string format = "text";
  std::string worst_over, compare, pareto, select;
  bool rank = false;
  bool percent = false;
  bool cols_given = false;
};

TableFormat format_of(const std::string& name) {
  if (name == "csv") return TableFormat::csv;
  if (name == "latex") return TableFormat::latex;
  return name == "markdown" ? TableFormat::markdown : TableFormat::text;
}

/// "a,b" as {"a", "b"}; nothing as {}.
std::vector<std::string> split_list(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

std::pair<std::string, std::string> split_pair(const std::string& option, const std::string& text, char separator) {
  const std::vector<std::string> parts = split_list(text, separator);
  SOUK_REQUIRE(parts.size() == 2 && !parts[0].empty() && !parts[1].empty(),
               "{} {}: expected two names with a '{}' between", option, text, separator);
  return {parts[0], parts[1]};
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

TableShape shape_of(const TableArguments& arguments) {
  TableShape shape{.rows = split_list(arguments.rows, ','),
                   .cols = split_list(arguments.cols, ','),
                   .metrics = split_list(arguments.metrics.empty() ? "accuracy" : arguments.metrics, ',')};
  SOUK_REQUIRE(!shape.metrics.empty(), "--metric: expected at least one name");
  if (arguments.cols_given) return shape;
  std::erase_if(shape.cols, [&](const std::string& column) { return contains(shape.rows, column); });
  if (!arguments.compare.empty()) shape.cols.clear();
  const bool worst = !arguments.worst_over.empty() && arguments.select.empty();
  if (worst)
    shape.cols = contains(shape.rows, "metric") ? std::vector<std::string>{} : std::vector<std::string>{"metric"};
  return shape;
}

/// Whether the cells are of several sweeps and nobody says what to do about that.
bool mixes_sweeps(const TableArguments& arguments, const Frame& frame, const TableShape& shape) {
  return frame.sweeps().size() > 1 && !contains(shape.rows, "sweep") && !contains(shape.cols, "sweep") &&
         arguments.worst_over != "sweep" && !contains(split_list(arguments.select, ','), "sweep") &&
         !filter_names(arguments.filter, "sweep");
}

/// Rows of one sweep each; where they are no columns, and where lines are comparisons, the columns instead.
void keep_sweeps_apart(const TableArguments& arguments, TableShape& shape) {
  const bool by_columns = !arguments.compare.empty() || contains(shape.rows, "metric");
  std::vector<std::string>& columns = by_columns ? shape.cols : shape.rows;
  columns.insert(columns.begin(), "sweep");
}

std::vector<ResultTable> tables_of(const TableArguments& arguments, const TableSource& source,
                                   const TableShape& shape) {
  if (!arguments.compare.empty()) {
    const auto [a, b] = split_pair("--compare", arguments.compare, ',');
    return {compare_table(source, shape, a, b)};
  }
  if (!arguments.pareto.empty()) {
    const auto [metric, cost] = split_pair("--pareto", arguments.pareto, ':');
    return {pareto_table(source, shape, metric, cost)};
  }
  if (!arguments.select.empty()) {
    return {selection_table(source, shape, split_list(arguments.select, ','),
                            arguments.worst_over.empty() ? "attack" : arguments.worst_over)};
  }
  if (arguments.rank) return rank_tables(source, shape);
  if (!arguments.worst_over.empty()) return worst_tables(source, shape, arguments.worst_over);
  return pivot_tables(source, shape, parse_statistic(arguments.statistic));
}

/// The same tables for each sweep alone: where rows are held against each other.
std::vector<ResultTable> tables_of_each_sweep(const TableArguments& arguments, const TableSource& source,
                                              const TableShape& shape) {
  std::vector<ResultTable> tables;
  for (const std::string& sweep : source.frame.sweeps()) {
    Frame frame = source.frame;
    frame.keep([&](const FrameCell& cell) { return cell.sweep == sweep; });
    const TableSource part{.view = source.view,
                           .frame = frame,
                           .round = source.round,
                           .remarks = source.remarks,
                           .percent = source.percent};
    for (ResultTable& table : tables_of(arguments, part, shape)) tables.push_back(std::move(table));
  }
  return tables;
}

/// Everything of which the table shows numbers.
std::vector<std::string> quantities_of(const TableArguments& arguments, const TableShape& shape) {
  return concatenated({shape.metrics, split_list(arguments.pareto, ':')});
}

/// The metric of a table that names none: "accuracy", or "r2" where runs have that instead.
std::string usual_metric(const Database& view) {
  const auto has = [&](const char* metric) {
    return view.integer(fmt::format("SELECT count(*) FROM metric WHERE name = '{}'", metric)) > 0;
  };
  return !has("accuracy") && has("r2") ? "r2" : "accuracy";
}

int table_command(const TableArguments& arguments) {
  SOUK_REQUIRE(!arguments.percent || arguments.format != "csv",
               "--percent: csv is for programs, and has all numbers in full, shares from 0 to 1");
  SOUK_REQUIRE(!arguments.percent || !arguments.rank, "--percent: ranks are no shares");
  const RoundChoice round = RoundChoice::parse(arguments.round);
  TableShape shape = shape_of(arguments);
  const ResultsView view = ResultsView::load(arguments.directories, detail_for(quantities_of(arguments, shape)));
  if (arguments.metrics.empty()) shape.metrics = {usual_metric(view.database())};
  shape.metrics = with_classes(view.database(), shape.metrics);
  Frame frame(view.database());
  keep_matching(frame, arguments.filter);
  TableSource source{
      .view = view.database(), .frame = frame, .round = round, .remarks = {}, .percent = arguments.percent};
  if (view.repeated() > 0) {
    source.remarks.push_back(
        fmt::format("Runs that were given more than once count once ({} left out).", view.repeated()));
  }
  if (arguments.percent) source.remarks.emplace_back("Shares are percentages.");
  const bool apart = mixes_sweeps(arguments, frame, shape);
  if (apart) {
    keep_sweeps_apart(arguments, shape);
    source.remarks.emplace_back(
        "There are several sweeps: they are kept apart, unless --rows, --cols or --filter name the column sweep.");
  }
  const bool one_by_one = apart && (arguments.rank || !arguments.pareto.empty());
  const std::vector<ResultTable> tables =
      one_by_one ? tables_of_each_sweep(arguments, source, shape) : tables_of(arguments, source, shape);
  const std::string text = render(tables, format_of(arguments.format));
  std::fwrite(text.data(), 1, text.size(), stdout);
  SOUK_REQUIRE(std::fflush(stdout) == 0, "the table could not be written");
  return exit_done;
}

/// What each kind of table takes: the others' options are refused beside it.
void add_kinds(CLI::App& command, TableArguments& arguments, CLI::Option* statistic, CLI::Option* cols,
               CLI::Option* metric) {
  CLI::Option* worst = command.add_option(
      "--worst-over", arguments.worst_over,
      "Column, mostly attack: show the worst of the means over its values, and which one it is; with --select the "
      "column of the worst case (default there: attack)");
  CLI::Option* rank = command.add_flag("--rank", arguments.rank, "Rank the rows within each column, and on average");
  CLI::Option* compare = command.add_option(
      "--compare", arguments.compare,
      "A,B: two rows, over pairs of runs that agree in all else: difference, intervals, Wilcoxon and bootstrap");
  CLI::Option* pareto = command.add_option("--pareto", arguments.pareto,
                                           "METRIC:COST: which rows no other dominates; e.g. accuracy:seconds");
  CLI::Option* select = command.add_option(
      "--select", arguments.select,
      "Columns: for each row choose their values by the worst case of validation_accuracy, then show --metric there");
  const std::vector<CLI::Option*> kinds{rank, compare, pareto, select};
  for (CLI::Option* kind : kinds) {
    for (CLI::Option* other : kinds) {
      if (kind != other) kind->excludes(other);
    }
    kind->excludes(statistic);
    if (kind != select) kind->excludes(worst);
  }
  worst->excludes(statistic);
  pareto->excludes(cols);
  pareto->excludes(metric);
  select->excludes(cols);
}

}  // namespace

void add_table(CLI::App& app, ChosenCommand& chosen) {
  const auto arguments = std::make_shared<TableArguments>();
  CLI::App* command = app.add_subcommand("table", "Print tables of the results of runs and sweeps");
  command->add_option("directories", arguments->directories, "Runs, sweeps, or folders that contain such")->required();
  command
      ->add_option("--rows", arguments->rows,
                   "Columns that make the rows, joined by commas: an axis of a sweep; aggregator, attack, malicious, "
                   "partition, dataset, model, seed, name, status, sweep; a field of the scenario; or metric")
      ->capture_default_str();
  CLI::Option* cols = command
                          ->add_option("--cols", arguments->cols,
                                       "The same for the columns; with --worst-over they are the metrics by default, "
                                       "with --compare there are none")
                          ->capture_default_str();
  CLI::Option* metric =
      command
          ->add_option(
              "--metric", arguments->metrics,
              "Metrics, joined by commas; or seconds, bytes, virtual_time, rounds_done, malicious_weight_share, "
              "malicious_income_share")
          ->capture_default_str();
  CLI::Option* statistic =
      command
          ->add_option("--stat", arguments->statistic,
                       "mean±std, mean, std, ci95, worst, best, median, min, max or count of the runs in a place")
          ->capture_default_str();
  command
      ->add_option(
          "--round", arguments->round,
          "Which value of a run: usual, which is the last, but of tpr and tnr the mean over the rounds; last, max, "
          "min, mean, a round, or last:K for the mean of its last K")
      ->capture_default_str();
  command->add_option("--filter", arguments->filter,
                      "Only these runs, e.g. 'aggregator=krum && malicious>0.1'; names as for --rows");
  command->add_flag("--percent", arguments->percent, "Write shares as percentages");
  command->add_option("--format", arguments->format, "text, csv (a row per place, for programs), latex or markdown")
      ->check(CLI::IsMember({"text", "csv", "latex", "markdown"}))
      ->capture_default_str();
  add_kinds(*command, *arguments, statistic, cols, metric);
  command->footer("docs/analysis.md has examples and the formulas.");
  command->callback([&chosen, arguments, cols] {
    arguments->cols_given = cols->count() > 0;
    chosen.command = [arguments] { return table_command(*arguments); };
  });
}

}  // namespace souk
