#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/metrics/metric_info.hpp"

namespace souk {

/// What a table shows of the values of a group of runs.
enum class Statistic : std::uint8_t { mean_deviation, mean, deviation, ci95, worst, best, median, min, max, count };

/// From "mean±std", "mean", "std", "ci95", "worst", "best", "median", "min", "max", "count". Throws InputError for
/// anything else.
Statistic parse_statistic(const std::string& text);

/// "mean ± sample standard deviation", ….
std::string words_of(Statistic statistic);

/// Numbers of one quantity as texts: shares with four decimals, or as percentages with two, others with four digits.
class NumberText {
 public:
  NumberText(const MetricInfo& info, bool percent)
      : share_(info.unit == "share"), scale_(share_ && percent ? 100.0 : 1.0) {}
  std::string operator()(double value) const;
  /// "0.8120±0.0113": both with the decimals of the first. The first alone where there is no spread (NaN).
  std::string operator()(double value, double spread) const;

 private:
  int decimals_of(double value) const;  ///< -1: in scientific notation
  bool share_;
  double scale_;
};

/// The number with as many digits as it takes to read the same number back; empty for NaN.
std::string full_number(double value);

/// Names of the numbers that a statistic consists of: mean and std, or mean, ci_low and ci_high, or its own.
std::vector<std::string> statistic_columns(Statistic statistic);
/// These numbers of some values, at least one; NaN where there is none. Deviations and intervals are those of
/// `seed_effects` (analysis/tables/seed_effects.hpp). Throws InputError naming `quantity` where neither way is
/// better and it would matter.
std::vector<double> statistic_numbers(Statistic statistic, std::span<const double> values,
                                      std::span<const double> seed_effects, const std::string& quantity);
/// The numbers for people: "0.8120±0.0113".
std::string statistic_text(Statistic statistic, std::span<const double> numbers, const NumberText& number);

}  // namespace souk
