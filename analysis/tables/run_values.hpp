#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analysis/database.hpp"
#include "analysis/results/results_view.hpp"

namespace souk {

/// Which of a metric's values over the rounds stands for a run.
struct RoundChoice {
  enum class Kind : std::uint8_t { last, at, max, min, mean, mean_of_last, usual };
  Kind kind = Kind::last;
  std::uint32_t number = 0;  ///< round of `at`; how many rounds that recorded the metric of `mean_of_last`

  /// "usual", "last", "max", "min", "mean", a round, or "last:K". Throws InputError for anything else.
  static RoundChoice parse(const std::string& text);
  /// What the usual choice is for a metric: the mean over the rounds for what is counted anew in each of them, as tpr
  /// and tnr, which say little of a run by one round; else the last. Any other choice is itself.
  RoundChoice of(const std::string& metric) const;
  /// "in the last round that recorded it", …. Contract: not the usual one.
  std::string words() const;
};

/// One number per run, for runs that have one. `quantity` is a metric of the whole federation, of one class
/// ("class_accuracy.3"), or of the whole run, computed by its Metric::query (and then `choice` does not matter):
/// seconds, bytes, malicious_income_share, …; of shares of attackers, those of the server or first buyer ("buyer.b.…":
/// of its rival b), which runs without attackers do not have. Values that do not exist are no values. Throws InputError
/// for a name that no run has recorded, or a round that none reached, if any is done.
std::map<std::int64_t, double> run_values(const Database& view, const std::string& quantity, const RoundChoice& choice);

/// Whether the quantity is one of whole runs, and no metric of rounds.
bool is_of_whole_runs(const std::string& quantity);

/// The quantities, "class_accuracy" and others that every class has as one of each class: "class_accuracy.0", ….
std::vector<std::string> with_classes(const Database& view, const std::vector<std::string>& quantities);

/// Names of the buyers beside the first, over all runs.
std::vector<std::string> rivals_of(const Database& view);

/// A table in SQL of (run, buyer): the account that the buyer of this name has in each run that has it; the server or
/// first buyer has no name.
std::string accounts_of_buyer(const std::string& name);

/// How much of the runs a view must have for these quantities.
ResultsView::Detail detail_for(const std::vector<std::string>& quantities);

}  // namespace souk
