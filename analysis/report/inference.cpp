#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/base64.hpp"
#include "analysis/report/figures.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/vega.hpp"
#include "sim/base/atomic_file.hpp"

namespace souk {
namespace {

using vega::Json;

constexpr std::string_view recorded_under = "inference.";

/// Names of the attacks that any run has, ascending: "inference.NAME.victims" is what all of them record.
std::vector<std::string> inference_attacks(const Study& study) {
  constexpr std::string_view last = ".victims";
  std::set<std::string> names;
  for (const StudyRun& run : study.runs) {
    for (const auto& [metric, value] : run.finals) {
      if (!metric.starts_with(recorded_under) || !metric.ends_with(last)) continue;
      names.insert(metric.substr(recorded_under.size(), metric.size() - recorded_under.size() - last.size()));
    }
  }
  return {names.begin(), names.end()};
}

/// A number of an attack: "inference.ATTACK.NAME".
struct InferenceColumn {
  const char *name, *head, *note;
  bool percent;
};
constexpr std::array inference_columns{
    InferenceColumn{"count_accuracy", "counts (%)", "samples whose classes were counted right", true},
    InferenceColumn{"count_guess", "guess (%)", "the same of equal counts", true},
    InferenceColumn{"mse", "MSE", "mean over the victims' samples, values between 0 and 1", false},
    InferenceColumn{"mse_class_mean", "class mean", "MSE of the mean of the class, which labels alone give", false},
    InferenceColumn{"mse_other", "other image", "MSE of another image of the class", false},
    InferenceColumn{"psnr_median", "PSNR (dB)", "median, 120 at most", false},
    InferenceColumn{"ssim", "SSIM", "mean", false},
    InferenceColumn{"recovered", "recovered (%)", "samples with an MSE below 0.001", true},
    InferenceColumn{"identified", "identified (%)", "samples that are nearest to their reconstruction in the pool",
                    true},
    InferenceColumn{"label_accuracy", "labels (%)", "reconstructions of the right class", true},
};

ReportValue column_mean(const Study& study, const SeedGroup& group, const std::string& attack,
                        const InferenceColumn& column) {
  const auto mean = mean_of(study, group, fmt::format("{}{}.{}", recorded_under, attack, column.name));
  return mean ? ReportValue(column.percent ? 100.0 * *mean : *mean) : ReportValue();
}

struct NamedError {
  const char *name, *what;
};
/// The reconstruction, and what a guess comes to.
constexpr std::array error_bars{NamedError{"mse", "reconstruction"}, NamedError{"mse_class_mean", "mean of the class"},
                                NamedError{"mse_other", "another image of the class"}};

void add_errors(const Study& study, const std::vector<std::string>& attacks, std::vector<Figure>& figures) {
  DataSet data(vega::grid_columns(study, {"inference", "what", "mse"}));
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    for (const std::string& attack : attacks) {
      for (const NamedError& bar : error_bars) {
        const auto mean = mean_of(study, group, fmt::format("{}{}.{}", recorded_under, attack, bar.name));
        if (mean) data.add(vega::grid_values(group.cell, {attack, bar.what, std::max(*mean, 1e-12)}));
      }
    }
  }
  if (data.empty()) return;
  Json spec = vega::specification();
  vega::choose_axes(spec, study, false);
  spec["width"] = {{"step", 18}};
  spec["height"] = 240;
  spec["mark"] = {{"type", "point"}, {"filled", true}, {"size", 80}, {"tooltip", true}};
  Json y = vega::channel("mse", "quantitative", "mean squared error (logarithmic)");
  y["scale"] = {{"type", "log"}};
  Json x = vega::channel("inference", "nominal", "attack");
  spec["encoding"] = {{"x", x}, {"y", y}};
  vega::colour_by(spec["encoding"], "what", "image", error_bars.size());
  if (study.rules.size() > 1) spec["encoding"]["shape"] = vega::channel("rule", "nominal", "rule");
  spec["encoding"]["tooltip"] = {vega::line("inference", "attack"), vega::line("what", "image"),
                                 vega::line("mse", "mean squared error", ".3~g")};
  figures.push_back({.id = "reconstruction-errors",
                     .title = "Reconstructions beside what labels alone give",
                     .note = "An attack that ends above the mean of the class has found less than whoever knows the "
                             "class. Mean over the victims' samples and over seeds.",
                     .spec = vega::text_of(spec),
                     .data = std::move(data)});
}

/// Pictures of a run, by name.
std::vector<std::filesystem::path> pictures_in(const StudyRun& run) {
  std::vector<std::filesystem::path> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(run.path) / "images", none)) {
    if (entry.path().extension() == ".png") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

/// Of the first run that has any.
void add_pictures(const Study& study, std::vector<Figure>& figures) {
  constexpr std::size_t most = 8;
  for (const StudyRun& run : study.runs) {
    std::vector<std::filesystem::path> files = pictures_in(run);
    if (files.empty()) continue;
    files.resize(std::min(files.size(), most));
    DataSet data({"inference", "picture"});
    for (const auto& file : files) {
      data.add({file.stem().string(), "data:image/png;base64," + base64(read_file(file))});
    }
    Json spec = vega::specification();
    spec["mark"] = {{"type", "image"}, {"width", 250}, {"height", 500}, {"aspect", true}};
    spec["encoding"] = {{"x", vega::channel("inference", "nominal", "attack and round")},
                        {"url", {{"field", "picture"}, {"type", "nominal"}}}};
    spec["width"] = {{"step", 260}};
    spec["height"] = 520;
    figures.push_back({.id = "reconstructions",
                       .title = "Victims, reconstructions and what is nearest to them",
                       .note = fmt::format("Of run {}: in each row a sample, what was claimed of it (white: nothing), "
                                           "and the other image of the class that is nearest to the claim.",
                                           run.name),
                       .spec = vega::text_of(spec),
                       .data = std::move(data)});
    return;
  }
}

}  // namespace

std::vector<Figure> reconstructions(const Study& study) {
  std::vector<Figure> figures;
  const std::vector<std::string> attacks = inference_attacks(study);
  if (attacks.empty()) return figures;
  add_pictures(study, figures);
  add_errors(study, attacks, figures);
  return figures;
}

ReportTable inference_table(const Study& study) {
  std::vector<std::string> columns{"inference"};
  for (const InferenceColumn& column : inference_columns) columns.emplace_back(column.name);
  ReportTable table{.id = "reconstruction",
                    .title = "Attacks on what updates give away",
                    .note = "In the last round with victims, mean over seeds; docs/metrics.md has the formulas.",
                    .columns = {{"rule"}, {"attack in training"}},
                    .data = DataSet(vega::grid_columns(study, columns))};
  for (const StudyAxis& axis : study.axes) table.columns.push_back({axis.name});
  table.columns.push_back({"attack on updates"});
  for (const InferenceColumn& column : inference_columns) {
    table.columns.push_back({column.head, column.percent ? ".1f" : ".3~g", column.note});
  }
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    for (const std::string& attack : inference_attacks(study)) {
      std::vector<ReportValue> values{attack};
      bool known = false;
      for (const InferenceColumn& column : inference_columns) {
        values.push_back(column_mean(study, group, attack, column));
        known = known || values.back().kind() == ReportValue::Kind::real;
      }
      if (known) table.data.add(vega::grid_values(group.cell, std::move(values)));
    }
  }
  return table;
}

}  // namespace souk
