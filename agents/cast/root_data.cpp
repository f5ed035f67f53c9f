#include "agents/cast/root_data.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scenarios/participants.pb.h"
#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/memory.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

/// How many samples the server takes.
std::size_t root_samples(const scenario::Root& config, std::size_t available) {
  if (config.fraction() == 0.0) {
    SOUK_REQUIRE(config.samples() < available, "root.samples = {}: the training set has {} samples in all",
                 config.samples(), available);
    return config.samples();
  }
  const auto samples = static_cast<std::size_t>(std::llround(config.fraction() * static_cast<double>(available)));
  SOUK_REQUIRE(samples > 0 && samples < available, "root.fraction = {}: takes {} of the training set's {} samples",
               config.fraction(), samples, available);
  return samples;
}

/// The setting that says how many there are, for errors.
std::string size_setting(const scenario::Root& config) {
  return config.fraction() == 0.0 ? fmt::format("root.samples = {}", config.samples())
                                  : fmt::format("root.fraction = {}", config.fraction());
}

/// Samples wanted of every class under bias: its share of the biased class, the rest evenly, remainders to the smaller
/// classes.
std::vector<std::size_t> biased_quotas(const scenario::Root& config, std::size_t samples, std::size_t classes) {
  const std::size_t biased = config.bias_class();
  const auto of_biased = static_cast<std::size_t>(std::llround(config.bias() * static_cast<double>(samples)));
  const std::size_t rest = samples - of_biased;
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

/// Samples wanted of every class where the proportions are drawn; no more than there are.
std::vector<std::size_t> dirichlet_quotas(double alpha, std::size_t samples, std::span<const std::size_t> available,
                                          Stream random) {
  std::vector<double> shares(available.size());
  random.dirichlet(std::vector<double>(available.size(), alpha), shares);
  return apportion_within(samples, shares, available);
}

std::vector<std::size_t> class_counts(std::span<const std::int32_t> labels, std::size_t classes) {
  std::vector<std::size_t> counts(classes);
  for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

/// Most samples of every class that the server takes; it takes the first ones until it has `samples`.
std::vector<std::size_t> class_quotas(const scenario::Root& config, std::size_t samples,
                                      std::span<const std::int32_t> labels, int classes, Stream random) {
  const auto count = static_cast<std::size_t>(classes);
  if (config.bias() > 0.0) return biased_quotas(config, samples, count);
  if (config.dirichlet_alpha() > 0.0) {
    return dirichlet_quotas(config.dirichlet_alpha(), samples, class_counts(labels, count), random);
  }
  std::vector<std::size_t> wanted(count, samples);
  if (config.half_classes()) std::fill(wanted.begin() + first_half(classes), wanted.end(), std::size_t{0});
  return wanted;
}

int ways_of_bias(const scenario::Root& config) {
  return (config.bias() > 0.0 ? 1 : 0) + (config.dirichlet_alpha() > 0.0 ? 1 : 0) + config.half_classes();
}

void check_bias(const scenario::Root& config, int classes) {
  SOUK_REQUIRE(config.bias_class() < static_cast<std::uint32_t>(classes), "root.bias_class = {}: there are {} classes",
               config.bias_class(), classes);
  SOUK_REQUIRE(ways_of_bias(config) <= 1, "root: of bias, dirichlet_alpha and half_classes only one can be set");
}

/// What `reserved` (ascending) leaves of some samples.
struct Remainder {
  std::vector<SampleIndex> samples;
  std::vector<std::int32_t> labels;  ///< theirs; 0 where there are no classes
};

Remainder remaining(std::span<const SampleIndex> reserved, std::size_t samples, std::span<const std::int32_t> labels) {
  Remainder left;
  auto next = reserved.begin();
  for (SampleIndex sample = 0; sample < samples; ++sample) {
    if (next != reserved.end() && *next == sample) {
      ++next;
      continue;
    }
    left.samples.push_back(sample);
    left.labels.push_back(labels.empty() ? 0 : labels[sample]);
  }
  return left;
}

/// The first ones of a random order, as far as the quotas of their classes go; ascending.
std::vector<SampleIndex> draw_from(const scenario::Root& config, std::span<const std::int32_t> labels, int classes,
                                   std::uint64_t seed, std::size_t owner) {
  const std::size_t samples = root_samples(config, labels.size());
  std::vector<std::uint32_t> order(labels.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto stream = [&](std::size_t draw) {  // two draws of each owner
    return Stream(seed, streams::root_data(owner, draw));
  };
  stream(0).shuffle(order);
  std::vector<std::size_t> wanted = class_quotas(config, samples, labels, classes, stream(1));
  std::vector<SampleIndex> drawn;
  for (const std::uint32_t sample : order) {
    std::size_t& left = wanted[static_cast<std::size_t>(labels[sample])];
    if (left == 0 || drawn.size() == samples) continue;
    --left;
    drawn.push_back(sample);
  }
  SOUK_REQUIRE(drawn.size() == samples, "{}: with {} a class has too few samples", size_setting(config),
               config.half_classes() ? "root.half_classes" : fmt::format("root.bias = {}", config.bias()));
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

/// Of what `reserved` leaves.
RootSamples draw_of_the_rest(const scenario::Root& config, std::span<const std::int32_t> labels, int classes,
                             std::uint64_t seed, std::size_t owner, std::span<const SampleIndex> reserved) {
  const Remainder left = remaining(reserved, labels.size(), labels);
  std::vector<SampleIndex> drawn = draw_from(config, left.labels, classes, seed, owner);
  for (SampleIndex& sample : drawn) sample = left.samples[sample];
  return RootSamples(std::move(drawn));
}

}  // namespace

RootSamples RootSamples::some(double share, Stream& random) const {
  std::vector<SampleIndex> order = samples_;
  random.shuffle(order);
  order.resize(static_cast<std::size_t>(std::ceil(share * static_cast<double>(order.size()))));
  std::ranges::sort(order);
  return RootSamples(std::move(order));
}

RootSamples RootSamples::of_classes(const std::vector<bool>& chosen, std::span<const std::int32_t> labels) const {
  std::vector<SampleIndex> some;
  std::ranges::copy_if(samples_, std::back_inserter(some),
                       [&](SampleIndex sample) { return chosen[static_cast<std::size_t>(labels[sample])]; });
  return RootSamples(std::move(some));
}

RootSamples draw_root_data(const scenario::Root& config, const Task& task, std::uint64_t seed, std::size_t owner,
                           std::span<const SampleIndex> reserved) {
  if (task.classes() > 0) return draw_root_data(config, task.labels(), task.classes(), seed, owner, reserved);
  SOUK_REQUIRE(ways_of_bias(config) == 0,
               "root: bias, dirichlet_alpha and half_classes choose by class, and the data set has numbers to predict");
  const std::vector<std::int32_t> of_one_kind(task.units(Split::train));
  return draw_of_the_rest(config, of_one_kind, 1, seed, owner, reserved);
}

RootSamples draw_root_data(const scenario::Root& config, std::span<const std::int32_t> labels, int classes,
                           std::uint64_t seed, std::size_t owner, std::span<const SampleIndex> reserved) {
  check_bias(config, classes);
  return draw_of_the_rest(config, labels, classes, seed, owner, reserved);
}

std::vector<double> class_shares(std::span<const SampleIndex> samples, std::span<const std::int32_t> labels,
                                 int classes) {
  if (samples.empty() || classes == 0) return {};
  std::vector<double> shares(static_cast<std::size_t>(classes));
  for (const SampleIndex sample : samples) shares[static_cast<std::size_t>(labels[sample])] += 1.0;
  for (double& share : shares) share /= static_cast<double>(samples.size());
  return shares;
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
  Stream(seed, streams::validation_data()).shuffle(left);
  left.resize(wanted);
  std::sort(left.begin(), left.end());
  return left;
}

std::vector<SampleIndex> draw_auxiliary_data(std::uint32_t per_class, std::span<const std::int32_t> labels, int classes,
                                             std::span<const SampleIndex> reserved, std::uint64_t seed) {
  if (per_class == 0) return {};
  SOUK_REQUIRE(classes > 0,
               "inference.auxiliary_per_class = {}: draws by class, and the data set has numbers to predict",
               per_class);
  Remainder left = remaining(reserved, labels.size(), labels);
  std::vector<std::uint32_t> order(left.samples.size());
  std::iota(order.begin(), order.end(), 0U);
  Stream(seed, streams::auxiliary_data()).shuffle(order);
  std::vector<std::uint32_t> drawn(static_cast<std::size_t>(classes), 0);
  std::vector<SampleIndex> samples;
  for (const std::uint32_t i : order) {
    std::uint32_t& count = drawn[static_cast<std::size_t>(left.labels[i])];
    if (count == per_class) continue;
    ++count;
    samples.push_back(left.samples[i]);
  }
  SOUK_REQUIRE(std::ranges::all_of(drawn, [&](std::uint32_t count) { return count == per_class; }),
               "inference.auxiliary_per_class = {}: a class has fewer samples that nobody else holds", per_class);
  std::ranges::sort(samples);
  SOUK_REQUIRE(samples.size() < left.samples.size(), "inference.auxiliary_per_class = {}: nothing is left to train on",
               per_class);
  return samples;
}

RepairedDeal deal_without(std::span<const SampleIndex> reserved, const scenario::Partition& partition,
                          const DealInput& input, std::uint64_t seed) {
  if (reserved.empty()) return deal_samples(partition, input, seed);
  const Remainder left = remaining(reserved, input.samples(), input.labels);
  std::vector<std::uint32_t> groups;
  if (!input.groups.empty()) {
    for (const SampleIndex sample : left.samples) groups.push_back(input.groups[sample]);
  }
  DealInput rest = input;
  if (input.classes > 0) {
    rest.labels = left.labels;
  } else {
    rest.unlabelled = left.samples.size();
  }
  rest.groups = groups;
  std::vector<NodeIndex> nodes;
  if (!input.nodes.empty()) {
    for (const SampleIndex sample : left.samples) nodes.push_back(input.nodes[sample]);
  }
  rest.nodes = nodes;
  RepairedDeal dealt = deal_samples(partition, rest, seed);
  for (SampleIndex& sample : dealt.deal.samples) sample = left.samples[sample];
  return dealt;
}

void share_with_fakes(const Population& population, Deal& deal) {
  double copies = 0.0;
  for (auto fake = static_cast<std::uint32_t>(population.genuine()); fake < population.clients(); ++fake) {
    copies += static_cast<double>(deal.of(population.owner_of({fake}).value).size());
  }
  const double needed = copies * sizeof(SampleIndex);
  SOUK_REQUIRE(
      needed <= available_memory(),
      "attacks: {} fake identities hold {:.0f} samples, which need {:.1f} GB, and this node has {:.1f} GB to give",
      population.clients() - population.genuine(), copies, needed / 1e9, available_memory() / 1e9);
  for (auto fake = static_cast<std::uint32_t>(population.genuine()); fake < population.clients(); ++fake) {
    const auto own = deal.of(population.owner_of({fake}).value);
    const std::vector<SampleIndex> copy(own.begin(), own.end());  // `own` points into what grows
    deal.samples.insert(deal.samples.end(), copy.begin(), copy.end());
    deal.offsets.push_back(deal.samples.size());
  }
}

}  // namespace souk
