#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/base/random.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk::scenario {
class Partition;
}

namespace souk {

/// Who holds which training samples: agent i holds samples[offsets[i] .. offsets[i + 1]), ascending.
/// Compact on purpose: 100,000 clients cost 8 bytes each beside 4 bytes per sample.
struct Deal {
  std::vector<SampleIndex> samples;
  std::vector<std::uint64_t> offsets;  ///< [agents + 1]

  std::size_t agents() const { return offsets.size() - 1; }
  std::span<const SampleIndex> of(std::size_t agent) const {
    return std::span(samples).subspan(offsets[agent], offsets[agent + 1] - offsets[agent]);
  }
};

/// What a rule deals from.
struct DealInput {
  std::span<const std::int32_t> labels;   ///< [samples], or empty where there are no classes
  std::span<const std::uint32_t> groups;  ///< [samples], or empty where the data set names none
  int classes = 0;
  std::size_t agents = 0;
  std::size_t min_samples = 0;             ///< a hint for rules that can honour it by themselves
  std::span<const double> reference = {};  ///< [classes] class proportions of the root data, or empty: there are none
  std::size_t unlabelled = 0;              ///< samples, where there are no classes
  const SparseRows* edges = nullptr;       ///< of the graph whose nodes samples are; null: they are none
  const SparseRows* features = nullptr;    ///< likewise, of its nodes
  std::span<const NodeIndex> nodes = {};   ///< [samples] node of each, where they are
  std::size_t samples() const { return classes > 0 ? labels.size() : unlabelled; }
};

/// Deals samples to agents. Every rank computes the whole deal, so no rank has to be told.
class Partitioner {
 public:
  virtual ~Partitioner() = default;
  /// Assigns samples to agents; may leave samples out only where equal sizes force it to.
  virtual Deal deal(const DealInput& input, Stream& random) const = 0;
  /// Whether it deals by class: a data set without classes is then refused.
  virtual bool by_class() const { return true; }
  /// Whether agents may share samples.
  virtual bool overlaps() const { return false; }
};

/// A deal after repair: every agent holds at least the asked number of samples.
struct RepairedDeal {
  Deal deal;
  std::size_t moved = 0;  ///< samples moved from the largest agents to those below the minimum
};

/// Runs the chosen rule and honours min_samples: moves samples, one at a time, from the currently largest agent (ties:
/// smaller id) to agents below the minimum. Throws InputError when samples < agents * min_samples, or when a rule
/// cannot do what it is asked to (its message says why).
RepairedDeal deal_samples(const scenario::Partition& partition, const DealInput& input, std::uint64_t seed);

/// Counts [agents x classes], row-major.
std::vector<std::uint32_t> class_table(const Deal& deal, std::span<const std::int32_t> labels, int classes);

/// Mean over agents (weighted by samples) of the total variation distance between an agent's class distribution and
/// that of all dealt samples: 0 is iid, towards 1 - 1/classes one class each.
double distance_from_iid(std::span<const std::uint32_t> table, std::size_t agents, int classes);

}  // namespace souk
