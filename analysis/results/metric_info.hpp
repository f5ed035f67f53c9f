#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace souk {

/// Which way a metric is good for the defender.
enum class Better : std::uint8_t { larger, smaller, neither };

/// How a metric or another quantity of a run is labelled and compared. Names as in docs/metrics.md and, for quantities
/// of whole runs, as in RunValues (analysis/tables/run_values.hpp).
struct MetricInfo {
  std::string title;  ///< "test accuracy"
  std::string unit;   ///< "share", "nats", "seconds", …; empty where it has none or varies
  Better better = Better::neither;
  std::string meaning = {};  ///< what a data dictionary says: mostly the title; empty for a name nobody knows
};

/// What is known about a metric. "asr.1" is "attack success rate, group 1", "buyer.rich.spent" what "spent" is, "buyer
/// rich"; a name nobody knows is its own title, and neither way is better.
MetricInfo metric_info(std::string_view name);

}  // namespace souk
