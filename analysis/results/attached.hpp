#pragma once

#include <filesystem>
#include <string_view>

#include "analysis/database.hpp"

namespace souk {

/// A database that can be read as `source.TABLE` through another one, while this lives. It may be written by another
/// process meanwhile, or lie on a medium that cannot be written.
class Attached {
 public:
  /// Throws InputError naming the file if it is no database.
  Attached(Database& db, const std::filesystem::path& file);
  ~Attached();
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

  /// PRAGMA user_version.
  int version() const;
  /// Whether nothing was ever stored in it, not even a table.
  bool is_empty() const;

 private:
  Database& db_;
};

/// Whether the database that is attached as `source` has the table.
bool source_has_table(const Database& db, std::string_view table);

/// What SQLite said, without the name of the database and the statement.
std::string reason_of(const std::exception& error, const Database& db);

}  // namespace souk
