#include "sim/engine/round_record.hpp"

#include <array>

#include <fmt/format.h>

#include "sim/base/error.hpp"

namespace souk {
namespace {

constexpr std::array<std::string_view, 7> outcomes{"accepted", "rejected", "outbid", "dropout",
                                                   "late",     "spare",    "invalid"};
constexpr std::array<std::string_view, 4> stops{"target", "patience", "budget", "diverged"};

}  // namespace

std::string_view to_string(SelectionOutcome outcome) { return outcomes[static_cast<std::size_t>(outcome)]; }
std::string_view to_string(Stop stop) { return stops[static_cast<std::size_t>(stop)]; }

std::optional<Stop> stop_named(std::string_view text) {
  if (text.empty()) return std::nullopt;
  for (std::size_t s = 0; s < stops.size(); ++s) {
    if (stops[s] == text) return static_cast<Stop>(s);
  }
  throw InputError(fmt::format("saved state: no run stops because of \"{}\"", text));
}

std::string text_of(const std::optional<Stop>& stop) { return stop ? std::string(to_string(*stop)) : ""; }

std::optional<double> RoundRecord::metric(const std::string& name) const {
  for (const MetricValue& candidate : metrics) {
    if (candidate.name == name && candidate.agent < 0 && candidate.label < 0) return candidate.value;
  }
  return std::nullopt;
}

}  // namespace souk
