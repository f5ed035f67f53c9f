#include "analysis/tables/seed_effects.hpp"

#include <map>

#include "sim/stats/summary.hpp"

namespace souk {

std::vector<double> seed_effects(std::span<const SeededValue> values) {
  std::map<std::string, std::vector<double>> of_setting, of_seed;
  for (const SeededValue& one : values) of_setting[one.setting].push_back(one.value);
  std::map<std::string, double> mean;
  for (const auto& [setting, own] : of_setting) mean[setting] = summarise(own).mean;
  for (const SeededValue& one : values) of_seed[one.seed].push_back(one.value - mean[one.setting]);
  std::vector<double> effects;
  for (const auto& [seed, distances] : of_seed) effects.push_back(summarise(distances).mean);
  return effects;
}

}  // namespace souk
