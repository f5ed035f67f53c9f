#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "attacks/report_attack.hpp"

namespace souk {

/// A report as FLShield reads it: nothing is better or worse than 100 nats, so that a ruined model does not drown the
/// others. NaN, where a validator does not judge, stays NaN.
double as_read(double report);

/// Sum and number of the reports on each class of each proposal, of those validators who judge it.
struct ReportSums {
  std::vector<double> sums, counts;  ///< [proposals, classes]
  explicit ReportSums(std::size_t size) : sums(size, 0.0), counts(size, 0.0) {}
  void add(std::span<const double> reports);  ///< one validator's, [proposals, classes]
};

/// Reports of the validators who are no members of the group.
ReportSums benign_sums(const OwnReports& own, const AllReports& everyone);

/// Where a proposal does worst: what FLShield ranks it by.
struct Limit {
  std::size_t class_index = 0;  ///< the first of equals
  double score = 0.0;           ///< the mean there; infinite where nobody judges any class
};

/// Of one proposal, from the reports of all validators.
Limit limit_of(const ReportSums& all, std::size_t proposal, std::size_t classes);

}  // namespace souk
