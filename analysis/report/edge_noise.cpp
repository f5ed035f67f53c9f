#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/report/edges.hpp"
#include "analysis/report/series.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

using vega::Json;

/// Noise on the edges of a run's graph.
struct Noise {
  std::string mechanism = {};  ///< edge_rand or lap_graph; empty: none
  double epsilon = 0.0;
  auto operator<=>(const Noise&) const = default;
};

std::map<std::int64_t, Noise> read_noise(const Database& view) {
  std::map<std::int64_t, Noise> noise;
  for (const char* mechanism : {"edge_rand", "lap_graph"}) {
    Statement row(view, "SELECT run, CAST(value AS REAL) FROM setting WHERE path LIKE ?");
    row.bind_all(fmt::format("task.data.%.graph.{}.epsilon", mechanism));
    while (row.step()) noise[row.integer(0)] = {mechanism, row.real(1)};
  }
  return noise;
}

/// Runs of one noise at one place of all else.
struct NoisyGroup {
  StudyCell cell;
  Noise noise;
  std::set<std::size_t> runs = {};
};

class NoiseFigure {
 public:
  NoiseFigure(const Study& study, const Database& view)
      : study_(study), attacks_(edge_attacks_of(view, "pair_curve")), noise_(read_noise(view)) {
    for (std::size_t axis = 0; axis < study_.axes.size(); ++axis) {
      if (names_the_noise(axis)) along_.insert(axis);
    }
    for (const auto& [run, noise] : noise_) {
      if (std::ranges::find(mechanisms_, noise.mechanism) == mechanisms_.end()) mechanisms_.push_back(noise.mechanism);
    }
    std::ranges::sort(mechanisms_);
  }

  /// Whether runs differ in their noise.
  bool is_varied() const {
    std::set<Noise> values;
    for (const StudyRun& run : study_.runs) values.insert(noise_of(run));
    return values.size() > 1;
  }

  DataSet data() const {
    DataSet data(
        vega::grid_columns(study_, {"inference", "mechanism", "epsilon", "measure", "mean", "least", "most", "runs"}));
    for (const NoisyGroup& group : groups()) {
      add(group, study_.quality_word(), study_.quality(), "quality", data);
      for (const std::string& attack : attacks_.values) {
        add(group, attack, fmt::format("edges.{}.auc", attack), "auc", data);
      }
    }
    return data;
  }

  std::string spec() const {
    Json spec = vega::specification();
    std::set<std::string> without{"inference"};
    for (const std::size_t axis : along_) without.insert(vega::axis_field(axis));
    choose_place(spec, study_, attacks_, without);
    if (mechanisms_.size() > 1) {
      spec["params"].push_back(vega::choice("mechanism", "Noise", mechanisms_));
      spec["transform"].push_back(vega::filter("datum.mechanism == mechanism"));
    }
    spec["width"] = "container";
    spec["height"] = 300;
    Json y = vega::channel("mean", "quantitative", "area under the ROC curve; " + study_.quality_word());
    y["scale"] = {{"domain", {0, 1}}, {"clamp", true}};
    Json encoding = {{"y", y}, {"opacity", vega::faded()}};
    vega::colour_by(encoding, "inference", "", attacks_.values.size() + 1);
    encoding.erase("strokeDash");  // which tells the model's quality from success
    encoding["tooltip"] = {vega::line("inference", "line"),       vega::line("epsilon", "epsilon", ".4~g"),
                           vega::line("mean", "mean", ".4~g"),    vega::line("least", "smallest", ".4~g"),
                           vega::line("most", "largest", ".4~g"), vega::line("runs", "runs")};
    Json along = encoding;
    along["x"] = vega::channel("epsilon", "quantitative", "epsilon");
    along["x"]["scale"] = {{"type", "log"}, {"nice", false}, {"padding", 14}};
    Json dashed = along;
    dashed["strokeDash"] = {{"condition", {{"test", "datum.measure == 'quality'"}, {"value", {6, 4}}}},
                            {"value", {1, 0}}};
    spec["layer"] = {Json{{"params", {vega::legend_choice("inference")}},
                          {"transform", {vega::filter("isValid(datum.epsilon)")}},
                          {"mark", {{"type", "line"}, {"strokeWidth", 2}}},
                          {"encoding", dashed}},
                     Json{{"transform", {vega::filter("isValid(datum.epsilon)")}},
                          {"mark", {{"type", "point"}, {"filled", true}, {"size", 50}}},
                          {"encoding", along}},
                     Json{{"transform", {vega::filter("!isValid(datum.epsilon)")}},
                          {"mark", {{"type", "rule"}, {"strokeWidth", 1}, {"strokeDash", {2, 3}}}},
                          {"encoding", encoding}}};
    return vega::text_of(spec);
  }

