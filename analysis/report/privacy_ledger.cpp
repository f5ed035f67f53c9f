#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/report/figures.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/vega.hpp"

namespace souk {
namespace {

/// Unit and mechanism.
using Account = std::pair<std::string, std::string>;

/// What is known at the end about all whose data one mechanism protects.
struct Spent {
  std::optional<double> epsilon = {};  ///< the largest of those with a bound
  double delta = 0.0;
  std::int64_t protected_ones = 0, unbounded = 0;
};

std::map<std::int64_t, std::map<Account, Spent>> read_accounts(const Database& view) {
  std::map<std::int64_t, std::map<Account, Spent>> accounts;
  Statement row(view,
                "SELECT run, unit, mechanism, max(epsilon), max(delta), count(*), sum(epsilon IS NULL) FROM privacy p"
                " WHERE round = (SELECT max(round) FROM privacy q WHERE q.run = p.run AND q.agent = p.agent"
                " AND q.unit = p.unit AND q.mechanism = p.mechanism) GROUP BY run, unit, mechanism");
  while (row.step()) {
    accounts[row.integer(0)][{row.text(1), row.text(2)}] = {row.is_null(3) ? std::nullopt : std::optional(row.real(3)),
                                                            row.real(4), row.integer(5), row.integer(6)};
  }
  return accounts;
}

/// Credits paid for requests to a served model.
std::map<std::int64_t, double> read_queries(const Database& view) {
  std::map<std::int64_t, double> credits;
  Statement row(view, "SELECT run, 1e-6 * sum(micro_credits) FROM ledger WHERE kind = 'query' GROUP BY run");
  while (row.step()) credits[row.integer(0)] = row.real(1);
  return credits;
}

/// Whose data attacks are after, what protects them, and how success is measured: "PREFIX…SUFFIX".
struct Victim {
  const char* name;
  std::vector<std::string> units;
  struct Measure {
    const char *prefix, *suffix, *name;
    std::optional<double> guess;  ///< without an attack
    const char* guess_suffix;     ///< of the metric that says it instead; null: none
    bool larger_leaks;
  };
  std::vector<Measure> measures;  ///< the first that any run of the group has
};

const std::array<Victim, 3>& victims() {
  static const std::array<Victim, 3> all{
      Victim{"clients",
             {"client", "sample"},
             {{"inference.", ".membership_auc", "membership, AUC", 0.5, nullptr, true},
              {"inference.", ".identified", "samples identified, share", std::nullopt, nullptr, true},
              {"inference.", ".count_accuracy", "classes counted right, share", std::nullopt, ".count_guess", true}}},
      Victim{"buyers",
             {"root sample", "root data"},
             {{"attack.", ".class_share_error", "class shares, total variation", std::nullopt, ".class_share_guess",
               false}}},
      Victim{"edges", {"edge"}, {{"edges.", ".auc", "edges, AUC", 0.5, nullptr, true}}},
  };
  return all;
}

/// The strongest attack on somebody.
struct Leak {
  std::string attack, measure;
  double success = 0.0;
  std::optional<double> guess = {};
};

std::optional<Leak> strongest(const Study& study, const SeedGroup& group, const Victim::Measure& measure) {
  const std::string prefix = measure.prefix, suffix = measure.suffix;
  std::set<std::string> names;
  for (const std::size_t run : group.runs) {
    for (const auto& [metric, value] : study.runs[run].finals) {
      const bool named =
          metric.size() > prefix.size() + suffix.size() && metric.starts_with(prefix) && metric.ends_with(suffix);
      if (named) names.insert(metric.substr(prefix.size(), metric.size() - prefix.size() - suffix.size()));
    }
  }
  std::optional<Leak> best;
  for (const std::string& name : names) {
    if (name.find('.') != std::string::npos) continue;
    const std::optional<double> success = mean_of(study, group, prefix + name + suffix);
    if (!success) continue;
    const bool stronger = !best || (measure.larger_leaks ? *success > best->success : *success < best->success);
    if (!stronger) continue;
    best = Leak{name, measure.name, *success, measure.guess};
    if (measure.guess_suffix != nullptr) best->guess = mean_of(study, group, prefix + name + measure.guess_suffix);
  }
  return best;
}

std::optional<Leak> strongest(const Study& study, const SeedGroup& group, const Victim& victim) {
  for (const Victim::Measure& measure : victim.measures) {
    if (const auto leak = strongest(study, group, measure)) return leak;
  }
  return std::nullopt;
}

/// Mean over the runs that have one.
template <class ValueOf>
std::optional<double> mean_over(const Study& study, const SeedGroup& group, ValueOf value_of) {
  double sum = 0.0;
  int runs = 0;
  for (const std::size_t run : group.runs) {
    if (const std::optional<double> value = value_of(study.runs[run])) {
      sum += *value;
      ++runs;
    }
  }
  if (runs == 0) return std::nullopt;
  return sum / runs;
}

ReportValue shown(const std::optional<double>& value) { return value ? ReportValue(*value) : ReportValue(); }

class LedgerTable {
 public:
  LedgerTable(const Study& study, const Database& view)
      : study_(study), accounts_(read_accounts(view)), queries_(read_queries(view)) {}

