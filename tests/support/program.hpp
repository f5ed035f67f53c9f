#pragma once

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

namespace souk {

/// What a program left behind.
struct Ended {
  int exit_code = -1;  ///< 128 + signal if a signal ended it
  std::string out, err;
};

/// A program started as a user starts it, with its output in files.
class RunningProgram {
 public:
  RunningProgram(const std::vector<std::string>& words, const std::filesystem::path& directory)
      : out_(directory / "stdout.txt"), err_(directory / "stderr.txt") {
    process_ = fork();
    if (process_ == 0) {
      setpgid(0, 0);
      if (std::freopen(out_.c_str(), "w", stdout) == nullptr) std::_Exit(99);
      if (std::freopen(err_.c_str(), "w", stderr) == nullptr) std::_Exit(99);
      std::vector<char*> pointers;
      for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
      pointers.push_back(nullptr);
      if (chdir(directory.c_str()) != 0) std::_Exit(99);
      execvp(pointers[0], pointers.data());
      std::_Exit(98);
    }
  }
  pid_t id() const { return process_; }
  void send(int signal) const { kill(process_, signal); }
  /// To the processes that it has started, too.
  void send_to_all(int signal) const { kill(-process_, signal); }
  bool ended_within(std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (!over_ && std::chrono::steady_clock::now() < until) {
      over_ = waitpid(process_, &status_, WNOHANG) == process_;
      if (!over_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return over_;
  }
  Ended wait() {
    if (!over_) waitpid(process_, &status_, 0);
    over_ = true;
    const int status = status_;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text_of(out_), text_of(err_)};
  }

 private:
  static std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::filesystem::path out_, err_;
  pid_t process_;
  int status_ = 0;
  bool over_ = false;
};

/// Changes a database as no program of ours would.
inline void execute(const std::filesystem::path& database, const std::string& sql) {
  sqlite3* db = nullptr;
  if (sqlite3_open(database.c_str(), &db) != SQLITE_OK) throw std::runtime_error("cannot open " + database.string());
  const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
  sqlite3_close(db);
  if (code != SQLITE_OK) throw std::runtime_error("cannot execute " + sql);
}

/// How doubles are shown: with the 15 digits that SQLite gives, or with all their bits.
enum class Doubles { readable, exact };

/// All rows of a query as text, one a line. NULL is "null". Throws where there is no answer, for two databases that
/// both lack a table are not equal in it.
inline std::string query(const std::filesystem::path& database, const std::string& sql,
                         Doubles doubles = Doubles::readable) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(database.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) {
    sqlite3_close(db);
    throw std::runtime_error("cannot open " + database.string());
  }
  sqlite3_busy_timeout(db, 10000);
  sqlite3_stmt* statement = nullptr;
  std::string text;
  int code = sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr);
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(statement);
    if (code != SQLITE_ROW) break;
    for (int c = 0; c < sqlite3_column_count(statement); ++c) {
      const auto* value = reinterpret_cast<const char*>(sqlite3_column_text(statement, c));
      text += (c > 0 ? "|" : "") + std::string(value == nullptr ? "null" : value);
      if (doubles == Doubles::readable || sqlite3_column_type(statement, c) != SQLITE_FLOAT) continue;
      char exact[40];
      std::snprintf(exact, sizeof exact, "=%a", sqlite3_column_double(statement, c));
      text += std::string(exact);
    }
    text += "\n";
  }
  const std::string error = sqlite3_errmsg(db);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  if (code != SQLITE_DONE) throw std::runtime_error(sql + ": " + error);
  return text;
}

/// Every table whose content is part of the result: all but the facts about the run and the measurements.
inline std::string results_of(const std::filesystem::path& run) {
  std::string text;
  for (const char* table : {"agent", "partition", "round", "metric", "selection", "traffic", "event", "ledger"}) {
    text += std::string(table) + "\n" +
            query(run / "results.sqlite", std::string("SELECT * FROM ") + table, Doubles::exact);
  }
  // Tables that came later, where there is something in them: texts recorded before stay what they were.
  for (const char* table : {"request", "pair", "privacy", "reconstruction"}) {
    const std::string rows = query(run / "results.sqlite", std::string("SELECT * FROM ") + table, Doubles::exact);
    if (!rows.empty()) text += std::string(table) + "\n" + rows;
  }
  return text;
}

}  // namespace souk
