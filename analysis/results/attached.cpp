#include "analysis/results/attached.hpp"

#include "sim/base/contract.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

void attach(Database& db, const fs::path& file, std::string_view query) {
  Statement(db, "ATTACH ? AS source").run(uri_of(file, query));
  try {
    db.integer("SELECT count(*) FROM source.sqlite_master");
  } catch (...) {
    db.execute("DETACH source");
    throw;
  }
}

}  // namespace

std::string reason_of(const std::exception& error, const Database& db) {
  std::string text = error.what();
  const std::string prefix = db.name() + ": ";
  if (text.starts_with(prefix)) text.erase(0, prefix.size());
  return text.substr(0, text.find(" in '"));
}

Attached::Attached(Database& db, const fs::path& file) : db_(db) {
  try {
    attach(db_, file, "mode=ro");
  } catch (const std::runtime_error& error) {
    // A write-ahead log needs a file beside the database even to be read; where none can be made there is no writer.
    if (fs::exists(file.string() + "-wal")) throw_input_error("{}: {}", file.string(), reason_of(error, db_));
    try {
      attach(db_, file, "mode=ro&immutable=1");
    } catch (const std::runtime_error& second) {
      throw_input_error("{}: {}", file.string(), reason_of(second, db_));
    }
  }
}

Attached::~Attached() {
  try {
    db_.execute("DETACH source");
  } catch (const std::runtime_error&) {
    // Only where a transaction was left open by a failure, which is on its way to the user.
  }
}

int Attached::version() const { return static_cast<int>(db_.integer("PRAGMA source.user_version")); }

bool Attached::is_empty() const { return db_.integer("SELECT count(*) FROM source.sqlite_master") == 0; }

bool source_has_table(const Database& db, std::string_view table) {
  Statement found(db, "SELECT 1 FROM source.sqlite_master WHERE type = 'table' AND name = ?");
  found.bind_all(std::string(table));
  return found.step();
}

}  // namespace souk
