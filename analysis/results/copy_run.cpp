#include "analysis/results/copy_run.hpp"

#include <map>
#include <optional>
#include <type_traits>
#include <utility>

#include "analysis/results/attached.hpp"
#include "analysis/results/scenario_columns.hpp"
#include "analysis/results/view_schema.hpp"
#include "analysis/sinks/sqlite_sink.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;
using Detail = ResultsView::Detail;

bool skipped(const ViewTable& table, Detail detail) {
  return detail == Detail::federation && (table.name == "selection" || table.name == "process");
}

void copy_table(Database& view, const ViewTable& table, std::int64_t run, Detail detail) {
  std::string columns;
  for (const ViewColumn& column : table.columns.subspan(1)) columns += fmt::format(", {}", column.name);
  const bool federation_only = table.name == "metric" && detail == Detail::federation;
  // The order of the key: rows are then appended, and equal results give equal files.
  const std::string_view order = table.key.substr(table.key.find(',') + 2);
  Statement(view, fmt::format("INSERT INTO {0} SELECT ?{1} FROM source.{0} {2} ORDER BY {3}", table.name, columns,
                              federation_only ? "WHERE agent = -1" : "", order))
      .run(run);
}

constexpr const char* summarise_agents = R"sql(
INSERT INTO agent_summary
SELECT ?, a.agent, a.role, a.attacker_group, a.samples, coalesce(s.asked, 0), coalesce(s.accepted, 0),
       coalesce(s.weight, 0.0), m.norm, m.cosine, coalesce(l.income, 0), m.value
FROM source.agent a
LEFT JOIN (SELECT agent, count(*) AS asked, sum(outcome = 'accepted') AS accepted, sum(weight) AS weight
           FROM source.selection GROUP BY agent) s ON s.agent = a.agent
LEFT JOIN (SELECT agent, avg(value) FILTER (WHERE name = 'update_norm') AS norm,
                  avg(value) FILTER (WHERE name = 'cosine_to_aggregate') AS cosine,
                  avg(value) FILTER (WHERE name = 'value') AS value
           FROM source.metric WHERE agent >= 0 AND name IN ('update_norm', 'cosine_to_aggregate', 'value')
           GROUP BY agent) m ON m.agent = a.agent
LEFT JOIN (SELECT account, sum(amount) AS income
           FROM (SELECT payee AS account, micro_credits AS amount FROM source.ledger
                 UNION ALL SELECT payer, -micro_credits FROM source.ledger) GROUP BY account) l ON l.account = a.agent
ORDER BY a.agent
)sql";

constexpr const char* summarise_selections = R"sql(
INSERT INTO selection_summary
SELECT ?, s.round, s.outcome, a.attacker_group >= 0 AS malicious, count(*), sum(s.weight)
FROM source.selection s JOIN source.agent a USING (agent)
GROUP BY s.round, s.outcome, malicious ORDER BY s.round, s.outcome, malicious
)sql";

std::map<std::string, std::string> facts_of_source(const Database& view) {
  std::map<std::string, std::string> facts;
  Statement row(view, "SELECT name, value FROM source.run");
  while (row.step()) facts.emplace(row.text(0), row.text(1));
  return facts;
}

void insert_run(Database& view, const RunName& name, const std::map<std::string, std::string>& facts) {
  const auto fact = [&](const std::string& key, const std::string& otherwise) {
    const auto found = facts.find(key);
    return found == facts.end() ? otherwise : found->second;
  };
  const std::string scenario = fact("scenario", "");
  std::optional<ScenarioColumns> columns;  // a run that could not even begin has none
  if (!scenario.empty()) columns = columns_of_scenario(scenario);
  const auto column = [&](auto member) {
    using Value = std::decay_t<decltype(std::declval<ScenarioColumns>().*member)>;
    return columns ? std::optional<Value>((*columns).*member) : std::nullopt;
  };
  using Columns = ScenarioColumns;
  const std::string id = name.id.empty() ? fact("identity", "").substr(0, 12) : name.id;
  Statement(view,
            "INSERT INTO run SELECT ?, ?, ?, ?, ?, ?, ?, CAST(? AS INTEGER), ?, ?,"
            " (SELECT coalesce(max(round), 0) FROM source.round), ?, ?, ?, ?, ?, ?,"
            " (SELECT coalesce(sum(seconds), 0) FROM source.phase) + CAST(? AS REAL), ?")
      .run(name.run, id, fact("name", ""), name.sweep, name.shown.string(), fact("status", "running"),
           fact("reason", ""), fact("failures", "0"), column(&Columns::seed), column(&Columns::rounds),
           column(&Columns::aggregator), column(&Columns::attack), column(&Columns::malicious),
           column(&Columns::partition), column(&Columns::dataset), column(&Columns::model), fact("seconds_set_up", "0"),
           scenario);
  if (!columns) return;
  Statement setting(view, "INSERT OR REPLACE INTO setting VALUES(?,?,?)");
  for (const auto& [path, value] : columns->settings) setting.run(name.run, path, value);
}

void copy_results(Database& view, const RunName& name, Detail detail) {
  insert_run(view, name, facts_of_source(view));
  Statement(view, "INSERT INTO fact SELECT ?, name, value FROM source.run ORDER BY name").run(name.run);
  for (const ViewTable& table : view_tables()) {
    if (table.copied && !skipped(table, detail)) copy_table(view, table, name.run, detail);
  }
  Statement(view, summarise_agents).run(name.run);
  Statement(view, summarise_selections).run(name.run);
}

void insert_missing(Database& view, const RunName& name) {
  Statement(view, "INSERT INTO run(run, id, sweep, path, status) VALUES(?,?,?,?,'missing')")
      .run(name.run, name.id, name.sweep, name.shown.string());
}

}  // namespace

void copy_run(Database& view, const fs::path& directory, const RunName& name, Detail detail) {
  const fs::path file = directory / "results.sqlite";
  if (!fs::exists(file)) return insert_missing(view, name);
  const Attached source(view, file);
  if (source.is_empty()) return insert_missing(view, name);
  SOUK_REQUIRE(source.version() == results_schema_version,
               "{}: has results of schema version {}, this program reads version {}", file.string(), source.version(),
               results_schema_version);
  try {
    view.in_transaction([&] { copy_results(view, name, detail); });
  } catch (const std::exception& error) {
    throw_input_error("{}: cannot be read: {}", file.string(), reason_of(error, view));
  }
}

}  // namespace souk
