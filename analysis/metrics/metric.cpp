#include "analysis/metrics/metric.hpp"

#include <algorithm>
#include <tuple>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Filled before main begins, in the order in which the linker found the families.
std::vector<Metric>& registered_metrics() {
  static std::vector<Metric> metrics;
  return metrics;
}

std::map<std::string_view, Metric> by_name(const std::vector<Metric>& metrics) {
  std::map<std::string_view, Metric> names;
  for (const Metric& metric : metrics) {
    const bool is_new = names.emplace(metric.name, metric).second;
    SOUK_EXPECT(is_new);
  }
  return names;
}

}  // namespace

RegisterMetrics::RegisterMetrics(std::initializer_list<Metric> family) {
  registered_metrics().insert(registered_metrics().end(), family.begin(), family.end());
}

const std::map<std::string_view, Metric>& all_metrics() {
  static const std::map<std::string_view, Metric> metrics = by_name(registered_metrics());
  return metrics;
}

const Metric* find_metric(std::string_view name) {
  const auto found = all_metrics().find(name);
  return found == all_metrics().end() ? nullptr : &found->second;
}

std::vector<std::string> metrics_shown_in(std::string_view part) {
  std::vector<std::tuple<int, std::string_view>> places;
  for (const auto& [name, metric] : all_metrics()) {
    for (const ReportPlace& place : metric.shown) {
      if (place.part == part) places.emplace_back(place.order, name);
    }
  }
  std::ranges::sort(places);
  std::vector<std::string> names;
  for (const auto& [order, name] : places) names.emplace_back(name);
  return names;
}

}  // namespace souk
