#include "analysis/tables/run_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

/// Of whole runs: name, and a query for (run, value).
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> whole_run{{
    {"seconds", "SELECT run, seconds FROM run"},
    {"bytes", "SELECT run, sum(bytes) FROM traffic GROUP BY run"},
    {"virtual_time", "SELECT run, max(virtual_time) FROM round GROUP BY run"},
    {"rounds_done", "SELECT run, rounds_done FROM run"},
    {"malicious_weight_share",
     "SELECT run, sum(weight_sum) FILTER (WHERE attacker_group >= 0) / nullif(sum(weight_sum), 0) FROM agent_summary"
     " GROUP BY run"},
    {"malicious_income_share",
     "SELECT l.run, CASE WHEN max(g.attacked) THEN"
     "  1.0 * total(l.micro_credits) FILTER (WHERE a.attacker_group >= 0) / nullif(sum(l.micro_credits), 0) END"
     " FROM ledger l JOIN agent a ON a.run = l.run AND a.agent = l.payee"
     " JOIN (SELECT run, max(attacker_group) >= 0 AS attacked FROM agent GROUP BY run) g ON g.run = l.run"
     " WHERE l.kind = 'payment' GROUP BY l.run"},
}};

std::optional<std::uint32_t> as_count(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string metric_query(const RoundChoice& choice) {
  const std::string rows = "FROM metric WHERE name = ? AND agent = -1 AND class = -1 AND value IS NOT NULL";
  switch (choice.kind) {
    case RoundChoice::Kind::at:
      return fmt::format("SELECT run, value {} AND round = {}", rows, choice.number);
    case RoundChoice::Kind::max:
      return fmt::format("SELECT run, max(value) {} GROUP BY run", rows);
    case RoundChoice::Kind::min:
      return fmt::format("SELECT run, min(value) {} GROUP BY run", rows);
    default:
      return fmt::format(
          "SELECT run, avg(value) FROM (SELECT run, value, row_number() OVER (PARTITION BY run ORDER BY round DESC) AS"
          " place {}) WHERE place <= {} GROUP BY run",
          rows, choice.kind == RoundChoice::Kind::last ? 1 : choice.number);
  }
}

void require_known(const Database& view, const std::string& metric) {
  std::vector<std::string> known;
  Statement name(view, "SELECT DISTINCT name FROM metric WHERE agent = -1 AND class = -1 ORDER BY name");
  while (name.step()) known.push_back(name.text(0));
  for (const auto& [quantity, query] : whole_run) known.emplace_back(quantity);
  std::string list;
  for (const std::string& one : known) {
    if (one == metric) return;
    list += (list.empty() ? "" : ", ") + one;
  }
  // Where nothing has ended yet, or everything failed, that is the answer.
  if (view.integer("SELECT count(*) FROM run WHERE status = 'done'") == 0) return;
  throw_input_error("no run has recorded '{}'; there are {}.{}", metric, list, did_you_mean(metric, known));
}

void require_reached(const Database& view, const RoundChoice& choice) {
  if (choice.kind != RoundChoice::Kind::at) return;
  if (view.integer("SELECT count(*) FROM run WHERE status = 'done'") == 0) return;
  const std::int64_t last = view.integer("SELECT max(rounds_done) FROM run");
  SOUK_REQUIRE(choice.number <= last, "--round {}: no run got further than round {}", choice.number, last);
}

std::map<std::int64_t, double> values_of(Statement& row) {
  std::map<std::int64_t, double> values;
  while (row.step()) {
    if (!row.is_null(1)) values.emplace(row.integer(0), row.real(1));
  }
  return values;
}

}  // namespace

RoundChoice RoundChoice::parse(const std::string& text) {
  if (text == "last") return {};
  if (text == "max") return {.kind = Kind::max};
  if (text == "min") return {.kind = Kind::min};
  if (const auto round = as_count(text)) return {.kind = Kind::at, .number = *round};
  const auto count = text.starts_with("last:") ? as_count(std::string_view(text).substr(5)) : std::nullopt;
  SOUK_REQUIRE(count && *count > 0,
               "--round {}: expected last, max, min, a round, or last:K for the mean of the last K", text);
  return {.kind = Kind::mean_of_last, .number = *count};
}

std::string RoundChoice::words() const {
  switch (kind) {
    case Kind::at:
      return fmt::format("in round {}", number);
    case Kind::max:
      return "largest over the rounds";
    case Kind::min:
      return "smallest over the rounds";
    case Kind::mean_of_last:
      return fmt::format("mean of the last {} rounds that recorded it", number);
    default:
      return "in the last round that recorded it";
  }
}

ResultsView::Detail detail_for(const std::vector<std::string>& quantities) {
  const bool of_agents = std::ranges::any_of(quantities, [](const std::string& quantity) {
    return quantity == "malicious_weight_share" || quantity == "malicious_income_share";
  });
  return of_agents ? ResultsView::Detail::federation : ResultsView::Detail::totals;
}

std::map<std::int64_t, double> run_values(const Database& view, const std::string& quantity,
                                          const RoundChoice& choice) {
  for (const auto& [name, query] : whole_run) {
    if (name != quantity) continue;
    Statement row(view, query);
    return values_of(row);
  }
  require_known(view, quantity);
  require_reached(view, choice);
  Statement row(view, metric_query(choice));
  row.bind_all(quantity);
  return values_of(row);
}

}  // namespace souk
