#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/figures.hpp"
#include "analysis/report/report.hpp"
#include "analysis/results/results_view.hpp"
#include "tests/analysis/made_results.hpp"

namespace souk {

inline ResultsView view_of(const std::filesystem::path& directory) {
  const std::vector<std::filesystem::path> places{directory};
  return ResultsView::load(places, ResultsView::Detail::federation);
}

/// Rows of a figure's data that have these values, as JSON objects.
inline std::vector<nlohmann::json> rows_with(const Figure& figure, const nlohmann::json& wanted) {
  std::vector<nlohmann::json> rows;
  for (const nlohmann::json& row : nlohmann::json::parse(figure.data.to_rows_json())) {
    bool fits = true;
    for (const auto& [name, value] : wanted.items()) fits = fits && row[name] == value;
    if (fits) rows.push_back(row);
  }
  return rows;
}

inline const Figure* figure_of(const Report& report, const std::string& id) {
  const auto figures = figures_of(report);
  const auto found = std::ranges::find(figures, id, &Figure::id);
  return found == figures.end() ? nullptr : *found;
}

inline constexpr const char* odd_label = "x' || \"</script>";

/// Two rules, an attack with a label that is trouble wherever it is taken for code, two shares, two seeds. Clean cells
/// of both shares are one run; one cell is missing, one diverged.
class ReportFigures : public testing::Test {
 protected:
  ReportFigures() : folder_(fresh_folder() / "sweep") {
    for (const std::string rule : {"mean", "krum"}) {
      for (const std::string seed : {"1", "2"}) {
        for (const std::string share : {"0.1", "0.3"}) {
          add(rule + "-clean-" + seed, rule, "none", share, seed);
          add(rule + "-" + share + "-" + seed, rule, odd_label, share, seed);
        }
      }
    }
    run("mean-clean-1", {0.1, 0.90});
    run("mean-clean-2", {0.3, 0.80});
    run("krum-clean-1", {0.1, 0.70});
    run("krum-clean-2", {0.1, 0.70});
    run("mean-0.1-1", {0.2, 0.60});
    run("mean-0.1-2", {0.2, 0.50});
    run("mean-0.3-1", {0.2, 0.20});
    run("mean-0.3-2", {0.2}, "diverged");
    run("krum-0.1-1", {0.2, 0.65});
    run("krum-0.1-2", {0.2, 0.65});
    run("krum-0.3-1", {0.2, 0.65});  // krum-0.3-2 never started
    write_sweep(folder_, "grid", cells_);
    view_.emplace(view_of(folder_));
    study_ = Study::read(view_->database());
  }
  void add(const std::string& id, const std::string& rule, const std::string& attack, const std::string& share,
           const std::string& seed) {
    cells_.push_back({id, {{"aggregator", rule}, {"attack", attack}, {"share", share}, {"seed", seed}}});
  }
  void run(const std::string& id, const std::vector<double>& accuracies, const std::string& status = "done") const {
    const bool clean = id.find("clean") != std::string::npos;
    write_run(folder_ / "cells" / id, {.rule = id.substr(0, 4),
                                       .attack = clean ? "" : "sign_flip",
                                       .seed = id.back() == '1' ? 1U : 2U,
                                       .metrics = {{"accuracy", accuracies}},
                                       .status = status});
  }
  std::filesystem::path folder_;
  std::vector<MadeCell> cells_;
  std::optional<ResultsView> view_;
  Study study_;
};

}  // namespace souk
