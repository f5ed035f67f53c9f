#include "analysis/results/export.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "analysis/metrics/metric_info.hpp"
#include "analysis/results/view_schema.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what) {
  throw std::runtime_error(fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

/// To the disk.
void flush(const fs::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(path, "open");
  const bool flushed = fsync(file) == 0;
  close(file);
  if (!flushed) fail(path, "flush");
}

/// Lets `write` fill a temporary beside `path`, then gives it that name. Leaves nothing behind where it fails.
void build_beside(const fs::path& path, const std::function<void(const fs::path& temporary)>& write) {
  const fs::path temporary = path.string() + ".tmp";
  try {
    fs::remove_all(temporary);  // of an export that was killed
    write(temporary);
    put_in_place(temporary, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
}

bool shown(ResultKind kind, const ExportOptions& options) {
  return kind == ResultKind::result || !options.results_only;
}

std::vector<ViewColumn> shown_columns(const ViewTable& table, const ExportOptions& options) {
  std::vector<ViewColumn> columns;
  for (const ViewColumn& column : table.columns) {
    if (shown(column.kind, options)) columns.push_back(column);
  }
  return columns;
}

/// The row that a statement is at, with its line feed.
void append_csv_row(std::string& text, const Statement& row, const std::vector<ViewColumn>& columns) {
  for (int c = 0; c < row.columns(); ++c) {
    if (c > 0) text += ',';
    if (row.is_null(c)) continue;
    const bool real = columns[static_cast<std::size_t>(c)].type == "REAL";
    text += real ? fmt::format("{}", row.real(c)) : csv_field(row.text(c));
  }
  text += '\n';
}

/// In pieces: the rows of a large sweep are too many for memory. The folder is not in place yet.
void write_csv(const Database& view, const ViewTable& table, const std::vector<ViewColumn>& columns,
               const fs::path& path) {
  constexpr std::size_t piece = 1U << 20U;
  std::ofstream file(path, std::ios::binary);
  std::string names;
  for (const ViewColumn& column : columns) names += fmt::format("{}{}", names.empty() ? "" : ",", column.name);
  std::string text = names + "\n";
  Statement row(view, fmt::format("SELECT {} FROM {} ORDER BY {}", names, table.name, table.key));
  while (row.step()) {
    append_csv_row(text, row, columns);
    if (text.size() < piece) continue;
    file << text;
    text.clear();
  }
  file << text;
  file.close();
  if (!file) fail(path, "write");
  flush(path);
}

/// Names of the metrics that occur. In the order of the key, so that the rows need not be sorted.
std::set<std::string> metric_names(const Database& view) {
  std::set<std::string> names;
  Statement row(view, "SELECT name FROM metric GROUP BY run, name");
  while (row.step()) names.insert(row.text(0));
  return names;
}

/// A line for each metric that occurs.
std::string metric_dictionary(const Database& view) {
  std::string text =
      "\nNames of `metric.csv`; `better`: which way is good for those who defend or buy.\n\n"
      "| name | unit | better | meaning |\n|---|---|---|---|\n";
  for (const std::string& name : metric_names(view)) {
    const MetricInfo info = metric_info(name);
    const char* better = info.better == Better::larger ? "larger" : info.better == Better::smaller ? "smaller" : "";
    text += fmt::format("| `{}` | {} | {} | {} |\n", name, info.unit, better, info.meaning);
  }
  return text;
}

std::string dictionary(const Database& view, const ExportOptions& options) {
  std::string text =
      "# Results of runs\n\nOne file per table, CSV after RFC 4180 in UTF-8. An empty field is a value that does not "
      "exist, or an empty text.\n";
  if (options.results_only) text += "Measurements of the machine at work were left out.\n";
  if (options.detail == ResultsView::Detail::federation) {
    text +=
        "Rows of single clients, processes and pairs of nodes were left out of `metric`, `selection`, `process` and "
        "`pair`.\n";
  }
  for (const ViewTable& table : view_tables()) {
    if (!shown(table.kind, options)) continue;
    const auto rows = view.integer(fmt::format("SELECT count(*) FROM {}", table.name));
    text += fmt::format(
        "\n## {0}.csv\n\n{1}. Rows: {2}. Key: {3}.\n\n| column | type | unit | meaning |\n|---|---|---|---|\n",
        table.name, table.meaning, rows, table.key);
    for (const ViewColumn& column : shown_columns(table, options)) {
      text += fmt::format("| `{}` | {} | {} | {} |\n", column.name, column.type, column.unit, column.meaning);
    }
    if (table.name == "metric") text += metric_dictionary(view);
  }
  return text;
}

void write_csv_files(const fs::path& merged, std::span<const fs::path> directories, const fs::path& folder,
                     const ExportOptions& options) {
  ResultsView view = ResultsView::load_into(merged, directories, options.detail);
  if (options.results_only) view.remove_measurements();
  for (const ViewTable& table : view_tables()) {
    if (!shown(table.kind, options)) continue;
    write_csv(view.database(), table, shown_columns(table, options), folder / fmt::format("{}.csv", table.name));
  }
  write_file_atomically(folder / "README.md", dictionary(view.database(), options));
}

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

void export_sqlite(std::span<const fs::path> directories, const fs::path& file, const ExportOptions& options) {
  SOUK_REQUIRE(!fs::exists(file), "{}: exists already; an export replaces nothing", file.string());
  build_beside(file, [&](const fs::path& temporary) {
    ResultsView view = ResultsView::load_into(temporary, directories, options.detail);
    if (options.results_only) view.remove_measurements();
  });
}

void export_csv(std::span<const fs::path> directories, const fs::path& folder, const ExportOptions& options) {
  SOUK_REQUIRE(!fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder)),
               "{}: exists already and is no empty folder; an export replaces nothing", folder.string());
  const fs::path plain = folder.filename().empty() ? folder.parent_path() : folder;  // without a trailing slash
  build_beside(plain, [&](const fs::path& temporary) {
    fs::create_directories(temporary);
    const fs::path merged = temporary / "merged.db";  // on disk: all rows of a large sweep are too many for memory
    write_csv_files(merged, directories, temporary, options);
    fs::remove(merged);
  });
}

}  // namespace souk
