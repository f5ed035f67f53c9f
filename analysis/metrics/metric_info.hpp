#pragma once

#include <string>
#include <string_view>

#include "analysis/metrics/metric.hpp"

namespace souk {

/// How a metric or another quantity of a run is labelled and compared, whatever prefix and suffix its name has.
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
