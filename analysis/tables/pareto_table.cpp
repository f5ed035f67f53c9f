#include <algorithm>

#include "analysis/tables/pareto.hpp"
#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

struct Point {
  std::size_t row = 0;  ///< of the layout
  RunGroup metric, cost;
  GainAndCost at{};
};

}  // namespace

ResultTable pareto_table(const TableSource& source, const TableShape& shape, const std::string& metric,
                         const std::string& cost) {
  const MetricInfo info = metric_info(metric);
  const MetricInfo cost_info = metric_info(cost);
  SOUK_REQUIRE(info.better != Better::neither, "neither more nor less '{}' is better: it has no front", metric);
  const TableLayout layout = lay_out(source.frame, shape.rows, {});
  const auto values = run_values(source.view, metric, source.round);
  const auto costs = run_values(source.view, cost, source.round);
  std::vector<Point> points;
  std::vector<Point> without;
  for (std::size_t r = 0; r < layout.rows.size(); ++r) {
    Point point{r, collect(layout.at[r][0], values), collect(layout.at[r][0], costs), {}};
    const bool complete = outcome_of(point.metric).kind == GroupOutcome::Kind::value &&
                          outcome_of(point.cost).kind == GroupOutcome::Kind::value;
    if (complete) {
      const double gain = summarise(point.metric.values).mean;
      const double price = summarise(point.cost.values).mean;
      point.at = {info.better == Better::larger ? gain : -gain, cost_info.better == Better::larger ? -price : price};
    }
    (complete ? points : without).push_back(std::move(point));
  }
  std::ranges::stable_sort(points, {}, [](const Point& point) { return point.at.cost; });
  std::vector<GainAndCost> at;
  for (const Point& point : points) at.push_back(point.at);
  const std::vector<bool> front = pareto_front(at);

  const NumberText number(info, source.percent);
  const NumberText cost_number(cost_info, source.percent);
  ResultTable table{.title = fmt::format("{} against {}", title_of(source, metric), title_of(source, cost)),
                    .header = {joined_columns(shape.rows), metric, cost, "on the front"},
                    .rows = {},
                    .notes = {"Means. On the front: no other row is at least as good in both and better in one."}};
  const auto text_of = [](const RunGroup& group, const NumberText& text) {
    if (group.values.empty()) return group.substitute();
    const std::string mark = group.mark();
    return text(summarise(group.values).mean) + (mark.empty() ? "" : " (" + mark + ")");
  };
  table.tidy.header = concatenated({shape.rows, {metric, cost, "on_front"}, count_columns()});
  const auto mean_of = [](const RunGroup& group) { return full_number(summarise(group.values).mean); };
  const auto add = [&](const Point& point, const char* text, const char* field) {
    table.rows.push_back(
        {layout.rows[point.row], text_of(point.metric, number), text_of(point.cost, cost_number), text});
    table.tidy.rows.push_back(concatenated({layout.row_values[point.row],
                                            {mean_of(point.metric), mean_of(point.cost), field},
                                            count_fields(point.metric)}));
  };
  for (std::size_t i = 0; i < points.size(); ++i) add(points[i], front[i] ? "yes" : "no", front[i] ? "1" : "0");
  for (const Point& point : without) add(point, "-", "");
  if (!without.empty()) {
    table.notes.emplace_back("Rows in which a run diverged, or that have no value, are on no front (-).");
  }
  for (std::string& note : notes_about(source, layout, {})) table.notes.push_back(std::move(note));
  return table;
}

}  // namespace souk
