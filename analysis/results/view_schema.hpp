#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace souk {

/// What a table or column depends on. Results depend on scenarios and seeds alone; measurements on the machine at
/// work and on how often it was interrupted.
enum class ResultKind : std::uint8_t { result, measurement };

struct ViewColumn {
  std::string_view name, type, unit, meaning;
  ResultKind kind = ResultKind::result;
};

struct ViewTable {
  std::string_view name, meaning, key;
  std::span<const ViewColumn> columns;
  ResultKind kind = ResultKind::result;
  bool copied = false;  ///< has the columns of the table of the same name in results.sqlite, behind `run`
  bool later = false;   ///< results.sqlite may be of a time before this table, which is then empty
};

/// The tables of the merged view, in the order of their description. The database, the files of `souk export` and
/// their data dictionary are made from it.
std::span<const ViewTable> view_tables();

/// CREATE TABLE statements.
std::string view_schema_sql();

/// Whether a row of the table `run` of results.sqlite is a measurement.
bool is_measured_fact(std::string_view name);

/// Version of these tables (PRAGMA user_version of a merged file).
inline constexpr int view_schema_version = 3;

}  // namespace souk