 private:
  Noise noise_of(const StudyRun& run) const {
    const auto found = noise_.find(run.run);
    return found == noise_.end() ? Noise{} : found->second;
  }

  /// Whether each value of the axis is of one noise, and the values are of several.
  bool names_the_noise(std::size_t axis) const {
    std::map<std::string, std::set<Noise>> noise_of_value;
    std::set<Noise> all;
    for (const StudyCell& cell : study_.cells) {
      const Noise noise = noise_of(study_.runs[cell.run]);
      noise_of_value[cell.at[axis]].insert(noise);
      all.insert(noise);
    }
    return all.size() > 1 &&
           std::ranges::all_of(noise_of_value, [](const auto& value) { return value.second.size() == 1; });
  }

  /// By place, and of each by noise, ascending.
  std::vector<NoisyGroup> groups() const {
    std::map<std::pair<std::vector<std::string>, Noise>, NoisyGroup> groups;
    for (const SeedGroup& group : seed_groups(study_, RunsTaken::ended)) {
      StudyCell cell = group.cell;
      for (const std::size_t axis : along_) cell.at[axis] = no_value;
      std::vector<std::string> place{cell.rule, cell.attack};
      place.insert(place.end(), cell.at.begin(), cell.at.end());
      for (const std::size_t run : group.runs) {
        const Noise noise = noise_of(study_.runs[run]);
        groups.try_emplace({place, noise}, NoisyGroup{cell, noise}).first->second.runs.insert(run);
      }
    }
    std::vector<NoisyGroup> all;
    for (auto& [key, group] : groups) all.push_back(std::move(group));
    return all;
  }

  /// A row of a line; where there is no noise, one beside each mechanism, without an epsilon.
  void add(const NoisyGroup& group, const std::string& line, const std::string& metric, const std::string& measure,
           DataSet& data) const {
    std::vector<double> values;
    for (const std::size_t run : group.runs) {
      if (const auto value = study_.runs[run].final_value(metric)) values.push_back(*value);
    }
    if (values.empty()) return;
    const Summary summary = summarise(values);
    const bool noisy = !group.noise.mechanism.empty();
    const std::optional<double> epsilon = noisy ? std::optional(group.noise.epsilon) : std::nullopt;
    for (const std::string& mechanism : noisy ? std::vector{group.noise.mechanism} : mechanisms_) {
      data.add(vega::grid_values(
          group.cell, {line, mechanism, epsilon, measure, summary.mean, summary.min, summary.max, summary.count}));
    }
  }

  const Study& study_;
  vega::Dimension attacks_;
  std::map<std::int64_t, Noise> noise_;  ///< of runs that have some, by their numbers
  std::set<std::size_t> along_ = {};     ///< axes whose values name the noise
  std::vector<std::string> mechanisms_ = {};
};

}  // namespace

std::vector<Figure> edge_noise(const Study& study, const Database& view) {
  const NoiseFigure figure(study, view);
  if (!figure.is_varied()) return {};
  DataSet data = figure.data();
  if (data.empty()) return {};
  return {{.id = "edge-noise",
           .title = "Success of attacks and " + study.quality_word() + " under noise on the edges",
           .note = fmt::format(
               "Area under the ROC curve on the true edges, and test {} (dashed), by the privacy budget epsilon of "
               "the noise on the graph's edges; thin lines are without noise. At 0.5 scores tell nothing. Mean "
               "over seeds.{}",
               study.quality_word(), unfinished_note(study, RunsTaken::ended)),
           .spec = figure.spec(),
           .data = std::move(data)}};
}

}  // namespace souk
