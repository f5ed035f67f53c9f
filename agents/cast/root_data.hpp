#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agents/cast/population.hpp"
#include "sim/base/ids.hpp"
#include "sim/base/random.hpp"
#include "sim/data/partitioner.hpp"
#include "sim/learn/task.hpp"

namespace souk::scenario {
class Partition;
class Root;
}  // namespace souk::scenario

namespace souk {

/// Root data of one owner of a model. A type of its own: samples for validation or tests cannot take their place.
class RootSamples {
 public:
  RootSamples() = default;
  /// Samples of the training set, ascending.
  explicit RootSamples(std::vector<SampleIndex> samples) : samples_(std::move(samples)) {}
  std::span<const SampleIndex> samples() const { return samples_; }
  std::size_t size() const { return samples_.size(); }
  bool empty() const { return samples_.empty(); }
  /// This share of them, rounded up, drawn without replacement.
  RootSamples some(double share, Stream& random) const;
  /// Those of the classes chosen, [classes].
  RootSamples of_classes(const std::vector<bool>& chosen, std::span<const std::int32_t> labels) const;

 private:
  std::vector<SampleIndex> samples_;
};

/// Samples of the training set for an owner's root data, other than `reserved` (ascending); every owner has draws of
/// its own. Throws InputError where there are not enough (of a class), and where more than one bias is asked for.
RootSamples draw_root_data(const scenario::Root& config, std::span<const std::int32_t> labels, int classes,
                           std::uint64_t seed, std::size_t owner = 0, std::span<const SampleIndex> reserved = {});
/// The same of a task; one without classes has no bias to choose by.
RootSamples draw_root_data(const scenario::Root& config, const Task& task, std::uint64_t seed, std::size_t owner,
                           std::span<const SampleIndex> reserved);

/// Share of every class in these samples; empty where there are no samples, or no classes.
std::vector<double> class_shares(std::span<const SampleIndex> samples, std::span<const std::int32_t> labels,
                                 int classes);

/// Samples that nobody trains on, for choosing settings: this share of the training set, drawn from what `root`
/// (ascending) leaves; ascending. Throws InputError where no sample would be left to train on.
std::vector<SampleIndex> draw_validation_data(double fraction, std::size_t samples, std::span<const SampleIndex> root,
                                              std::uint64_t seed);

/// So many samples of every class, drawn from what `reserved` (ascending) leaves, for attackers; ascending. Throws
/// InputError where a class has too few.
std::vector<SampleIndex> draw_auxiliary_data(std::uint32_t per_class, std::span<const std::int32_t> labels, int classes,
                                             std::span<const SampleIndex> reserved, std::uint64_t seed);

/// Deals what `reserved` (ascending) leaves of the training set to the clients.
RepairedDeal deal_without(std::span<const SampleIndex> reserved, const scenario::Partition& partition,
                          const DealInput& input, std::uint64_t seed);

/// Gives every fake identity the samples of the client behind it.
void share_with_fakes(const Population& population, Deal& deal);

}  // namespace souk
