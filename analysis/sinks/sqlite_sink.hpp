#pragma once

#include <filesystem>
#include <memory>

#include "sim/engine/metric_sink.hpp"

namespace souk {

/// Version of the tables below; part of the file (PRAGMA user_version) and of the identity of runs. A table that comes
/// later, and stays empty in all runs that could be before, does not change it: who reads older files takes what is not
/// there for empty.
inline constexpr int results_schema_version = 3;

/// results.sqlite of one run (docs/results-schema.md). One transaction per round; readers may look while it runs.
/// Throws std::runtime_error where the file cannot be opened or written, InputError for a file of another version.
std::unique_ptr<MetricSink> open_sqlite_sink(const std::filesystem::path& file);

}  // namespace souk
