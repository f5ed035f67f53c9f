#include "attacks/reports/flshield_reports.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace souk {

double as_read(double report) {
  constexpr double largest = 100;
  return std::isnan(report) ? report : std::clamp(report, -largest, largest);
}

void ReportSums::add(std::span<const double> reports) {
  for (std::size_t k = 0; k < sums.size(); ++k) {
    if (std::isnan(reports[k])) continue;
    sums[k] += as_read(reports[k]);
    counts[k] += 1.0;
  }
}

ReportSums benign_sums(const OwnReports& own, const AllReports& everyone) {
  const std::size_t width = own.steps * own.classes;
  ReportSums benign(width);
  for (std::size_t v = 0; v < everyone.validators.size(); ++v) {
    if (std::ranges::find(everyone.rows, v) == everyone.rows.end()) benign.add(everyone.all.subspan(v * width, width));
  }
  return benign;
}

Limit limit_of(const ReportSums& all, std::size_t proposal, std::size_t classes) {
  Limit limit{.score = std::numeric_limits<double>::infinity()};
  for (std::size_t c = 0; c < classes; ++c) {
    const std::size_t k = proposal * classes + c;
    if (all.counts[k] == 0.0 || all.sums[k] / all.counts[k] >= limit.score) continue;
    limit = {.class_index = c, .score = all.sums[k] / all.counts[k]};
  }
  return limit;
}

}  // namespace souk
