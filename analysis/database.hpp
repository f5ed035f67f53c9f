#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace souk {

/// An open SQLite database. Errors throw std::runtime_error with the file and SQLite's reason.
class Database {
 public:
  enum class Mode : std::uint8_t { read, write };
  /// `write` creates the file where there is none, and writes ahead except on network file systems, which share no
  /// memory between hosts. `read` works while another process writes, and on media that cannot be written.
  Database(const std::filesystem::path& file, Mode mode);
  static Database in_memory();
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;

  void execute(const std::string& sql);
  /// The first column of the first row, 0 where there is none.
  std::int64_t integer(const std::string& sql) const;
  /// All of `act` or nothing.
  template <class Act>
  void in_transaction(Act act) {
    execute("BEGIN IMMEDIATE");
    try {
      act();
      execute("COMMIT");
    } catch (...) {
      roll_back();
      throw;
    }
  }
  /// Throws InputError unless the file is new or of this version (PRAGMA user_version).
  void require_version(int version) const;
  sqlite3* handle() const { return db_; }
  const std::string& name() const { return name_; }

 private:
  Database() = default;
  void roll_back();
  sqlite3* db_ = nullptr;
  std::string name_;
};

/// A prepared statement: run it with values for its parameters, or bind them and step through its rows.
class Statement {
 public:
  Statement(const Database& db, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Binds the values and runs to the end; then ready for the next values.
  template <class... Values>
  void run(const Values&... values) {
    bind_all(values...);
    finish();
  }
  template <class... Values>
  void bind_all(const Values&... values) {
    int at = 0;
    (bind(++at, values), ...);
  }
  /// Goes to the next row; false behind the last one.
  bool step();
  int columns() const;
  std::string column_name(int column) const;
  bool is_null(int column) const;
  bool is_number(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;  ///< NaN for NULL
  std::string text(int column) const;

 private:
  template <std::integral Integer>
  void bind(int at, Integer value) {
    bind_integer(at, static_cast<std::int64_t>(value));
  }
  void bind(int at, double value);  ///< NaN is NULL: SQLite knows no NaN
  void bind(int at, const std::string& value);
  template <class Value>
  void bind(int at, const std::optional<Value>& value) {
    value ? bind(at, *value) : bind_null(at);
  }
  void bind_integer(int at, std::int64_t value);
  void bind_null(int at);
  void finish();
  [[noreturn]] void fail(std::string_view sql) const;
  const Database& db_;
  sqlite3_stmt* handle_ = nullptr;
};

/// SQLite's URI of a file, special characters escaped: `file:/tmp/a%3F.db?mode=ro`.
std::string uri_of(const std::filesystem::path& file, std::string_view query);

}  // namespace souk
