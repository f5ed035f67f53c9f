#include "agents/root_data.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scenarios/participants.pb.h"
#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"

namespace souk {
namespace {

/// Samples wanted of every class under bias: its share of the biased class, the rest evenly, remainders to the smaller
/// classes.
std::vector<std::size_t> quotas(const scenario::Root& config, std::size_t classes) {
  const std::size_t biased = config.bias_class();
  const auto of_biased = static_cast<std::size_t>(std::llround(config.bias() * config.samples()));
  const std::size_t rest = config.samples() - of_biased;
  std::vector<std::size_t> wanted(classes, rest / (classes - 1));
  std::size_t remainder = rest % (classes - 1);
  for (std::size_t c = 0; c < classes && remainder > 0; ++c) {
    if (c == biased) continue;
    ++wanted[c];
    --remainder;
  }
  wanted[biased] = of_biased;
  return wanted;
}

}  // namespace

std::vector<SampleIndex> draw_root_data(const scenario::Root& config, std::span<const std::int32_t> labels, int classes,
                                        std::uint64_t seed) {
  SOUK_REQUIRE(config.samples() < labels.size(), "root.samples = {}: the training set has {} samples in all",
               config.samples(), labels.size());
  SOUK_REQUIRE(config.bias_class() < static_cast<std::uint32_t>(classes), "root.bias_class = {}: there are {} classes",
               config.bias_class(), classes);
  std::vector<std::uint32_t> order(labels.size());
  std::iota(order.begin(), order.end(), 0U);
  Stream(seed, Purpose::root_data, nobody, {}).shuffle(order);
  std::vector<SampleIndex> drawn;
  if (config.bias() == 0.0) {
    drawn.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(config.samples()));
  } else {
    std::vector<std::size_t> wanted = quotas(config, static_cast<std::size_t>(classes));
    for (const std::uint32_t sample : order) {
      std::size_t& left = wanted[static_cast<std::size_t>(labels[sample])];
      if (left == 0) continue;
      --left;
      drawn.push_back(sample);
    }
    SOUK_REQUIRE(drawn.size() == config.samples(), "root.samples = {}: with root.bias = {} a class has too few samples",
                 config.samples(), config.bias());
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

std::vector<SampleIndex> draw_validation_data(double fraction, std::size_t samples, std::span<const SampleIndex> root,
                                              std::uint64_t seed) {
  const auto wanted = static_cast<std::size_t>(fraction * static_cast<double>(samples));
  if (wanted == 0) return {};
  SOUK_REQUIRE(
      wanted + root.size() < samples,
      "evaluation.validation_fraction = {}: with {} samples of the root data nothing of {} is left to train on",
      fraction, root.size(), samples);
  std::vector<SampleIndex> left;
  for (SampleIndex sample = 0; sample < samples; ++sample) {
    if (!std::binary_search(root.begin(), root.end(), sample)) left.push_back(sample);
  }
  Stream(seed, Purpose::evaluation, nobody, {}).shuffle(left);
  left.resize(wanted);
  std::sort(left.begin(), left.end());
  return left;
}

RepairedDeal deal_without(std::span<const SampleIndex> reserved, const scenario::Partition& partition,
                          const DealInput& input, std::uint64_t seed) {
  if (reserved.empty()) return deal_samples(partition, input, seed);
  std::vector<SampleIndex> left;
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> groups;
  auto next = reserved.begin();
  for (SampleIndex sample = 0; sample < input.labels.size(); ++sample) {
    if (next != reserved.end() && *next == sample) {
      ++next;
      continue;
    }
    left.push_back(sample);
    labels.push_back(input.labels[sample]);
    if (!input.groups.empty()) groups.push_back(input.groups[sample]);
  }
  DealInput rest = input;
  rest.labels = labels;
  rest.groups = groups;
  RepairedDeal dealt = deal_samples(partition, rest, seed);
  for (SampleIndex& sample : dealt.deal.samples) sample = left[sample];
  return dealt;
}

void share_with_fakes(const Population& population, Deal& deal) {
  for (auto fake = static_cast<std::uint32_t>(population.genuine()); fake < population.clients(); ++fake) {
    const auto own = deal.of(population.owner_of({fake}).value);
    const std::vector<SampleIndex> copy(own.begin(), own.end());  // `own` points into what grows
    deal.samples.insert(deal.samples.end(), copy.begin(), copy.end());
    deal.offsets.push_back(deal.samples.size());
  }
}

}  // namespace souk
