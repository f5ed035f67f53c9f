#include "analysis/tables/run_values.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/metrics/metric.hpp"
#include "sim/base/contract.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

/// "malicious_income_share" and "b" of "buyer.b.malicious_income_share"; no name of the first buyer's.
std::pair<std::string, std::string> of_buyer(const std::string& quantity) {
  const std::string_view prefix = "buyer.";
  const std::size_t dot = quantity.find('.', prefix.size());
  if (!quantity.starts_with(prefix) || dot == std::string::npos) return {quantity, ""};
  return {quantity.substr(dot + 1), quantity.substr(prefix.size(), dot - prefix.size())};
}

std::optional<std::uint32_t> as_count(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "class_accuracy" and 3 of "class_accuracy.3"; no class of metrics that have none, nor where none is named.
struct OfClass {
  std::string metric;
  std::optional<std::uint32_t> label;
};

bool is_recorded_by_class(const std::string& quantity) {
  const Metric* metric = find_metric(of_buyer(quantity).first);
  return metric != nullptr && metric->of_each_class;
}

OfClass of_class(const std::string& quantity) {
  const std::size_t dot = quantity.rfind('.');
  const std::string front = quantity.substr(0, dot);
  const auto label = dot == std::string::npos ? std::nullopt : as_count(std::string_view(quantity).substr(dot + 1));
  return label && is_recorded_by_class(front) ? OfClass{front, label} : OfClass{quantity, std::nullopt};
}

bool is_of_class(const std::string& quantity) { return is_recorded_by_class(of_class(quantity).metric); }

/// The metric of one buyer that a query computes; null for any other.
const Metric* computed_of_buyer(const std::string& quantity) {
  const Metric* metric = find_metric(of_buyer(quantity).first);
  return metric != nullptr && metric->of_buyers ? metric : nullptr;
}

/// The metric of whole runs that a query computes, whoever their buyers are; null for any other.
const Metric* computed_of_run(const std::string& quantity) {
  const Metric* metric = find_metric(quantity);
  return metric != nullptr && !metric->query.empty() && !metric->of_buyers ? metric : nullptr;
}

std::string metric_query(const RoundChoice& choice, std::int64_t label) {
  const std::string rows =
      fmt::format("FROM metric WHERE name = ? AND agent = -1 AND class = {} AND value IS NOT NULL", label);
  switch (choice.kind) {
    case RoundChoice::Kind::at:
      return fmt::format("SELECT run, value {} AND round = {}", rows, choice.number);
    case RoundChoice::Kind::max:
      return fmt::format("SELECT run, max(value) {} GROUP BY run", rows);
    case RoundChoice::Kind::min:
      return fmt::format("SELECT run, min(value) {} GROUP BY run", rows);
    case RoundChoice::Kind::mean:
      return fmt::format("SELECT run, avg(value) {} GROUP BY run", rows);
    default:
      return fmt::format(
          "SELECT run, avg(value) FROM (SELECT run, value, row_number() OVER (PARTITION BY run ORDER BY round DESC) AS"
          " place {}) WHERE place <= {} GROUP BY run",
          rows, choice.kind == RoundChoice::Kind::last ? 1 : choice.number);
  }
}

void require_known(const Database& view, const std::string& metric) {
  std::vector<std::string> known;
  Statement name(view,
                 "SELECT DISTINCT CASE WHEN class = -1 THEN name ELSE name || '.' || class END FROM metric"
                 " WHERE agent = -1 ORDER BY name, class");
  while (name.step()) known.push_back(name.text(0));
  for (const auto& [quantity, computed] : all_metrics()) {
    if (!computed.query.empty()) known.emplace_back(quantity);
  }
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

std::map<std::int64_t, double> values_of_buyer(const Database& view, const Metric& metric, const std::string& buyer) {
  Statement row(view, fmt::format("WITH buyer AS {}, attacked AS (SELECT run FROM agent GROUP BY run HAVING "
                                  "max(attacker_group) >= 0) {}",
                                  accounts_of_buyer(buyer), metric.query));
  return values_of(row);
}

}  // namespace

RoundChoice RoundChoice::parse(const std::string& text) {
  if (text == "usual") return {.kind = Kind::usual};
  if (text == "last") return {};
  if (text == "mean") return {.kind = Kind::mean};
  if (text == "max") return {.kind = Kind::max};
  if (text == "min") return {.kind = Kind::min};
  if (const auto round = as_count(text)) return {.kind = Kind::at, .number = *round};
  const auto count = text.starts_with("last:") ? as_count(std::string_view(text).substr(5)) : std::nullopt;
  SOUK_REQUIRE(count && *count > 0,
               "--round {}: expected usual, last, max, min, mean, a round, or last:K for the mean of the last K", text);
  return {.kind = Kind::mean_of_last, .number = *count};
}

RoundChoice RoundChoice::of(const std::string& metric) const {
  if (kind != Kind::usual) return *this;
  const Metric* known = find_metric(of_buyer(metric).first);
  return {.kind = known != nullptr && known->of_each_round ? Kind::mean : Kind::last};
}

std::string RoundChoice::words() const {
  SOUK_EXPECT(kind != Kind::usual);
  switch (kind) {
    case Kind::at:
      return fmt::format("in round {}", number);
    case Kind::max:
      return "largest over the rounds";
    case Kind::min:
      return "smallest over the rounds";
    case Kind::mean:
      return "mean over the rounds that recorded it";
    case Kind::mean_of_last:
      return fmt::format("mean of the last {} rounds that recorded it", number);
    default:
      return "in the last round that recorded it";
  }
}

bool is_of_whole_runs(const std::string& quantity) {
  return computed_of_run(quantity) != nullptr || computed_of_buyer(quantity) != nullptr;
}

std::vector<std::string> rivals_of(const Database& view) {
  std::vector<std::string> names;
  Statement name(
      view,
      "SELECT value FROM setting WHERE path GLOB 'market.rivals[[]*].name' GROUP BY value ORDER BY min(path), "
      "value");
  while (name.step()) names.push_back(name.text(0));
  return names;
}

std::vector<std::string> with_classes(const Database& view, const std::vector<std::string>& quantities) {
  std::vector<std::string> all;
  for (const std::string& quantity : quantities) {
    const std::size_t before = all.size();
    Statement label(view,
                    "SELECT DISTINCT class FROM metric WHERE name = ? AND agent = -1 AND class >= 0 ORDER BY class");
    label.bind_all(quantity);
    while (is_of_class(quantity) && label.step()) all.push_back(fmt::format("{}.{}", quantity, label.integer(0)));
    if (all.size() == before) all.push_back(quantity);
  }
  return all;
}

std::string accounts_of_buyer(const std::string& name) {
  if (name.empty()) return "(SELECT run, -2 AS buyer FROM run)";
  std::string quoted;
  for (const char c : name) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return fmt::format(
      "(SELECT run, -3 - CAST(substr(path, length('market.rivals[') + 1) AS INTEGER) AS buyer FROM setting"
      " WHERE path GLOB 'market.rivals[[]*].name' AND value = '{}')",
      quoted);
}

ResultsView::Detail detail_for(const std::vector<std::string>& quantities) {
  const auto needs_more = [](const std::string& quantity) {
    return computed_of_buyer(quantity) != nullptr || is_of_class(quantity);
  };
  return std::ranges::any_of(quantities, needs_more) ? ResultsView::Detail::federation : ResultsView::Detail::totals;
}

std::map<std::int64_t, double> run_values(const Database& view, const std::string& quantity,
                                          const RoundChoice& choice) {
  if (const Metric* metric = computed_of_run(quantity)) {
    Statement row(view, metric->query);
    return values_of(row);
  }
  if (const Metric* metric = computed_of_buyer(quantity)) {
    return values_of_buyer(view, *metric, of_buyer(quantity).second);
  }
  require_known(view, quantity);
  require_reached(view, choice);
  const OfClass wanted = of_class(quantity);
  Statement row(view, metric_query(choice.of(quantity), wanted.label ? std::int64_t{*wanted.label} : -1));
  row.bind_all(wanted.metric);
  return values_of(row);
}

}  // namespace souk
