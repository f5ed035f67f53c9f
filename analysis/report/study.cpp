#include "analysis/report/study.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "analysis/metrics/metric.hpp"
#include "analysis/tables/run_values.hpp"

namespace souk {
namespace {

constexpr std::array<std::string_view, 4> rule_names{"aggregator", "rule", "defence", "defense"};
constexpr std::array<std::string_view, 2> attack_names{"attack", "attacks"};

bool is_number(const std::string& text) {
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

template <class Names>
bool is_one_of(const Names& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

void add_new(std::vector<std::string>& values, const std::string& value) {
  if (std::ranges::find(values, value) == values.end()) values.push_back(value);
}

std::vector<StudyRun> read_runs(const Database& view) {
  std::vector<StudyRun> runs;
  Statement select(
      view,
      "SELECT run, coalesce(id, ''), coalesce(name, ''), coalesce(sweep, ''), coalesce(path, ''), status, "
      "coalesce(reason, ''), coalesce(failures, 0), coalesce(rounds_done, 0), coalesce(aggregator, ''), "
      "coalesce(attack, ''), coalesce(seed, ''), malicious, seconds, (SELECT sum(bytes) FROM traffic t WHERE "
      "t.run = r.run) "
      "FROM run r ORDER BY run");
  while (select.step()) {
    StudyRun run;
    run.run = select.integer(0);
    run.id = select.text(1);
    run.name = select.text(2);
    run.sweep = select.text(3);
    run.path = select.text(4);
    run.status = run_status_named(select.text(5));
    run.reason = select.text(6);
    run.failures = select.integer(7);
    run.rounds_done = select.integer(8);
    run.aggregator = select.text(9);
    run.attack = select.text(10);
    run.seed = select.text(11);
    if (!select.is_null(12)) run.malicious = select.real(12);
    if (!select.is_null(13)) run.seconds = select.real(13);
    if (!select.is_null(14)) run.bytes = select.real(14);
    runs.push_back(std::move(run));
  }
  return runs;
}

/// A run with a market has bookings from its start on; one whose clients were paid nothing has no payments.
constexpr const char* payments =
    "SELECT l.run, 1e-6 * total(CASE WHEN kind = 'payment' THEN micro_credits END), "
    "1e-6 * total(CASE WHEN kind = 'payment' AND attacker_group >= 0 THEN micro_credits END) "
    "FROM ledger l LEFT JOIN agent a ON a.run = l.run AND a.agent = l.payee GROUP BY l.run";

using Places = std::map<std::int64_t, std::size_t>;  ///< of runs in Study::runs, by number

void read_payments(const Database& view, const Places& places, std::vector<StudyRun>& runs) {
  Statement select(view, payments);
  while (select.step()) {
    StudyRun& run = runs[places.at(select.integer(0))];
    run.paid = select.real(1);
    run.paid_to_attackers = select.real(2);
  }
}

/// With max() as the only aggregate, SQLite takes the other columns from the row that has it.
constexpr const char* last_values =
    "SELECT run, name, value, max(round) FROM metric WHERE agent = -1 AND class = -1 AND value IS NOT NULL "
    "GROUP BY run, name";

void read_finals(const Database& view, const Places& places, const Study& study, std::vector<StudyRun>& runs) {
  Statement select(view, last_values);
  while (select.step()) runs[places.at(select.integer(0))].finals[select.text(1)] = select.real(2);
  std::vector<std::string> rates, computed;
  for (const auto& [name, metric] : all_metrics()) {
    if (metric.of_each_round) rates.emplace_back(name);
    if (metric.of_buyers) computed.emplace_back(name);
  }
  for (const std::string& rate : study.of_every_buyer(rates)) {
    if (std::ranges::none_of(runs, [&](const StudyRun& run) { return run.finals.contains(rate); })) continue;
    const RoundChoice usual{.kind = RoundChoice::Kind::usual};
    for (const auto& [run, value] : run_values(view, rate, usual)) runs[places.at(run)].finals[rate] = value;
  }
  for (const std::string& share : study.of_every_buyer(computed)) {
    for (const auto& [run, value] : run_values(view, share, RoundChoice{})) runs[places.at(run)].finals[share] = value;
  }
}

/// What attacker groups are after: runs of one goal measure the same triggers and targets, whether anybody acts or not.
void read_goals(const Database& view, const Places& places, std::vector<StudyRun>& runs) {
  constexpr std::array<std::string_view, 11> aside{"count", "fraction",  "from_round", "to_round",  "every",     "on",
                                                   "off",   "at_rounds", "members",    "knowledge", "identities"};
  Statement select(view, "SELECT run, path, value FROM setting WHERE path GLOB 'attacks[[]*' ORDER BY run, path");
  while (select.step()) {
    const std::string path = select.text(1);
    const std::string field = path.substr(std::min(path.find("].") + 2, path.size()));
    if (is_one_of(aside, field.substr(0, field.find_first_of(".[")))) continue;
    runs[places.at(select.integer(0))].goal += fmt::format("{}={}\n", path, select.text(2));
  }
}

/// The sweeps, and no_value for runs outside them; nothing where there is but one of these.
std::optional<StudyAxis> axis_of_sweeps(const Database& view) {
  StudyAxis axis{.name = "sweep", .sweeps = true};
  Statement select(view, "SELECT sweep FROM cell GROUP BY sweep ORDER BY min(cell)");
  while (select.step()) axis.values.push_back(select.text(0).empty() ? no_value : select.text(0));
  return axis.values.size() > 1 ? std::optional(axis) : std::nullopt;
}

/// Axes other than rule, attack and seed, over all sweeps by name.
std::vector<StudyAxis> read_axes(const Database& view) {
  std::vector<StudyAxis> axes;
  Statement select(view,
                   "SELECT a.name, v.value FROM axis a JOIN axis_value v ON v.sweep = a.sweep AND v.axis = a.name "
                   "ORDER BY a.sweep, a.position, v.position");
  while (select.step()) {
    const std::string name = select.text(0);
    if (name == "seed" || is_one_of(rule_names, name) || is_one_of(attack_names, name)) continue;
    auto axis = std::ranges::find(axes, name, &StudyAxis::name);
    if (axis == axes.end()) axis = axes.insert(axis, StudyAxis{.name = name});
    add_new(axis->values, select.text(1));
  }
  std::erase_if(axes, [](const StudyAxis& axis) { return axis.values.size() < 2; });
  for (StudyAxis& axis : axes) axis.numeric = std::ranges::all_of(axis.values, is_number);
  if (auto sweeps = axis_of_sweeps(view)) axes.insert(axes.begin(), std::move(*sweeps));
  return axes;
}

using Coordinates = std::map<std::string, std::string>;  ///< value by axis

std::map<std::int64_t, Coordinates> read_coordinates(const Database& view) {
  std::map<std::int64_t, Coordinates> coordinates;
  Statement select(view, "SELECT cell, axis, value FROM coordinate");
  while (select.step()) coordinates[select.integer(0)][select.text(1)] = select.text(2);
  return coordinates;
}

template <class Names>
std::string on_axis(const Coordinates& at, const Names& names, const std::string& otherwise) {
  for (const std::string_view name : names) {
    if (const auto found = at.find(std::string(name)); found != at.end()) return found->second;
  }
  return otherwise;
}

/// The order of values is the grid's, then that of the cells.
std::vector<std::string> axis_values(const Database& view, const std::string& names) {
  std::vector<std::string> values;
  Statement select(view, "SELECT value FROM axis_value WHERE axis IN (" + names + ") ORDER BY sweep, position");
  while (select.step()) add_new(values, select.text(0));
  return values;
}

std::string place_on(const StudyAxis& axis, const Coordinates& at, const StudyRun& run) {
  if (axis.sweeps) return run.sweep.empty() ? no_value : run.sweep;
  const auto value = at.find(axis.name);
  return value == at.end() ? no_value : value->second;
}

std::vector<StudyCell> read_cells(const Database& view, const Study& study, const Places& places) {
  std::vector<StudyCell> cells;
  const auto coordinates = read_coordinates(view);
  Statement select(
      view, "SELECT cell, number, c.run, coalesce(seed, '') FROM cell c JOIN run r ON r.run = c.run ORDER BY cell");
  while (select.step()) {
    StudyCell cell;
    cell.number = select.integer(1);
    cell.run = places.at(select.integer(2));
    const StudyRun& run = study.runs[cell.run];
    const auto found = coordinates.find(select.integer(0));
    const Coordinates at = found == coordinates.end() ? Coordinates() : found->second;
    cell.rule = on_axis(at, rule_names, run.aggregator);
    cell.attack = on_axis(at, attack_names, run.attack);
    cell.seed = on_axis(at, std::array<std::string_view, 1>{"seed"}, select.text(3));
    for (const StudyAxis& axis : study.axes) cell.at.push_back(place_on(axis, at, run));
    cells.push_back(std::move(cell));
  }
  return cells;
}

/// What the runs of these cells have in a member, if they agree.
std::string agreed(const std::vector<StudyRun>& runs, const std::vector<const StudyCell*>& cells,
                   std::string StudyRun::*member) {
  std::set<std::string> values;
  for (const StudyCell* cell : cells) {
    if (const std::string& value = runs[cell->run].*member; !value.empty()) values.insert(value);
  }
  return values.size() == 1 ? *values.begin() : "";
}

/// Cells that never started say nothing of rule and attack where these are not axes: they get those of the cells that
/// differ in the seed alone, or else of all cells of their sweep, where these agree.
void fill_missing(const std::vector<StudyRun>& runs, std::vector<StudyCell>& cells) {
  std::map<std::string, std::vector<const StudyCell*>> of_sweep;
  std::map<std::pair<std::string, std::vector<std::string>>, std::vector<const StudyCell*>> of_place;
  for (const StudyCell& cell : cells) {
    of_sweep[runs[cell.run].sweep].push_back(&cell);
    of_place[{runs[cell.run].sweep, cell.at}].push_back(&cell);
  }
  for (StudyCell& cell : cells) {
    const std::string& sweep = runs[cell.run].sweep;
    for (const auto& [own, member] :
         {std::pair(&StudyCell::rule, &StudyRun::aggregator), std::pair(&StudyCell::attack, &StudyRun::attack)}) {
      if ((cell.*own).empty()) cell.*own = agreed(runs, of_place.at({sweep, cell.at}), member);
      if ((cell.*own).empty()) cell.*own = agreed(runs, of_sweep.at(sweep), member);
    }
  }
}

bool runs_no_attack(const StudyRun& run) { return run.attack == "none" || run.malicious == 0.0; }

/// Which cells run an attack. Labels are the grid's own words ("none", "clean", …), and say nothing but for cells that
/// never started.
void tell_clean_cells(const std::vector<StudyRun>& runs, std::vector<StudyCell>& cells) {
  using Label = std::pair<std::string, std::string>;
  const auto label_of = [&](const StudyCell& cell) { return Label(runs[cell.run].sweep, cell.attack); };
  std::map<Label, bool> all_clean;  // of the labels of which some run is known
  for (const StudyCell& cell : cells) {
    const StudyRun& run = runs[cell.run];
    if (run.attack.empty()) continue;
    const auto known = all_clean.try_emplace(label_of(cell), true).first;
    known->second = known->second && runs_no_attack(run);
  }
  for (StudyCell& cell : cells) {
    const StudyRun& run = runs[cell.run];
    const auto known = all_clean.find(label_of(cell));
    if (!run.attack.empty()) {
      cell.clean = runs_no_attack(run);
    } else {
      cell.clean = known == all_clean.end() ? cell.attack == "none" : known->second;
    }
    cell.attacked = !cell.clean && !cell.attack.empty();
  }
}

}  // namespace

std::optional<double> StudyRun::final_value(const std::string& metric) const {
  const auto found = finals.find(metric);
  return found == finals.end() ? std::nullopt : std::optional(found->second);
}

bool Study::has_metric(const std::string& metric) const {
  return std::ranges::any_of(runs, [&](const StudyRun& run) { return counts(run) && run.finals.contains(metric); });
}

std::vector<std::string> Study::of_every_buyer(const std::vector<std::string>& metrics) const {
  std::vector<std::string> all = metrics;
  for (const std::string& rival : rivals) {
    for (const std::string& metric : metrics) all.push_back(fmt::format("buyer.{}.{}", rival, metric));
  }
  return all;
}

bool Study::has_unfinished() const { return std::ranges::any_of(runs, &StudyRun::unfinished); }

std::string Study::place_text(const StudyCell& cell) const {
  std::string text;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (cell.at[i] != no_value) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", axes[i].name, cell.at[i]);
  }
  return text;
}

Study Study::read(const Database& view) {
  Study study;
  study.runs = read_runs(view);
  Places places;
  for (std::size_t i = 0; i < study.runs.size(); ++i) places[study.runs[i].run] = i;
  study.rivals = rivals_of(view);
  read_finals(view, places, study, study.runs);
  read_payments(view, places, study.runs);
  read_goals(view, places, study.runs);
  study.axes = read_axes(view);
  study.rules = axis_values(view, "'aggregator', 'rule', 'defence', 'defense'");
  study.attacks = axis_values(view, "'attack', 'attacks'");
  study.cells = read_cells(view, study, places);
  fill_missing(study.runs, study.cells);
  tell_clean_cells(study.runs, study.cells);
  for (const StudyCell& cell : study.cells) {
    if (!cell.rule.empty()) add_new(study.rules, cell.rule);
    if (!cell.attack.empty()) add_new(study.attacks, cell.attack);
  }
  for (StudyAxis& axis : study.axes) {
    const auto at = static_cast<std::size_t>(&axis - study.axes.data());
    const bool partly =
        std::ranges::any_of(study.cells, [&](const StudyCell& cell) { return cell.at[at] == no_value; });
    if (partly) add_new(axis.values, no_value);
  }
  std::set<std::string> tried;
  for (const StudyCell& cell : study.cells) {
    if (cell.attacked) tried.insert(cell.attack);
  }
  std::ranges::stable_partition(study.attacks, [&](const std::string& attack) { return !tried.contains(attack); });
  return study;
}

}  // namespace souk
