#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/data/graphs/graph_file.hpp"

namespace souk {

/// Most features that a node may have: what a file says of them is allocated for.
inline constexpr std::size_t graph_features_max = std::size_t{1} << 24;

/// One value of a node's features.
struct FeatureEntry {
  std::uint32_t column = 0;
  float value = 1.0F;
};

/// Appends a node whose features are `entries`, in any order; zeros are left out, and of a column that is named again
/// only the first. Returns how many were.
std::size_t add_node(NodeFeatures& features, std::vector<FeatureEntry>& entries);

/// Once all nodes are there: values that are all 1 take no memory.
void drop_ones(NodeFeatures& features);

/// A sparse matrix as files hold it: row i has the entries [begin[i], begin[i + 1]).
struct CsrParts {
  std::string name;  ///< for messages
  std::size_t rows = 0, width = 0;
  std::vector<std::int64_t> begin;    ///< [rows + 1]
  std::vector<std::int64_t> columns;  ///< [entries]
  std::vector<float> values;          ///< [entries]
};

/// Throws InputError unless the parts fit together, every column is below the width, and that is at most `most`.
void check_csr(const CsrParts& matrix, std::size_t most = graph_features_max);

/// The entries of a row of a checked matrix.
void copy_row(const CsrParts& matrix, std::size_t row, std::vector<FeatureEntry>& out);

/// Classes from labels that are whole numbers: those that occur, ascending. Below zero: none is known. Warns of gaps.
void take_labels(GraphFile& file, std::span<const std::int64_t> labels);

/// Classes from labels that are words or numbers, as ClassLabels orders them. Empty: none is known. Returns whether all
/// are numbers.
bool take_labels(GraphFile& file, std::span<const std::string_view> labels);

/// The whole number from 0 that a cell spells, spaces around it aside; nothing if it is none, or not below `limit`.
std::optional<std::uint64_t> parse_index(std::string_view cell, std::uint64_t limit);

/// The cells of a line between separators.
void split_cells(std::string_view line, char separator, std::vector<std::string_view>& out);

/// The finite float32 number that a cell spells. Throws InputError, naming file and line, where it is none.
float parse_feature(std::string_view cell, const std::string& path, std::size_t line);

}  // namespace souk
