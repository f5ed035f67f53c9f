#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/data/dataset.hpp"

namespace souk::scenario {
class Data;
}

namespace souk {

struct StoredGraph;

enum class Split : std::uint8_t { train, test };

/// One data set in a public format. Constructing it and asking for shapes reads no more than the format forces it to;
/// everything malformed is an InputError that names file and reason, never a crash or an absurd allocation.
class DatasetReader {
 public:
  virtual ~DatasetReader() = default;
  virtual DatasetShape shape(Split split) = 0;
  /// Fills rows [rows.begin, rows.end) of the split; `out` holds just these rows.
  virtual void read(Split split, RowRange rows, const DatasetBuffers& out) = 0;
  /// Whether disjoint row ranges may be read by different processes at a fraction of the cost each. Otherwise one
  /// process reads all rows.
  virtual bool rows_are_independent() const { return false; }
  /// The graph whose nodes are the samples; null where samples are rows. Shapes then say how many features a node has,
  /// and rows that are read have a label and no values.
  virtual const StoredGraph* graph() const { return nullptr; }
  /// Sentences for the user about what was found, such as a part that is missing but not needed. Empty: nothing odd.
  virtual std::vector<std::string> warnings() const { return {}; }
};

/// What a reader may need beyond its own message.
struct ReaderContext {
  std::uint64_t seed = 1;
  /// Most samples of each split; 0: all. For readers that have something to keep for each sample: that of any other is
  /// cut to them from outside.
  std::size_t train_limit = 0, test_limit = 0;
};

/// The reader of the source chosen in `data`, cut to its train_limit and test_limit. Throws InputError where none is
/// chosen, and on shape() where a split is empty or the set has fewer than two classes and no numbers to predict.
std::unique_ptr<DatasetReader> open_dataset(const scenario::Data& data, const ReaderContext& context);

/// Replaces every ${NAME} by the environment variable NAME. Throws InputError for an unset variable, naming it.
std::string expand_environment(const std::string& path);

}  // namespace souk
