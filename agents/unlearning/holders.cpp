#include "agents/unlearning/holders.hpp"

#include <algorithm>
#include <map>

namespace souk {

std::vector<DealtUnits> holders_of(const Federation& federation, const Forgotten& what) {
  std::vector<DealtUnits> holders;
  for (std::uint32_t id = 0; id < federation.population().genuine(); ++id) {
    const std::vector<SampleIndex> mine = federation.validators().training_samples({id});
    DealtUnits held{{id}, {}};
    if (std::ranges::binary_search(what.clients, AgentId{id})) {
      held.units = mine;
    } else {
      std::ranges::copy_if(mine, std::back_inserter(held.units), [&](SampleIndex unit) {
        return std::ranges::binary_search(what.units, unit) || what.readings.contains(unit);
      });
    }
    if (!held.units.empty()) holders.push_back(std::move(held));
  }
  return holders;
}

std::vector<DealtUnits> holders_of_readings(const Federation& federation, const Readings& readings) {
  if (readings.empty()) return {};
  return holders_of(federation, {.clients = {}, .units = {}, .graph = {}, .readings = readings});
}

std::vector<DealtUnits> holders_without(std::span<const DealtUnits> holders, std::span<const DealtUnits> without) {
  std::vector<DealtUnits> rest;
  for (const DealtUnits& holder : holders) {
    const auto found = std::ranges::lower_bound(without, holder.client, {}, &DealtUnits::client);
    DealtUnits& part = rest.emplace_back(DealtUnits{holder.client, {}});
    if (found == without.end() || found->client != holder.client) {
      part.units = holder.units;
    } else {
      std::ranges::set_difference(holder.units, found->units, std::back_inserter(part.units));
    }
    if (part.units.empty()) rest.pop_back();
  }
  return rest;
}

bool touches_root(const Federation& federation, const Forgotten& what, std::size_t owners) {
  const auto meets = [&](std::span<const SampleIndex> samples) {
    return std::ranges::any_of(
        samples, [&](SampleIndex s) { return std::ranges::binary_search(what.units, s) || what.readings.contains(s); });
  };
  for (std::size_t i = 0; i < owners; ++i) {
    if (meets(federation.root(i).samples())) return true;
  }
  return meets(federation.validation());
}

std::vector<SampleIndex> units_of(std::span<const DealtUnits> holders) {
  std::vector<SampleIndex> units;
  for (const DealtUnits& holder : holders) units.insert(units.end(), holder.units.begin(), holder.units.end());
  std::ranges::sort(units);
  units.erase(std::ranges::unique(units).begin(), units.end());
  return units;
}

std::vector<DealtUnits> units_that_stay(const Federation& federation) {
  std::vector<DealtUnits> holders;
  for (std::uint32_t id = 0; id < federation.population().genuine(); ++id) {
    if (!federation.takes_part({id})) continue;
    holders.push_back({{id}, federation.validators().training_samples({id})});
  }
  return holders;
}

std::vector<DealtUnits> united(std::span<const DealtUnits> a, std::span<const DealtUnits> b) {
  std::map<AgentId, std::vector<SampleIndex>> all;
  for (const auto& list : {a, b}) {
    for (const DealtUnits& holder : list) {
      std::vector<SampleIndex> units;
      std::ranges::set_union(all[holder.client], holder.units, std::back_inserter(units));
      all[holder.client] = std::move(units);
    }
  }
  std::vector<DealtUnits> holders;
  for (auto& [client, units] : all) holders.push_back({client, std::move(units)});
  return holders;
}

}  // namespace souk
