#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/data/readings.hpp"

namespace souk {

/// How one feature value is stored.
enum class Element : std::uint8_t { u8, f32 };

/// A column of a table that is read as features: one, or one for each category.
struct TableColumn {
  std::string name;
  std::size_t number = 0;               ///< of the table's file, from 0, the columns that are no features included
  std::vector<std::string> categories;  ///< one feature each; none: the column is one numeric feature
  std::size_t width() const { return categories.empty() ? 1 : categories.size(); }
};

/// What one split of a data set looks like, known before any sample is read.
struct DatasetShape {
  std::size_t samples = 0;
  /// Channels, height, width; a table or text row is {columns, 1, 1}.
  std::array<std::size_t, 3> sample_shape{1, 1, 1};
  Element element = Element::f32;
  std::vector<std::string> class_names;  ///< at least two, unless there are numbers; size is the number of classes
  std::size_t groups = 0;                ///< number of natural groups; 0: the set names none
  std::size_t vocabulary = 0;          ///< values are token numbers below this (sim/data/vocabulary.hpp); 0: no tokens
  std::vector<TableColumn> columns{};  ///< of a table's features, in their order; empty where the set names none
  bool numbers = false;                ///< what is to be learned are numbers, and not classes
  bool graph = false;  ///< samples are nodes, whose features the graph has (sim/data/graphs/graph.hpp): rows hold none

  std::size_t features() const { return sample_shape[0] * sample_shape[1] * sample_shape[2]; }
  /// Values that a row holds.
  std::size_t row_values() const { return graph ? 0 : features(); }
};

/// Memory a reader fills. Exactly the one of u8 and f32 that the shape names is non-empty; of a graph, none.
struct DatasetBuffers {
  std::span<std::uint8_t> u8;       ///< [samples, row_values], channel-major
  std::span<float> f32;             ///< [samples, row_values]
  std::span<std::int32_t> labels;   ///< [samples], each in [0, classes); empty where there are numbers
  std::span<std::uint32_t> groups;  ///< [samples] where the shape names groups, else empty
  std::span<float> numbers{};       ///< [samples] to be predicted, finite, where the shape says so, else empty
};

/// input = (stored - shift) * scale, per channel; numbers to predict likewise.
struct Scaling {
  std::vector<float> shift;  ///< [channels]; of graphs empty where columns are as stored
  std::vector<float> scale;  ///< [channels]; likewise
  float number_shift = 0.0F, number_scale = 1.0F;
  bool rows = false;  ///< of graphs: and then a node's features are divided by the sum of their sizes
};

/// One split of a data set with classes or numbers in memory that it does not own: the ranks of a node share one copy.
/// Cheap to copy. Values are kept as stored and scaled when they are read.
class Dataset {
 public:
  Dataset() = default;
  Dataset(DatasetShape shape, DatasetBuffers buffers, Scaling scaling);

  std::size_t size() const { return shape_.samples; }
  std::size_t features() const { return shape_.features(); }
  int classes() const { return static_cast<int>(shape_.class_names.size()); }  ///< 0: numbers are to be predicted
  const DatasetShape& shape() const { return shape_; }
  const Scaling& scaling() const { return scaling_; }
  std::span<const std::int32_t> labels() const {
    return revised_ != nullptr && !revised_->labels.empty() ? std::span<const std::int32_t>(revised_->labels)
                                                            : buffers_.labels;
  }
  /// [samples] how often the loss of each counts; empty: once.
  std::span<const float> weights() const {
    return revised_ != nullptr ? std::span<const float>(revised_->weights) : std::span<const float>();
  }
  std::span<const std::uint32_t> groups() const { return buffers_.groups; }
  std::span<const float> numbers() const { return buffers_.numbers; }  ///< as stored

  /// The same rows, some of which read otherwise; null: as stored.
  Dataset revised(std::shared_ptr<const RevisedRows> rows) const;

  /// Writes the scaled features of `which` into out [which, features]. Contract: samples are no nodes of a graph.
  void copy_features(std::span<const SampleIndex> which, std::span<float> out) const;
  /// Writes the scaled numbers of `which` into out [which]. Contract: there are numbers.
  void copy_numbers(std::span<const SampleIndex> which, std::span<float> out) const;

 private:
  DatasetShape shape_;
  DatasetBuffers buffers_;
  Scaling scaling_;
  std::shared_ptr<const RevisedRows> revised_;
};

/// Scaling fitted on a training split: per channel, and of the numbers to predict, zero mean and unit variance; what is
/// constant gets scale 1. Exact integer sums for bytes, double sums in sample order for floats. Changes nothing of
/// graphs.
Scaling fit_standard_scaling(const DatasetShape& shape, const DatasetBuffers& training);

/// Scaling that divides bytes by 255 and leaves floats as they are.
Scaling unit_scaling(const DatasetShape& shape);

/// Scaling that changes nothing.
Scaling raw_scaling(const DatasetShape& shape);

}  // namespace souk
