#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analysis/database.hpp"
#include "analysis/tables/frame.hpp"
#include "analysis/tables/groups.hpp"
#include "analysis/tables/result_table.hpp"
#include "analysis/tables/run_values.hpp"
#include "analysis/tables/statistic.hpp"

namespace souk {

/// What all tables are made from. Only runs with the status "done" enter a value; the others are marked.
struct TableSource {
  const Database& view;
  const Frame& frame;
  RoundChoice round;
  std::vector<std::string> remarks = {};  ///< on what was loaded, for the notes of every table
  bool percent = false;                   ///< shares are written as percentages
};

/// Which columns make rows and columns of a table. "metric" alone in one of them stands for the metrics.
struct TableShape {
  std::vector<std::string> rows, cols, metrics;
};

/// One table per metric, or one in all where the metrics are its rows or columns.
std::vector<ResultTable> pivot_tables(const TableSource& source, const TableShape& shape, Statistic statistic);

/// As pivot_tables, each place showing the worst of the means over the values of `axis`, and which value it is. A value
/// under which a run diverged is worse than any number.
std::vector<ResultTable> worst_tables(const TableSource& source, const TableShape& shape, const std::string& axis);

/// Per metric: ranks of the rows by their means within each column, 1 for the best, ties shared, and the mean rank.
/// Groups in which a run diverged share the last ranks; a column in which some group is unknown ranks nobody.
std::vector<ResultTable> rank_tables(const TableSource& source, const TableShape& shape);

/// Two values of the first row column compared over pairs of runs that agree in everything else; a line per metric, and
/// per value of the columns if there are any.
ResultTable compare_table(const TableSource& source, const TableShape& shape, const std::string& a,
                          const std::string& b);

/// Means of a metric and of a cost for each row, by ascending cost, and which rows no other dominates.
ResultTable pareto_table(const TableSource& source, const TableShape& shape, const std::string& metric,
                         const std::string& cost);

/// For each row the values of `axes` whose worst case over `attack_axis` of the mean validation_accuracy is best (the
/// protocol of ByzFL), and the worst case of the metrics at these values. The first values win ties.
ResultTable selection_table(const TableSource& source, const TableShape& shape, const std::vector<std::string>& axes,
                            const std::string& attack_axis);

/// Sentences about what the values of some groups were aggregated over, about runs that are in none, and the remarks.
std::vector<std::string> notes_about(const TableSource& source, const TableLayout& layout,
                                     const std::vector<std::string>& aside);

/// The strings of all parts, one after another.
std::vector<std::string> concatenated(const std::vector<std::vector<std::string>>& parts);

/// The label of the rows in a header: "aggregator", "aggregator / malicious".
std::string joined_columns(const std::vector<std::string>& columns);

/// "test accuracy (accuracy), in the last round that recorded it".
std::string title_of(const TableSource& source, const std::string& metric);

}  // namespace souk