  void fill(DataSet& data) const {
    for (const SeedGroup& group : seed_groups(study_, RunsTaken::ended)) {
      for (const Victim& victim : victims()) add(group, victim, data);
    }
  }

 private:
  void add(const SeedGroup& group, const Victim& victim, DataSet& data) const {
    const std::optional<Leak> leak = strongest(study_, group, victim);
    const std::set<Account> accounts = accounts_of(group, victim);
    for (const Account& account : accounts) add_row(group, victim, &account, leak, data);
    if (accounts.empty() && leak) add_row(group, victim, nullptr, leak, data);
  }

  std::set<Account> accounts_of(const SeedGroup& group, const Victim& victim) const {
    std::set<Account> found;
    for (const std::size_t run : group.runs) {
      const auto of_run = accounts_.find(study_.runs[run].run);
      if (of_run == accounts_.end()) continue;
      for (const auto& [account, spent] : of_run->second) {
        if (std::ranges::find(victim.units, account.first) != victim.units.end()) found.insert(account);
      }
    }
    return found;
  }

  std::optional<double> of_account(const SeedGroup& group, const Account& account,
                                   std::optional<double> (*value)(const Spent&)) const {
    return mean_over(study_, group, [&](const StudyRun& run) -> std::optional<double> {
      const auto of_run = accounts_.find(run.run);
      if (of_run == accounts_.end()) return std::nullopt;
      const auto spent = of_run->second.find(account);
      return spent == of_run->second.end() ? std::nullopt : value(spent->second);
    });
  }

  /// What whoever is protected was paid, and the buyers paid.
  std::optional<double> credits(const SeedGroup& group, const Victim& victim) const {
    return mean_over(study_, group, [&](const StudyRun& run) -> std::optional<double> {
      if (std::string_view(victim.name) != "edges") return run.paid;
      const auto paid = queries_.find(run.run);
      return paid == queries_.end() ? std::nullopt : std::optional(paid->second);
    });
  }

  void add_row(const SeedGroup& group, const Victim& victim, const Account* account, const std::optional<Leak>& leak,
               DataSet& data) const {
    std::vector<ReportValue> row{victim.name};
    if (account != nullptr) {
      const auto number = [&](std::optional<double> (*value)(const Spent&)) {
        return shown(of_account(group, *account, value));
      };
      row.emplace_back(account->first);
      row.emplace_back(account->second);
      row.push_back(number([](const Spent& spent) { return spent.epsilon; }));
      row.push_back(number([](const Spent& spent) { return std::optional(spent.delta); }));
      row.push_back(number([](const Spent& spent) { return std::optional(static_cast<double>(spent.unbounded)); }));
    } else {
      row.insert(row.end(), {ReportValue("–"), ReportValue("none"), ReportValue(), ReportValue(), ReportValue()});
    }
    row.emplace_back(leak ? leak->measure : std::string("–"));
    row.emplace_back(leak ? leak->attack : std::string("–"));
    row.push_back(leak ? ReportValue(leak->success) : ReportValue());
    row.push_back(leak ? shown(leak->guess) : ReportValue());
    row.push_back(shown(credits(group, victim)));
    data.add(vega::grid_values(group.cell, std::move(row)));
  }

  const Study& study_;
  std::map<std::int64_t, std::map<Account, Spent>> accounts_;
  std::map<std::int64_t, double> queries_;
};

}  // namespace

ReportTable privacy_ledger_table(const Study& study, const Database& view) {
  ReportTable table{
      .id = "privacy-ledger",
      .title = "Spent, leaked, paid",
      .note =
          "Whose data; the largest epsilon at the end, where a bound holds; the strongest attack on them that ran, "
          "beside what a guess comes to; and credits: what clients were paid, which is what buyers paid, and what was "
          "paid for answers about the graph. Means over seeds.",
      .columns = {{"rule"}, {"attack in training"}},
      .data = DataSet(vega::grid_columns(study, {"whose", "unit", "mechanism", "epsilon", "delta", "unbounded",
                                                 "measure", "strongest", "success", "guess", "credits"}))};
  for (const StudyAxis& axis : study.axes) table.columns.push_back({axis.name});
  const std::vector<ReportTable::Column> heads{{"whose data"},
                                               {"unit", "", "what neighbouring data differ in"},
                                               {"noise"},
                                               {"epsilon", ".4~g", "the largest of all whom the noise protects"},
                                               {"delta", ".2~g"},
                                               {"without a bound", ".4~g", "clients that sent something without noise"},
                                               {"leak measured as"},
                                               {"strongest attack"},
                                               {"its success", ".3f"},
                                               {"a guess", ".3f"},
                                               {"credits", ".4~g"}};
  table.columns.insert(table.columns.end(), heads.begin(), heads.end());
  LedgerTable(study, view).fill(table.data);
  return table;
}

}  // namespace souk
