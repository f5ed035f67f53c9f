#include "sim/sweep/cost_model.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace souk {
namespace {

/// Of at least one value; of the two in the middle, the larger.
double median_of_ratios(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void refine(const std::vector<CostKind>& kinds, const std::vector<Measured>& finished, std::vector<double>& seconds) {
  using Key = std::pair<std::string, std::string>;
  std::map<Key, std::vector<double>> ratios;  // "" stands for any
  for (const auto& [run, taken] : finished) {
    if (seconds[run] <= 0.0) continue;
    const double ratio = taken / seconds[run];
    for (const Key& key : {Key{kinds[run].rule, kinds[run].attacks}, Key{kinds[run].rule, ""}, Key{"", ""}}) {
      ratios[key].push_back(ratio);
    }
  }
  std::map<Key, double> factors;
  for (const auto& [key, values] : ratios) factors[key] = median_of_ratios(values);
  for (std::size_t run = 0; run < seconds.size(); ++run) {
    for (const Key& key : {Key{kinds[run].rule, kinds[run].attacks}, Key{kinds[run].rule, ""}, Key{"", ""}}) {
      const auto factor = factors.find(key);
      if (factor == factors.end()) continue;
      seconds[run] *= factor->second;
      break;
    }
  }
}

}  // namespace souk
