#include "analysis/metrics/metric_info.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

namespace souk {
namespace {

MetricInfo info_of(const Metric& metric, const std::string& addition) {
  std::string title = std::string(metric.title) + addition;
  return {title, std::string(metric.unit), metric.better, title};
}

/// The name behind "PREFIX.WORD.", and WORD; nothing where it begins otherwise.
std::optional<std::pair<std::string_view, std::string_view>> behind(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::size_t dot = name.find('.', prefix.size());
  if (dot == std::string_view::npos) return std::nullopt;
  return std::pair{name.substr(dot + 1), name.substr(prefix.size(), dot - prefix.size())};
}

}  // namespace

MetricInfo metric_info(std::string_view name) {
  if (const Metric* metric = find_metric(name)) return info_of(*metric, "");
  const std::string unknown(name);
  if (name.starts_with("rule.")) return {unknown, "", Better::neither, "diagnostic of the aggregation rule"};
  if (const auto rest = behind("attack.", name)) {
    const Metric* metric = find_metric(rest->first);
    if (metric != nullptr && metric->of_attacks) return info_of(*metric, fmt::format(", group {}", rest->second));
    return {unknown, "", Better::neither, fmt::format("what attacker group {} says of its work", rest->second)};
  }
  for (const std::string_view family : {"edges.", "inference.", "unlearning."}) {
    const auto rest = behind(family, name);
    if (!rest) continue;
    const Metric* metric = find_metric(fmt::format("{}{}", family, rest->first));
    if (metric != nullptr && metric->of_named) return info_of(*metric, fmt::format(", {}", rest->second));
    return {unknown, "", Better::neither, fmt::format("what {} says of its work", rest->second)};
  }
  if (const auto rest = behind("buyer.", name)) {
    MetricInfo info = metric_info(rest->first);
    for (std::string* text : {&info.title, &info.meaning}) {
      if (!text->empty()) *text += fmt::format(", buyer {}", rest->second);
    }
    return info;
  }
  const std::size_t dot = name.find('.');
  const Metric* metric = find_metric(name.substr(0, dot));
  if (dot == std::string_view::npos || metric == nullptr || metric->variant.empty())
    return {unknown, "", Better::neither};
  return info_of(*metric, fmt::format(fmt::runtime(metric->variant), name.substr(dot + 1)));
}

}  // namespace souk
