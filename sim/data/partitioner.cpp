#include "sim/data/partitioner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <utility>

#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

void check_input(const DealInput& input) {
  SOUK_REQUIRE(input.agents > 0, "partition: there are no clients to deal samples to");
  SOUK_REQUIRE(input.samples() > 0, "partition: there are no samples to deal");
  SOUK_EXPECT(input.groups.empty() || input.groups.size() == input.samples());
  SOUK_EXPECT(input.labels.size() == (input.classes > 0 ? input.samples() : 0));
  for (const std::int32_t label : input.labels) SOUK_EXPECT(label >= 0 && label < input.classes);
}

// An agent that can give samples away; the largest first, of equal ones the smaller id.
struct Donor {
  std::uint64_t samples;
  std::uint32_t agent;
  bool operator<(const Donor& other) const {
    return samples != other.samples ? samples < other.samples : agent > other.agent;
  }
};

// Moves single samples, drawn at random from the currently largest agent, to those below the minimum.
// O(moved log agents + samples).
RepairedDeal repair(Deal deal, std::size_t samples, std::size_t minimum, Stream& random) {
  std::vector<std::uint32_t> owner(samples, no_owner);
  std::priority_queue<Donor> donors;
  std::size_t missing = 0, spare = 0;
  for (std::uint32_t agent = 0; agent < deal.agents(); ++agent) {
    const std::size_t held = deal.of(agent).size();
    for (const SampleIndex sample : deal.of(agent)) owner[sample] = agent;
    if (held > minimum) donors.push({held, agent});
    (held > minimum ? spare : missing) += held > minimum ? held - minimum : minimum - held;
  }
  if (missing == 0) return {std::move(deal), 0};
  SOUK_REQUIRE(missing <= spare,
               "partition.min_samples = {}: the deal leaves too few samples to give that many to all "
               "{} clients",
               minimum, deal.agents());
  for (std::uint32_t agent = 0; agent < deal.agents(); ++agent) {
    for (std::size_t held = deal.of(agent).size(); held < minimum; ++held) {
      const Donor donor = donors.top();
      donors.pop();
      // The donor's samples not yet given away are the first donor.samples of its part.
      SampleIndex* const part = deal.samples.data() + deal.offsets[donor.agent];
      const std::uint32_t drawn = random.below(static_cast<std::uint32_t>(donor.samples));
      owner[part[drawn]] = agent;
      std::swap(part[drawn], part[donor.samples - 1]);
      if (donor.samples - 1 > minimum) donors.push({donor.samples - 1, donor.agent});
    }
  }
  return {deal_by_owner(owner, deal.agents()), missing};
}

}  // namespace

RepairedDeal deal_samples(const scenario::Partition& partition, const DealInput& input, std::uint64_t seed) {
  check_input(input);
  const std::size_t minimum = partition.min_samples();
  const auto rule = PluginRegistry<Partitioner>::instance().create(partition, "rule");
  SOUK_REQUIRE(
      input.classes > 0 || !rule->by_class(),
      "partition.{}: deals by class, and the data set has numbers to predict; iid, quantity and natural do not",
      plugin_name(chosen(partition, "rule")->GetDescriptor()));
  SOUK_REQUIRE(rule->overlaps() || minimum <= input.samples() / input.agents,
               "partition.min_samples = {}: {} clients need {} samples, the data set has {}", minimum, input.agents,
               minimum * input.agents, input.samples());
  DealInput hinted = input;
  hinted.min_samples = minimum;
  Stream random(seed, streams::partition());
  Deal deal = rule->deal(hinted, random);
  SOUK_EXPECT(deal.agents() == input.agents);
  if (!rule->overlaps()) return repair(std::move(deal), input.samples(), minimum, random);
  for (std::size_t agent = 0; agent < deal.agents(); ++agent) {
    SOUK_REQUIRE(deal.of(agent).size() >= minimum,
                 "partition.min_samples = {}: client {} draws {} samples; overlapping deals are not repaired", minimum,
                 agent, deal.of(agent).size());
  }
  return {std::move(deal), 0};
}

std::vector<std::uint32_t> class_table(const Deal& deal, std::span<const std::int32_t> labels, int classes) {
  const auto columns = static_cast<std::size_t>(classes);
  std::vector<std::uint32_t> table(deal.agents() * columns);
  for (std::size_t agent = 0; agent < deal.agents(); ++agent) {
    for (const SampleIndex sample : deal.of(agent)) ++table[agent * columns + static_cast<std::size_t>(labels[sample])];
  }
  return table;
}

double distance_from_iid(std::span<const std::uint32_t> table, std::size_t agents, int classes) {
  const auto columns = static_cast<std::size_t>(classes);
  SOUK_EXPECT(table.size() == agents * columns);
  std::vector<double> totals(columns);
  for (std::size_t i = 0; i < table.size(); ++i) totals[i % columns] += table[i];
  const double all = std::accumulate(totals.begin(), totals.end(), 0.0);
  if (all == 0.0) return 0.0;
  // sum_i n_i / n * 1/2 sum_c |n_ic / n_i - n_c / n|
  double distance = 0.0;
  for (std::size_t agent = 0; agent < agents; ++agent) {
    const auto row = table.subspan(agent * columns, columns);
    const double held = std::accumulate(row.begin(), row.end(), 0.0);
    for (std::size_t c = 0; c < columns; ++c) distance += std::abs(row[c] - held * totals[c] / all);
  }
  return distance / (2.0 * all);
}

}  // namespace souk
