#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "analysis/results/results_view.hpp"

namespace souk {

/// What of the results leaves the program.
struct ExportOptions {
  ResultsView::Detail detail = ResultsView::Detail::everything;
  bool results_only = false;  ///< without measurements: equal results then give equal files
};

/// Writes the merged view of runs and sweeps as one SQLite file. Throws InputError if the file exists or a directory
/// holds no readable results; nothing is left behind then.
void export_sqlite(std::span<const std::filesystem::path> directories, const std::filesystem::path& file,
                   const ExportOptions& options);

/// Writes it as one CSV file per table (RFC 4180, UTF-8, line feeds; NULL is an empty field; numbers so that they read
/// back as they are) and README.md, which says what every column means. The folder must not exist, or be empty.
void export_csv(std::span<const std::filesystem::path> directories, const std::filesystem::path& folder,
                const ExportOptions& options);

/// A field of a CSV file, quoted where it has to be.
std::string csv_field(const std::string& text);

}  // namespace souk
