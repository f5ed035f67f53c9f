#include "analysis/sinks/sqlite_sink.hpp"

#include <cmath>
#include <string_view>

#include <sqlite3.h>
#include <sys/vfs.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

// WITHOUT ROWID: the content alone decides the rows, so a resumed run leaves the same tables as an unbroken one.
// phase and process hold measurements of this machine; every other table is the same for the same scenario.
constexpr const char* schema = R"sql(
CREATE TABLE IF NOT EXISTS run(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS agent(agent INTEGER PRIMARY KEY, role TEXT, samples INTEGER, attacker_group INTEGER,
                                 compute REAL, bandwidth REAL);
CREATE TABLE IF NOT EXISTS partition(agent INTEGER, class INTEGER, samples INTEGER, PRIMARY KEY(agent, class))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS round(round INTEGER PRIMARY KEY, virtual_seconds REAL, virtual_time REAL, stop TEXT);
CREATE TABLE IF NOT EXISTS metric(round INTEGER, name TEXT, agent INTEGER, class INTEGER, value REAL,
                                  PRIMARY KEY(round, name, agent, class)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS selection(round INTEGER, agent INTEGER, outcome TEXT, samples INTEGER, arrival_seconds REAL,
                                     weight REAL, score REAL, PRIMARY KEY(round, agent)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS traffic(round INTEGER, kind TEXT, messages INTEGER, bytes INTEGER,
                                   PRIMARY KEY(round, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event(round INTEGER, sequence INTEGER, kind TEXT, agent INTEGER, text TEXT,
                                 PRIMARY KEY(round, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS phase(round INTEGER, phase TEXT, seconds REAL, busy_seconds REAL, share REAL,
                                 PRIMARY KEY(round, phase)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS process(round INTEGER, rank INTEGER, peak_rss_bytes INTEGER, page_faults INTEGER,
                                   PRIMARY KEY(round, rank)) WITHOUT ROWID;
)sql";

constexpr std::string_view round_tables[] = {"round", "metric", "selection", "traffic", "event", "phase", "process"};

/// Network file systems share no memory between hosts, which write-ahead logging needs.
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

class Statement {
 public:
  Statement(sqlite3* db, std::string_view sql) : db_(db) {
    if (sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &handle_, nullptr) != SQLITE_OK) {
      throw std::runtime_error(fmt::format("results database: {} in '{}'", sqlite3_errmsg(db), sql));
    }
  }
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <class... Values>
  void run(const Values&... values) {
    int at = 0;
    (bind(++at, values), ...);
    if (sqlite3_step(handle_) != SQLITE_DONE) {
      throw std::runtime_error(fmt::format("results database: {}", sqlite3_errmsg(db_)));
    }
    sqlite3_reset(handle_);
  }

 private:
  template <std::integral Integer>
  void bind(int at, Integer value) {
    sqlite3_bind_int64(handle_, at, static_cast<sqlite3_int64>(value));
  }
  void bind(int at, double value) {
    // SQLite knows no NaN; a value that does not exist is NULL.
    std::isnan(value) ? sqlite3_bind_null(handle_, at) : sqlite3_bind_double(handle_, at, value);
  }
  void bind(int at, const std::string& value) {
    sqlite3_bind_text(handle_, at, value.c_str(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
  }
  template <class Value>
  void bind(int at, const std::optional<Value>& value) {
    value ? bind(at, *value) : static_cast<void>(sqlite3_bind_null(handle_, at));
  }
  sqlite3* db_;
  sqlite3_stmt* handle_ = nullptr;
};

class SqliteSink final : public MetricSink {
 public:
  explicit SqliteSink(const std::filesystem::path& file) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) {
      const std::string reason = sqlite3_errmsg(db_);
      sqlite3_close(db_);
      throw std::runtime_error(fmt::format("cannot open {}: {}", file.string(), reason));
    }
    sqlite3_busy_timeout(db_, 10000);
    check_version(file);
    execute(on_network_file_system(file.parent_path().empty() ? "." : file.parent_path()) ? "PRAGMA journal_mode=DELETE"
                                                                                          : "PRAGMA journal_mode=WAL");
    execute("PRAGMA synchronous=FULL");  // a checkpoint must never be ahead of the rows, not even after a power cut
    create_tables();
  }
  ~SqliteSink() override { sqlite3_close(db_); }
  SqliteSink(const SqliteSink&) = delete;
  SqliteSink& operator=(const SqliteSink&) = delete;

  void describe(const std::map<std::string, std::string>& facts) override {
    in_transaction([&] {
      Statement insert(db_, "INSERT OR REPLACE INTO run VALUES(?,?)");
      for (const auto& [name, value] : facts) insert.run(name, value);
    });
  }

  void commit_set_up(const SetUpRecord& record) override {
    in_transaction([&] {
      execute("DELETE FROM agent");
      execute("DELETE FROM partition");
      forget_rounds("= 0");
      Statement agent(db_, "INSERT INTO agent VALUES(?,?,?,?,?,?)");
      for (const AgentRow& row : record.agents) {
        agent.run(row.agent.value, row.role, row.samples, row.attacker_group, row.compute, row.bandwidth);
      }
      Statement partition(db_, "INSERT INTO partition VALUES(?,?,?)");
      for (const PartitionRow& row : record.partition) partition.run(row.agent.value, row.label, row.samples);
      insert_metrics(0, record.metrics);
      insert_events(0, record.events);
    });
  }

  void commit(const RoundRecord& record) override {
    const std::uint32_t round = record.round.value;
    in_transaction([&] {
      forget_rounds(fmt::format("= {}", round));
      Statement(db_,
                "INSERT INTO round SELECT ?1, ?2, ?2 + coalesce((SELECT virtual_time FROM round WHERE round = ?1 - 1), "
                "0), ?3")
          .run(round, record.virtual_seconds, record.stop);
      insert_metrics(round, record.metrics);
      insert_events(round, record.events);
      insert_selections(record);
      Statement traffic(db_, "INSERT INTO traffic VALUES(?,?,?,?)");
      for (const TrafficRow& row : record.traffic) traffic.run(round, row.kind, row.messages, row.bytes);
      insert_measurements(record);
    });
  }

  void rewind(RoundIndex last_kept) override {
    in_transaction([&] { forget_rounds(fmt::format("> {}", last_kept.value)); });
  }

 private:
  void execute(const std::string& sql) {
    char* message = nullptr;
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return;
    const std::string reason = message == nullptr ? sqlite3_errmsg(db_) : message;
    sqlite3_free(message);
    throw std::runtime_error(fmt::format("results database: {}", reason));
  }
  template <class Act>
  void in_transaction(Act act) {
    execute("BEGIN IMMEDIATE");
    try {
      act();
      execute("COMMIT");
    } catch (...) {
      sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
      throw;
    }
  }
  void check_version(const std::filesystem::path& file) {
    sqlite3_stmt* query = nullptr;
    sqlite3_prepare_v2(db_, "PRAGMA user_version", -1, &query, nullptr);
    const int version = sqlite3_step(query) == SQLITE_ROW ? sqlite3_column_int(query, 0) : 0;
    sqlite3_finalize(query);
    SOUK_REQUIRE(version == 0 || version == results_schema_version,
                 "{}: has results of schema version {}, this program writes {}", file.string(), version,
                 results_schema_version);
  }
  void create_tables() {
    in_transaction([&] {
      execute(schema);
      execute(fmt::format("PRAGMA user_version = {}", results_schema_version));
    });
  }
  void forget_rounds(const std::string& which) {
    for (const std::string_view table : round_tables)
      execute(fmt::format("DELETE FROM {} WHERE round {}", table, which));
  }
  void insert_metrics(std::uint32_t round, const std::vector<MetricValue>& metrics) {
    Statement insert(db_, "INSERT INTO metric VALUES(?,?,?,?,?)");
    for (const MetricValue& row : metrics) insert.run(round, row.name, row.agent, row.label, row.value);
  }
  void insert_events(std::uint32_t round, const std::vector<EventRow>& events) {
    Statement insert(db_, "INSERT INTO event VALUES(?,?,?,?,?)");
    int sequence = 0;
    for (const EventRow& row : events) insert.run(round, sequence++, row.kind, row.agent, row.text);
  }
  void insert_selections(const RoundRecord& record) {
    Statement insert(db_, "INSERT INTO selection VALUES(?,?,?,?,?,?,?)");
    for (const SelectionRow& row : record.selections) {
      insert.run(record.round.value, row.agent.value, row.outcome, row.samples, row.arrival_seconds, row.weight,
                 row.score);
    }
  }
  void insert_measurements(const RoundRecord& record) {
    double total = 0.0;
    for (const PhaseTime& row : record.phases) total += row.seconds;
    Statement phase(db_, "INSERT INTO phase VALUES(?,?,?,?,?)");
    for (const PhaseTime& row : record.phases) {
      phase.run(record.round.value, row.phase, row.seconds, row.busy_seconds, total > 0 ? row.seconds / total : 0.0);
    }
    Statement process(db_, "INSERT INTO process VALUES(?,?,?,?)");
    for (const ProcessRow& row : record.processes) {
      process.run(record.round.value, row.rank, row.peak_rss_bytes, row.page_faults);
    }
  }
  sqlite3* db_ = nullptr;
};

}  // namespace

std::unique_ptr<MetricSink> open_sqlite_sink(const std::filesystem::path& file) {
  return std::make_unique<SqliteSink>(file);
}

}  // namespace souk
