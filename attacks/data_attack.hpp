#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/base/random.hpp"
#include "sim/data/dataset.hpp"

namespace souk {

/// What a data set looks like to those who poison it.
struct DataFacts {
  int classes = 0;                            ///< 0: numbers are to be predicted
  std::array<std::size_t, 3> shape{1, 1, 1};  ///< channels, height, width; a table or text row is {columns, 1, 1}
  std::size_t vocabulary = 0;                 ///< of a text's token numbers; 0: values are quantities
  std::vector<float> shift, scale;            ///< [channels] network input = (stored - shift) * scale
  std::vector<float> low, high;               ///< [channels] least and largest value the network reads, in training
  std::vector<TableColumn> columns{};         ///< of a table's features, in their order; empty where they have no names
  float least_number = 0.0F, largest_number = 0.0F;  ///< to be predicted, scaled, in training
  std::size_t features() const { return shape[0] * shape[1] * shape[2]; }
};

/// Answers of a model that the group has at hand.
class Predictor {
 public:
  virtual ~Predictor() = default;
  /// Class probabilities [samples, classes] for scaled features [samples, features].
  virtual std::vector<float> probabilities(std::span<const float> features) = 0;
};

/// Samples to look at.
struct Samples {
  const DataFacts& facts;
  std::span<const float> features;       ///< [samples, features], scaled as the network reads them
  std::span<const std::int32_t> labels;  ///< [samples] true classes; empty where there are none
  Predictor& before;                     ///< the global model before the group first acted
  std::size_t size() const { return features.size() / facts.features(); }
  std::span<const float> features_of(std::size_t i) const {
    return features.subspan(i * facts.features(), facts.features());
  }
};

/// A mini-batch of one member on its way to the network. Only the chosen samples may be changed.
struct PoisonBatch {
  const DataFacts& facts;
  std::span<const SampleIndex> which;   ///< [samples] in the training set
  std::span<float> features;            ///< [samples, features]
  std::span<std::int32_t> labels;       ///< [samples]; empty where there are no classes
  std::span<const std::size_t> chosen;  ///< positions in the batch, ascending
  std::size_t member = 0, members = 1;  ///< which of the group's members trains: 0 … members - 1
  Predictor& now;                       ///< the global model of the round
  std::uint64_t seed = 0;               ///< for what must not change from round to round: Streams named by sample
  std::span<float> numbers{};           ///< [samples] to predict, scaled; empty where there are classes
  std::span<float> features_of(std::size_t i) const { return features.subspan(i * facts.features(), facts.features()); }
};

/// Test samples on their way to the poisoned network.
struct TriggeredBatch {
  const DataFacts& facts;
  std::span<float> features;             ///< [samples, features]; to be stamped in place
  std::span<const std::int32_t> labels;  ///< [samples] true classes
  Predictor& before;                     ///< the global model before the group first acted
  std::span<std::int32_t> goals;         ///< [samples] the class the group wants, never the true one; -1: not attacked
  std::span<float> features_of(std::size_t i) const { return features.subspan(i * facts.features(), facts.features()); }
};

/// Before training: edits the samples of malicious agents (labels, triggers). The engine decides which: an exact share
/// of the eligible samples of a member, or an exact number of each of its mini-batches.
class DataAttack {
 public:
  virtual ~DataAttack() = default;
  /// Whether it changes classes, or inputs for the sake of them; otherwise it changes numbers to predict.
  virtual bool of_classes() const { return true; }
  /// Whether it looks at classes and changes nothing else: then samples need no rows of features.
  virtual bool of_classes_alone() const { return false; }
  /// Throws InputError for settings that the data set does not allow, starting with the field: "label_flip.source = …".
  virtual void check(const DataFacts&) const {}
  /// Sentences for the user about settings that are allowed and odd. After check().
  virtual std::vector<std::string> remarks(const DataFacts&) const { return {}; }
  /// Share of the eligible samples that is poisoned where the scenario does not say.
  virtual double usual_share() const { return 1.0; }
  /// Which samples could be poisoned, [samples], 1 or 0. By default all.
  virtual std::vector<std::uint8_t> eligible(const Samples& samples) const {
    return std::vector<std::uint8_t>(samples.size(), 1);
  }
  virtual void poison(const PoisonBatch& batch, Stream& random) const = 0;
  /// Whether the group wants certain inputs to be taken for a certain class, so that its success can be measured.
  virtual bool has_goal() const { return false; }
  /// What the group does to test inputs, and what it wants them to be taken for. Contract: has_goal().
  virtual void trigger(const TriggeredBatch& batch) const;
};

}  // namespace souk
