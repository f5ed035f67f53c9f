#include "analysis/sinks/sqlite_sink.hpp"

#include <string_view>

#include <fmt/format.h>

#include "analysis/database.hpp"
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
CREATE TABLE IF NOT EXISTS selection(round INTEGER, buyer INTEGER, agent INTEGER, outcome TEXT, samples INTEGER,
                                     arrival_seconds REAL, weight REAL, score REAL,
                                     PRIMARY KEY(round, buyer, agent)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS traffic(round INTEGER, kind TEXT, messages INTEGER, bytes INTEGER,
                                   PRIMARY KEY(round, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event(round INTEGER, sequence INTEGER, kind TEXT, agent INTEGER, text TEXT,
                                 PRIMARY KEY(round, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger(round INTEGER, sequence INTEGER, buyer INTEGER, kind TEXT, payer INTEGER,
                                  payee INTEGER, micro_credits INTEGER, PRIMARY KEY(round, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS request(round INTEGER, sequence INTEGER, principal TEXT, attack TEXT, kind TEXT,
                                   target INTEGER, requests INTEGER, refused INTEGER, ticks INTEGER,
                                   micro_credits INTEGER, PRIMARY KEY(round, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pair(round INTEGER, attack TEXT, target INTEGER, candidate INTEGER, score REAL,
                                edge INTEGER, same_class INTEGER, PRIMARY KEY(attack, target, candidate))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS privacy(round INTEGER, agent INTEGER, unit TEXT, mechanism TEXT, releases INTEGER,
                                   epsilon REAL, delta REAL, PRIMARY KEY(round, agent, unit, mechanism)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reconstruction(round INTEGER, attack TEXT, agent INTEGER, sample INTEGER, class INTEGER,
                                          claim INTEGER, claimed_class INTEGER, mse REAL, psnr REAL, ssim REAL,
                                          identified INTEGER, PRIMARY KEY(round, attack, agent, sample)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS phase(round INTEGER, phase TEXT, seconds REAL, busy_seconds REAL, share REAL,
                                 PRIMARY KEY(round, phase)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS process(round INTEGER, rank INTEGER, peak_rss_bytes INTEGER, page_faults INTEGER,
                                   PRIMARY KEY(round, rank)) WITHOUT ROWID;
)sql";

constexpr std::string_view round_tables[] = {"round",   "metric", "selection", "traffic",        "event", "ledger",
                                             "request", "pair",   "privacy",   "reconstruction", "phase", "process"};

class SqliteSink final : public MetricSink {
 public:
  explicit SqliteSink(const std::filesystem::path& file) : db_(file, Database::Mode::write) {
    db_.require_version(results_schema_version);
    db_.execute("PRAGMA synchronous=FULL");  // a checkpoint must never be ahead of the rows, not even after a power cut
    db_.in_transaction([&] {
      db_.execute(schema);
      db_.execute(fmt::format("PRAGMA user_version = {}", results_schema_version));
    });
  }

  void describe(const std::map<std::string, std::string>& facts) override {
    db_.in_transaction([&] {
      Statement insert(db_, "INSERT OR REPLACE INTO run VALUES(?,?)");
      for (const auto& [name, value] : facts) insert.run(name, value);
    });
  }

  void commit_set_up(const SetUpRecord& record) override {
    db_.in_transaction([&] {
      db_.execute("DELETE FROM agent");
      db_.execute("DELETE FROM partition");
      forget_rounds("= 0");
      Statement agent(db_, "INSERT INTO agent VALUES(?,?,?,?,?,?)");
      for (const AgentRow& row : record.agents) {
        agent.run(row.agent.value, row.role, row.samples, row.attacker_group, row.compute, row.bandwidth);
      }
      Statement partition(db_, "INSERT INTO partition VALUES(?,?,?)");
      for (const PartitionRow& row : record.partition) partition.run(row.agent.value, row.label, row.samples);
      insert_metrics(0, record.metrics);
      insert_events(0, record.events);
      insert_privacy(0, record.privacy);
    });
  }

  void commit(const RoundRecord& record) override {
    const std::uint32_t round = record.round.value;
    db_.in_transaction([&] {
      forget_rounds(fmt::format("= {}", round));
      Statement(db_,
                "INSERT INTO round SELECT ?1, ?2, ?2 + coalesce((SELECT virtual_time FROM round WHERE round = ?1 - 1), "
                "0), ?3")
          .run(round, record.virtual_seconds, record.stop ? std::optional(text_of(record.stop)) : std::nullopt);
      insert_metrics(round, record.metrics);
      insert_events(round, record.events);
      insert_selections(record);
      Statement traffic(db_, "INSERT INTO traffic VALUES(?,?,?,?)");
      for (const TrafficRow& row : record.traffic) traffic.run(round, row.kind, row.messages, row.bytes);
      insert_transfers(record);
      insert_requests(record);
      insert_pairs(record);
      insert_privacy(round, record.privacy);
      insert_reconstructions(record);
      insert_measurements(record);
    });
  }

  void rewind(RoundIndex last_kept) override {
    const std::int64_t last = db_.integer("SELECT max(round) FROM round");
    SOUK_REQUIRE(last >= last_kept.value, "{}: ends with round {}, but its checkpoint is of round {}: rounds were lost",
                 db_.name(), last, last_kept.value);
    db_.in_transaction([&] { forget_rounds(fmt::format("> {}", last_kept.value)); });
  }

 private:
  void forget_rounds(const std::string& which) {
    for (const std::string_view table : round_tables)
      db_.execute(fmt::format("DELETE FROM {} WHERE round {}", table, which));
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
    Statement insert(db_, "INSERT INTO selection VALUES(?,?,?,?,?,?,?,?)");
    for (const SelectionRow& row : record.selections) {
      insert.run(record.round.value, row.buyer, row.agent.value, std::string(to_string(row.outcome)), row.samples,
                 row.arrival_seconds, row.weight, row.score);
    }
  }
  void insert_transfers(const RoundRecord& record) {
    Statement insert(db_, "INSERT INTO ledger VALUES(?,?,?,?,?,?,?)");
    int sequence = 0;
    for (const TransferRow& row : record.transfers) {
      insert.run(record.round.value, sequence++, row.buyer, row.kind, row.payer, row.payee, row.micro_credits);
    }
  }
  void insert_requests(const RoundRecord& record) {
    Statement insert(db_, "INSERT INTO request VALUES(?,?,?,?,?,?,?,?,?,?)");
    int sequence = 0;
    for (const RequestRow& row : record.requests) {
      insert.run(record.round.value, sequence++, row.principal, row.attack, row.kind, row.target, row.requests,
                 row.refused, row.ticks, row.micro_credits);
    }
  }
  void insert_pairs(const RoundRecord& record) {
    Statement insert(db_, "INSERT INTO pair VALUES(?,?,?,?,?,?,?)");
    for (const PairRow& row : record.pairs) {
      insert.run(record.round.value, row.attack, row.target, row.candidate, row.score, row.edge, row.same_class);
    }
  }
  void insert_privacy(std::uint32_t round, const std::vector<PrivacyRow>& rows) {
    Statement insert(db_, "INSERT INTO privacy VALUES(?,?,?,?,?,?,?)");
    for (const PrivacyRow& row : rows) {
      insert.run(round, row.agent, row.unit, row.mechanism, row.releases, row.epsilon, row.delta);
    }
  }
  void insert_reconstructions(const RoundRecord& record) {
    Statement insert(db_, "INSERT INTO reconstruction VALUES(?,?,?,?,?,?,?,?,?,?,?)");
    for (const ReconstructionRow& row : record.reconstructions) {
      insert.run(record.round.value, row.attack, row.agent, row.sample, row.of_class, row.match, row.claimed_class,
                 row.mse, row.psnr, row.ssim, row.identified);
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
  Database db_;
};

}  // namespace

std::unique_ptr<MetricSink> open_sqlite_sink(const std::filesystem::path& file) {
  return std::make_unique<SqliteSink>(file);
}

}  // namespace souk
