#include "analysis/tables/statistic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "sim/base/contract.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

struct Named {
  Statistic statistic;
  std::string_view name, words;
};

constexpr std::array statistic_names{
    Named{Statistic::mean_deviation, "mean±std", "mean ± sample standard deviation over seeds"},
    Named{Statistic::mean, "mean", "mean"},
    Named{Statistic::deviation, "std", "sample standard deviation over seeds"},
    Named{Statistic::ci95, "ci95", "mean ± half width of its 95 % confidence interval over seeds (Student's t)"},
    Named{Statistic::worst, "worst", "worst run"},
    Named{Statistic::best, "best", "best run"},
    Named{Statistic::median, "median", "median"},
    Named{Statistic::min, "min", "smallest"},
    Named{Statistic::max, "max", "largest"},
    Named{Statistic::count, "count", "number of runs"},
};

}  // namespace

Statistic parse_statistic(const std::string& text) {
  std::string list;
  for (const Named& named : statistic_names) {
    if (named.name == text) return named.statistic;
    list += fmt::format("{}{}", list.empty() ? "" : ", ", named.name);
  }
  throw_input_error("there is no statistic '{}'; there are {}", text, list);
}

std::string words_of(Statistic statistic) {
  return std::string(std::ranges::find(statistic_names, statistic, &Named::statistic)->words);
}

int NumberText::decimals_of(double value) const {
  if (share_) return scale_ == 1.0 ? 4 : 2;
  const double size = std::fabs(value);
  if (size == 0.0) return 0;
  if (size >= 1e7 || size < 1e-4) return -1;
  return std::clamp(3 - static_cast<int>(std::floor(std::log10(size))), 0, 7);
}

std::string NumberText::operator()(double value) const {
  value *= scale_;
  const int decimals = decimals_of(value);
  return decimals == -1 ? fmt::format("{:.3e}", value) : fmt::format("{:.{}f}", value, decimals);
}

std::string NumberText::operator()(double value, double spread) const {
  if (std::isnan(spread)) return (*this)(value);
  value *= scale_;
  spread *= scale_;
  const int decimals = decimals_of(value);
  if (decimals == -1) return fmt::format("{:.3e}±{:.1e}", value, spread);
  return fmt::format("{:.{}f}±{:.{}f}", value, decimals, spread, decimals);
}

std::string full_number(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

std::vector<std::string> statistic_columns(Statistic statistic) {
  if (statistic == Statistic::mean_deviation) return {"mean", "std"};
  if (statistic == Statistic::ci95) return {"mean", "ci_low", "ci_high"};
  return {std::string(std::ranges::find(statistic_names, statistic, &Named::statistic)->name)};
}

std::vector<double> statistic_numbers(Statistic statistic, std::span<const double> values,
                                      std::span<const double> seed_effects, const std::string& quantity) {
  const Summary summary = summarise(values);
  const Summary spread = summarise(seed_effects);
  const Better better = metric_info(quantity).better;
  const bool directed = statistic == Statistic::worst || statistic == Statistic::best;
  SOUK_REQUIRE(!directed || better != Better::neither,
               "neither more nor less '{}' is better: it has no worst and no best; use min or max", quantity);
  switch (statistic) {
    case Statistic::mean_deviation:
      return {summary.mean, spread.deviation};
    case Statistic::mean:
      return {summary.mean};
    case Statistic::deviation:
      return {spread.deviation};
    case Statistic::ci95:
      return {summary.mean, summary.mean - spread.ci95, summary.mean + spread.ci95};
    case Statistic::worst:
      return {better == Better::larger ? summary.min : summary.max};
    case Statistic::best:
      return {better == Better::larger ? summary.max : summary.min};
    case Statistic::median:
      return {summary.median};
    case Statistic::min:
      return {summary.min};
    case Statistic::max:
      return {summary.max};
    case Statistic::count:
      break;
  }
  return {static_cast<double>(summary.count)};
}

std::string statistic_text(Statistic statistic, std::span<const double> numbers, const NumberText& number) {
  if (statistic == Statistic::count) return fmt::format("{}", numbers[0]);
  if (statistic == Statistic::mean_deviation) return number(numbers[0], numbers[1]);
  if (statistic == Statistic::ci95) return number(numbers[0], 0.5 * (numbers[2] - numbers[1]));
  return std::isnan(numbers[0]) ? "n/a" : number(numbers[0]);
}

}  // namespace souk
