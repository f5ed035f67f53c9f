#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/results/results_view.hpp"
#include "analysis/tables/tables.hpp"
#include "sim/base/error.hpp"
#include "tests/analysis/made_results.hpp"

namespace souk {

/// A made sweep with the axes aggregator, attack, further ones and seed, and its tables.
class TableWorld {
 public:
  TableWorld() : folder_(fresh_folder() / "sweep") {}

  /// A cell; without a run it never started.
  void add(const std::string& rule, const std::string& attack, int seed, std::optional<MadeRun> run,
           const std::vector<std::pair<std::string, std::string>>& further = {}) {
    MadeCell cell{fmt::format("c{}", cells_.size()), {{"aggregator", rule}, {"attack", attack}}};
    cell.coordinates.insert(cell.coordinates.end(), further.begin(), further.end());
    cell.coordinates.emplace_back("seed", std::to_string(seed));
    if (run) {
      run->rule = rule;
      run->attack = attack == "none" ? "" : attack;
      run->seed = static_cast<std::uint64_t>(seed);
      write_run(folder_ / "cells" / cell.id, *run);
    }
    cells_.push_back(std::move(cell));
  }
  /// A run that is done and ended with this accuracy.
  void add(const std::string& rule, const std::string& attack, int seed, double accuracy) {
    add(rule, attack, seed, MadeRun{.metrics = {{"accuracy", {0.0, accuracy}}}});
  }

  TableSource source(const std::string& round = "last") {
    if (!view_) {
      write_sweep(folder_, "made", cells_);
      const std::vector<std::filesystem::path> places{folder_};
      view_.emplace(ResultsView::load(places, ResultsView::Detail::federation));
      frame_.emplace(view_->database());
    }
    return {.view = view_->database(), .frame = *frame_, .round = RoundChoice::parse(round)};
  }
  Frame& frame() { return *frame_; }

 private:
  std::filesystem::path folder_;
  std::vector<MadeCell> cells_;
  std::optional<ResultsView> view_;
  std::optional<Frame> frame_;
};

/// Header and rows, one a line, fields separated by '|'.
inline std::string body_of(const ResultTable& table) {
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t c = 0; c < row.size(); ++c) text += (c > 0 ? "|" : "") + row[c];
    text += "\n";
  };
  add(table.header);
  for (const auto& row : table.rows) add(row);
  return text;
}

inline std::string notes_of(const ResultTable& table) {
  std::string text;
  for (const std::string& note : table.notes) text += note + "\n";
  return text;
}

/// The message with which `act` refuses, or "accepted".
template <class Act>
std::string refusal(Act act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

/// A run of this status that recorded an accuracy.
inline MadeRun ended(const std::string& status) { return {.metrics = {{"accuracy", {0.9}}}, .status = status}; }

}  // namespace souk
