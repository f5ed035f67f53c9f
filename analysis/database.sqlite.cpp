#include "analysis/database.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

#include <sqlite3.h>
#include <sys/vfs.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

bool on_network_file_system(const std::filesystem::path& directory) {
  struct statfs info = {};
  if (statfs(directory.c_str(), &info) != 0) return true;
  constexpr long network[] = {
      0x6969,     0x517B,     0xFE534D42, 0xFF534D42, 0x0BD00BD0, 0x47504653,
      0x19830326, 0x65735546, 0x00C36400, 0x01021997, 0xAAD7AAEA};  // nfs smb cifs lustre gpfs beegfs fuse …
  for (const long type : network) {
    if (info.f_type == type) return true;
  }
  return false;
}

/// Null, with the reason, where it cannot be opened and read.
sqlite3* try_open(const std::string& uri, int flags, std::string& reason) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(uri.c_str(), &db, flags | SQLITE_OPEN_URI, nullptr) == SQLITE_OK) {
    sqlite3_busy_timeout(db, 10000);
    if (sqlite3_exec(db, "SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr) == SQLITE_OK) return db;
  }
  reason = sqlite3_errmsg(db);
  sqlite3_close(db);
  return nullptr;
}

}  // namespace

std::string uri_of(const std::filesystem::path& file, std::string_view query) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(file).string()) {
    c == '?' || c == '#' || c == '%' ? uri += fmt::format("%{:02X}", static_cast<unsigned>(c)) : uri += c;
  }
  return fmt::format("{}?{}", uri, query);
}

Database::Database(const std::filesystem::path& file, Mode mode) : name_(file.string()) {
  std::string reason;
  if (mode == Mode::write) {
    db_ = try_open(uri_of(file, "mode=rwc"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, reason);
  } else {
    db_ = try_open(uri_of(file, "mode=ro"), SQLITE_OPEN_READONLY, reason);
    // A write-ahead log needs a file beside the database even to be read; where none can be made there is no writer.
    const bool no_log = !std::filesystem::exists(name_ + "-wal");
    if (db_ == nullptr && no_log && std::filesystem::exists(file)) {
      db_ = try_open(uri_of(file, "mode=ro&immutable=1"), SQLITE_OPEN_READONLY, reason);
    }
  }
  if (db_ == nullptr) throw std::runtime_error(fmt::format("cannot open {}: {}", name_, reason));
  if (mode == Mode::read) return;
  const auto folder = file.parent_path().empty() ? std::filesystem::path(".") : file.parent_path();
  execute(on_network_file_system(folder) ? "PRAGMA journal_mode=DELETE" : "PRAGMA journal_mode=WAL");
}

Database Database::in_memory() {
  Database memory;
  memory.name_ = "database in memory";
  if (sqlite3_open(":memory:", &memory.db_) != SQLITE_OK) throw std::runtime_error("cannot open a database in memory");
  return memory;
}

Database::~Database() { sqlite3_close(db_); }

Database::Database(Database&& other) noexcept : db_(std::exchange(other.db_, nullptr)), name_(std::move(other.name_)) {}

void Database::execute(const std::string& sql) {
  char* message = nullptr;
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return;
  const std::string reason = message == nullptr ? sqlite3_errmsg(db_) : message;
  sqlite3_free(message);
  throw std::runtime_error(fmt::format("{}: {}", name_, reason));
}

std::int64_t Database::integer(const std::string& sql) const {
  Statement query(*this, sql);
  return query.step() ? query.integer(0) : 0;
}

void Database::roll_back() { sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr); }

void Database::require_version(int version) const {
  const auto found = static_cast<int>(integer("PRAGMA user_version"));
  SOUK_REQUIRE(found == 0 || found == version, "{}: has schema version {}, this program reads and writes {}", name_,
               found, version);
}

Statement::Statement(const Database& db, std::string_view sql) : db_(db) {
  if (sqlite3_prepare_v2(db.handle(), sql.data(), static_cast<int>(sql.size()), &handle_, nullptr) != SQLITE_OK) {
    fail(sql);
  }
}

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::fail(std::string_view sql) const {
  throw std::runtime_error(fmt::format("{}: {} in '{}'", db_.name(), sqlite3_errmsg(db_.handle()), sql));
}

bool Statement::step() {
  const int state = sqlite3_step(handle_);
  if (state != SQLITE_ROW && state != SQLITE_DONE) fail(sqlite3_sql(handle_));
  return state == SQLITE_ROW;
}

void Statement::finish() {
  while (step()) {
  }
  sqlite3_reset(handle_);
}

int Statement::columns() const { return sqlite3_column_count(handle_); }
std::string Statement::column_name(int column) const { return sqlite3_column_name(handle_, column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
bool Statement::is_number(int column) const {
  const int type = sqlite3_column_type(handle_, column);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }
double Statement::real(int column) const {
  return is_null(column) ? std::nan("") : sqlite3_column_double(handle_, column);
}
std::string Statement::text(int column) const {
  const auto* value = sqlite3_column_text(handle_, column);
  return value == nullptr ? "" : reinterpret_cast<const char*>(value);
}

void Statement::bind(int at, double value) {
  std::isnan(value) ? bind_null(at) : static_cast<void>(sqlite3_bind_double(handle_, at, value));
}
void Statement::bind(int at, const std::string& value) {
  sqlite3_bind_text(handle_, at, value.c_str(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
}
void Statement::bind_integer(int at, std::int64_t value) { sqlite3_bind_int64(handle_, at, value); }
void Statement::bind_null(int at) { sqlite3_bind_null(handle_, at); }

}  // namespace souk
