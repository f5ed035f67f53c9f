#include <algorithm>

#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

using RunValues = std::map<std::int64_t, double>;
constexpr const char* judged_by = "validation_accuracy";

struct Worst {
  std::string label;
  GroupOutcome outcome;
  bool complete = false;  ///< all runs are done or diverged
};

/// Worst case of the means over an axis; values without any outcome, such as attacks without a goal, are passed over.
Worst worst_case(const Frame& frame, const FrameCells& cells, const RunValues& values, const std::string& axis,
                 Better better) {
  Worst worst{.label = {}, .outcome = {}, .complete = true};
  for (const auto& [label, part] : split(frame, cells, axis)) {
    const RunGroup group = collect(part, values);
    const GroupOutcome outcome = outcome_of(group);
    worst.complete = worst.complete && group.settled();
    if (outcome.is_known() && (!worst.outcome.is_known() || is_worse(outcome, worst.outcome, better))) {
      worst.label = label;
      worst.outcome = outcome;
    }
  }
  return worst;
}

std::string text_of(const Worst& worst, const NumberText& number) {
  if (!worst.outcome.is_known()) return "n/a";
  const bool diverged = worst.outcome.kind == GroupOutcome::Kind::diverged;
  return fmt::format("{} [{}]{}", diverged ? "diverged" : number(worst.outcome.mean), worst.label,
                     worst.complete ? "" : " (incomplete)");
}

/// A choice of settings: its label, its cells, and what speaks for it.
struct Candidate {
  std::string label;
  const FrameCells* cells = nullptr;
  Worst judged;
};

/// The best of the candidates of a row; none where no candidate has all its runs.
std::optional<Candidate> best_of_row(const TableSource& source, const TableLayout& layout, std::size_t row,
                                     const RunValues& judged, const std::string& attack_axis, std::size_t& incomplete) {
  std::optional<Candidate> best;
  for (std::size_t c = 0; c < layout.cols.size(); ++c) {
    const FrameCells& cells = layout.at[row][c];
    if (cells.empty()) continue;
    Candidate candidate{layout.cols[c], &cells, worst_case(source.frame, cells, judged, attack_axis, Better::larger)};
    if (!candidate.judged.complete || !candidate.judged.outcome.is_known()) {
      ++incomplete;
      continue;
    }
    if (!best || is_worse(best->judged.outcome, candidate.judged.outcome, Better::larger)) best = std::move(candidate);
  }
  return best;
}

}  // namespace

ResultTable selection_table(const TableSource& source, const TableShape& shape, const std::vector<std::string>& axes,
                            const std::string& attack_axis) {
  SOUK_REQUIRE(source.view.integer("SELECT count(*) FROM metric WHERE name = 'validation_accuracy'") > 0,
               "no run has recorded validation_accuracy, by which settings are chosen: let the scenario hold samples "
               "out with evaluation.validation_fraction");
  const TableLayout layout = lay_out(source.frame, shape.rows, axes);
  const RunValues judged = run_values(source.view, judged_by, source.round);
  const NumberText share(metric_info(judged_by), source.numbers_in_full);
  ResultTable table{.title = fmt::format("{} chosen on validation data", joined_columns(axes)),
                    .header = {joined_columns(shape.rows), joined_columns(axes), judged_by},
                    .rows = {},
                    .notes = {}};
  for (const std::string& metric : shape.metrics) {
    SOUK_REQUIRE(metric_info(metric).better != Better::neither,
                 "neither more nor less '{}' is better: it has no worst case", metric);
    table.header.push_back(metric);
  }
  std::size_t incomplete = 0;
  for (std::size_t r = 0; r < layout.rows.size(); ++r) {
    const auto best = best_of_row(source, layout, r, judged, attack_axis, incomplete);
    std::vector<std::string> row{layout.rows[r], best ? best->label : "n/a",
                                 best ? text_of(best->judged, share) : "n/a"};
    for (const std::string& metric : shape.metrics) {
      if (!best) {
        row.emplace_back("n/a");
        continue;
      }
      const MetricInfo info = metric_info(metric);
      const RunValues values = run_values(source.view, metric, source.round);
      row.push_back(text_of(worst_case(source.frame, *best->cells, values, attack_axis, info.better),
                            NumberText(info, source.numbers_in_full)));
    }
    table.rows.push_back(std::move(row));
  }
  table.notes.push_back(
      fmt::format("For each row the {} whose worst case over {} of the mean {} is best; then the worst case of each "
                  "metric at it, with its {} in brackets. The first one wins ties.",
                  joined_columns(axes), attack_axis, judged_by, attack_axis));
  if (incomplete > 0) {
    table.notes.push_back(fmt::format("{} choices were not judged because runs of theirs are not done.", incomplete));
  }
  std::vector<std::string> aside = axes;
  aside.push_back(attack_axis);
  for (std::string& note : notes_about(source, layout, aside)) table.notes.push_back(std::move(note));
  return table;
}

}  // namespace souk
