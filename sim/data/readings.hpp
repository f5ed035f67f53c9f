#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "sim/base/ids.hpp"

namespace souk {

/// Features of a sample from one on that are all set to a value, in the units that networks read.
struct FeatureRun {
  std::uint32_t first = 0, count = 0;
  float value = 0.0F;
  bool operator==(const FeatureRun&) const = default;
};

/// How one training sample reads. What is not set is as the data set has it.
struct Reading {
  std::optional<std::int32_t> label{};  ///< its class
  double weight = 1.0;                  ///< its loss counts so many times
  bool held_back = false;               ///< nobody has it
  std::vector<FeatureRun> features{};   ///< set in this order
  bool operator==(const Reading&) const = default;
  bool as_stored() const { return *this == Reading{}; }
};

/// How some samples read.
using Readings = std::map<SampleIndex, Reading>;

/// The rows of a data set where some samples do not read as stored: what a Dataset shows in the place of its own.
struct RevisedRows {
  std::vector<std::int32_t> labels{};                         ///< [samples]; empty: as stored
  std::vector<float> weights{};                               ///< [samples]; empty: 1
  std::map<SampleIndex, std::vector<FeatureRun>> features{};  ///< of those whose features are set
};

class Dataset;

/// Of a data set as stored. Null where all samples read as stored, but for those held back. Contract: samples, classes
/// and features are the data set's.
std::shared_ptr<const RevisedRows> revised_rows(const Dataset& stored, const Readings& readings);

}  // namespace souk
