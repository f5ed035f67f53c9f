#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "analysis/results/metric_info.hpp"

namespace souk {

/// What a table shows of the values of a group of runs.
enum class Statistic : std::uint8_t { mean_deviation, mean, deviation, ci95, worst, best, median, min, max, count };

/// From "mean±std", "mean", "std", "ci95", "worst", "best", "median", "min", "max", "count". Throws InputError for
/// anything else.
Statistic parse_statistic(const std::string& text);

/// "mean ± sample standard deviation", ….
std::string words_of(Statistic statistic);

/// Numbers of one quantity as texts: shares with four decimals, others with four digits, or all of them in full.
class NumberText {
 public:
  NumberText(const MetricInfo& info, bool in_full) : share_(info.unit == "share"), in_full_(in_full) {}
  std::string operator()(double value) const;
  /// "0.8120±0.0113": both with the decimals of the first. The first alone where there is no spread (NaN).
  std::string operator()(double value, double spread) const;

 private:
  int decimals_of(double value) const;  ///< -1: in full, -2: in scientific notation
  bool share_;
  bool in_full_;
};

/// The statistic of some values, at least one. `better` tells worst from best. Throws InputError naming `quantity`
/// where neither way is better and it would matter.
std::string statistic_text(Statistic statistic, std::span<const double> values, const std::string& quantity,
                           const NumberText& number);

}  // namespace souk
