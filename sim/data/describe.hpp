#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/data/dataset.hpp"

namespace souk {

/// Stored values of one channel, over all samples of a split.
struct ChannelSummary {
  double min = 0.0, max = 0.0, mean = 0.0, std = 0.0;
};

struct SplitSummary {
  std::string name;  ///< "train", "test", of a graph "validation", or what a lone file holds
  std::size_t samples = 0;
  std::vector<std::uint64_t> class_counts;  ///< [classes]; empty where the file has no labels
  std::vector<ChannelSummary> channels;     ///< [channels]; empty where the file has no features or its texts' tokens
};

/// What a graph looks like whose nodes are the samples.
struct GraphSummary {
  std::size_t nodes = 0, edges = 0;
  std::size_t largest_degree = 0;
  std::size_t features = 0, feature_entries = 0;
  std::size_t judged_edges = 0;  ///< both of whose ends have a class
  std::size_t edges_within = 0;  ///< of these, those within a class
};

/// What is found at a path.
struct DatasetSummary {
  std::string format;  ///< such as "IDX directory"
  std::string path;
  DatasetShape shape;  ///< of the training split; of the file, where it is only one of several
  std::vector<SplitSummary> splits;
  std::vector<std::string> remarks;  ///< what was decided about it, and why
  std::vector<std::string> warnings;
  std::string snippet;  ///< `data { … }` for a scenario; empty where the file alone is no data set
  std::optional<GraphSummary> graph{};

  /// Everything as lines of text.
  std::string text() const;
};

/// Recognises and reads a data set: whatever a format's recogniser knows (sim/data/recognition.hpp), and single IDX and
/// .npy files. `label`: column of the class, where it has columns; empty: find one. Reads all of it into memory. Throws
/// InputError where nothing is recognised or what is there is malformed.
DatasetSummary describe_path(const std::string& path, const std::string& label = {});

}  // namespace souk
