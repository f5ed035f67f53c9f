#include <algorithm>

#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

using RunValues = std::map<std::int64_t, double>;

/// The metric of validation data that runs have.
std::string metric_of_validation(const Database& view) {
  for (const char* metric : {"validation_accuracy", "validation_r2"}) {
    if (view.integer(fmt::format("SELECT count(*) FROM metric WHERE name = '{}'", metric)) > 0) return metric;
  }
  throw_input_error(
      "no run has recorded validation_accuracy or validation_r2, by which settings are chosen: let the scenario hold "
      "samples out with evaluation.validation_fraction");
}

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

std::string text_of_worst(const Worst& worst, const NumberText& number) {
  if (!worst.outcome.is_known()) return "n/a";
  const bool diverged = worst.outcome.kind == GroupOutcome::Kind::diverged;
  return fmt::format("{} [{}]{}", diverged ? to_string(RunStatus::diverged) : number(worst.outcome.mean), worst.label,
                     worst.complete ? "" : " (incomplete)");
}

/// A choice of settings: its label and values, its cells, and what speaks for it.
struct JudgedChoice {
  std::string label;
  TableLayout::Values values;
  const FrameCells* cells = nullptr;
  Worst judged;
};

/// Chooses settings, row by row.
class Selection {
 public:
  Selection(const TableSource& source, const std::string& judged_by, const TableLayout& layout, std::string attack_axis)
      : source_(source),
        judged_by_(judged_by),
        layout_(layout),
        attack_axis_(std::move(attack_axis)),
        judged_(run_values(source.view, judged_by, source.round)) {}

  const std::string& judged_by() const { return judged_by_; }
  /// The best candidate of a row; none where no candidate has all its runs.
  std::optional<JudgedChoice> best_of(std::size_t row) {
    std::size_t most_attacks = 0;
    for (const FrameCells& cells : layout_.at[row]) most_attacks = std::max(most_attacks, attacks_of(cells));
    std::optional<JudgedChoice> best;
    for (std::size_t c = 0; c < layout_.cols.size(); ++c) {
      const FrameCells& cells = layout_.at[row][c];
      if (cells.empty()) continue;
      JudgedChoice candidate{layout_.cols[c], layout_.col_values[c], &cells, worst_of(cells, judged_, Better::larger)};
      if (!candidate.judged.complete || !candidate.judged.outcome.is_known() || attacks_of(cells) < most_attacks) {
        ++not_judged_;
      } else if (!best || is_worse(best->judged.outcome, candidate.judged.outcome, Better::larger)) {
        best = std::move(candidate);
      }
    }
    return best;
  }
  Worst worst_of(const FrameCells& cells, const RunValues& values, Better better) const {
    return worst_case(source_.frame, cells, values, attack_axis_, better);
  }
  std::size_t not_judged() const { return not_judged_; }

 private:
  std::size_t attacks_of(const FrameCells& cells) const { return split(source_.frame, cells, attack_axis_).size(); }
  const TableSource& source_;
  const std::string& judged_by_;
  const TableLayout& layout_;
  std::string attack_axis_;
  RunValues judged_;
  std::size_t not_judged_ = 0;
};

/// A worst case in CSV: the number, none where a run diverged, and whose it is.
std::vector<std::string> fields_of(const Worst& worst) {
  const bool has_number = worst.outcome.kind == GroupOutcome::Kind::value;
  return {has_number ? full_number(worst.outcome.mean) : "", worst.label};
}

/// A row of the layout: what was chosen, and the metrics' worst cases there; "n/a" without a choice.
void add_row(ResultTable& table, const TableSource& source, const TableShape& shape, const TableLayout& layout,
             const std::vector<std::string>& axes, Selection& selection, std::size_t row) {
  const std::optional<JudgedChoice> choice = selection.best_of(row);
  const Worst none;
  const Worst& judged = choice ? choice->judged : none;
  std::vector<std::string>& texts = table.rows.emplace_back();
  texts = {layout.rows[row], choice ? choice->label : "n/a",
           text_of_worst(judged, NumberText(metric_info(selection.judged_by()), source.percent))};
  for (const std::string& metric : shape.metrics) {
    const MetricInfo info = metric_info(metric);
    SOUK_REQUIRE(info.better != Better::neither, "neither more nor less '{}' is better: it has no worst case", metric);
    const RunValues values = run_values(source.view, metric, source.round);
    const Worst worst = choice ? selection.worst_of(*choice->cells, values, info.better) : none;
    texts.push_back(text_of_worst(worst, NumberText(info, source.percent)));
    const TableLayout::Values chosen = choice ? choice->values : TableLayout::Values(axes.size());
    const RunGroup group = choice ? collect(*choice->cells, values) : RunGroup{};
    table.tidy.rows.push_back(concatenated(
        {{metric}, layout.row_values[row], chosen, fields_of(judged), fields_of(worst), count_fields(group)}));
  }
}

}  // namespace

ResultTable selection_table(const TableSource& source, const TableShape& shape, const std::vector<std::string>& axes,
                            const std::string& attack_axis) {
  SOUK_REQUIRE(std::ranges::find(axes, attack_axis) == axes.end(),
               "--select {0}: settings are chosen by their worst case over {0}, which cannot itself be chosen; name "
               "another column of the worst case with --worst-over",
               attack_axis);
  const std::string judged_by = metric_of_validation(source.view);
  const TableLayout layout = lay_out(source.frame, shape.rows, axes);
  Selection selection(source, judged_by, layout, attack_axis);
  ResultTable table{.title = fmt::format("{} chosen on validation data", joined_columns(axes)),
                    .header = {joined_columns(shape.rows), joined_columns(axes), judged_by},
                    .rows = {},
                    .notes = {}};
  table.header.insert(table.header.end(), shape.metrics.begin(), shape.metrics.end());
  table.tidy.header =
      concatenated({{"metric"},
                    shape.rows,
                    axes,
                    {judged_by, fmt::format("{}_worst_{}", judged_by, attack_axis), "mean", "worst_" + attack_axis},
                    count_columns()});
  for (std::size_t r = 0; r < layout.rows.size(); ++r) {
    add_row(table, source, shape, layout, axes, selection, r);
  }
  table.notes.push_back(
      fmt::format("For each row the {} whose worst case over {} of the mean {} is best; then the worst case of each "
                  "metric at it, with its {} in brackets. The first one wins ties.",
                  joined_columns(axes), attack_axis, judged_by, attack_axis));
  if (selection.not_judged() > 0) {
    table.notes.push_back(fmt::format("Choices not judged, because not all their runs are done or they lack an {}: {}.",
                                      attack_axis, selection.not_judged()));
  }
  std::vector<std::string> aside = axes;
  aside.push_back(attack_axis);
  for (std::string& note : notes_about(source, layout, aside)) table.notes.push_back(std::move(note));
  return table;
}

}  // namespace souk
