#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// Which way a metric is good for the defender.
enum class Better : std::uint8_t { larger, smaller, neither };

/// Where the report shows a metric of its own accord, if runs have it.
struct ReportPlace {
  std::string_view part;  ///< a section by its id ("curves"), or one of parts_beside_sections
  int order = 0;          ///< among the metrics of the part, ascending; numbers lie apart for others to come between
};

/// What a family says about a metric, or about another quantity of runs that can be asked for by name.
struct Metric {
  std::string_view name;   ///< as in docs/metrics.md
  std::string_view title;  ///< "test accuracy": what it is, in the words of axes, heads of tables and data dictionaries
  std::string_view unit = {};  ///< "share", "nats", "seconds", …; empty where it has none or varies
  Better better = Better::neither;
  std::string_view variant = {};  ///< what a suffix adds to the title: "asr.1" is "…, group 1"; empty: takes none
  bool of_each_class = false;     ///< recorded for single classes, which are named by the suffix
  bool of_each_round = false;     ///< counted anew in every round, so that their mean stands for a run, not the last
  bool of_attacks = false;        ///< recorded by attacks, as "attack.GROUP.NAME"
  bool of_named = false;          ///< recorded under a name: "edges.auc" as "edges.ATTACK.auc"
  std::vector<ReportPlace> shown = {};
  /// Of whole runs, which record no rows of it: (run, value) in SQL, over the merged view. One that is `of_buyers` asks
  /// for one of them: over `buyer`, the accounts of that buyer, and `attacked`, runs with attackers.
  std::string_view query = {};
  bool of_buyers = false;
};

/// A static one at the end of a family's file enters its metrics. Texts must live as long as the program.
struct RegisterMetrics {
  RegisterMetrics(std::initializer_list<Metric> family);
};

/// Everything registered, by name. Contract: no name was registered twice.
const std::map<std::string_view, Metric>& all_metrics();

/// Null for a name that nobody registered.
const Metric* find_metric(std::string_view name);

/// The metrics of a part of the report, in their order there.
std::vector<std::string> metrics_shown_in(std::string_view part);

/// Parts of the report that are no sections: the first screen about a single run, the table of buyers, and the curves
/// in the page of a run.
inline constexpr std::string_view parts_beside_sections[] = {"overview", "buyers", "run_page"};

}  // namespace souk
