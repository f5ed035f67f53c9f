#include "sim/data/graphs/graph_parts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "sim/base/contract.hpp"
#include "sim/data/class_labels.hpp"
#include "sim/data/class_limit.hpp"
#include "sim/data/table_columns.hpp"
#include "sim/data/text_table.hpp"

namespace souk {
namespace {

void name_classes(GraphFile& file, std::vector<std::string> names) {
  file.class_names = std::move(names);
  SOUK_REQUIRE(file.class_names.size() <= classes_max, "{}: {} different labels, must be at most {}", file.path,
               file.class_names.size(), classes_max);
  if (const std::string gaps = gaps_between(file.class_names); !gaps.empty()) {
    file.warnings.push_back(fmt::format("{}: {}", file.path, gaps));
  }
}

}  // namespace

std::size_t add_node(NodeFeatures& features, std::vector<FeatureEntry>& entries) {
  // Stable, so that the first of a column that is named again is what the file has first.
  std::ranges::stable_sort(entries, {}, &FeatureEntry::column);
  const auto repeats = std::ranges::unique(entries, {}, &FeatureEntry::column);
  const std::size_t repeated = repeats.size();
  entries.erase(repeats.begin(), repeats.end());
  for (const FeatureEntry& entry : entries) {
    if (entry.value == 0.0F) continue;
    features.columns.push_back(entry.column);
    features.values.push_back(entry.value);
  }
  features.offsets.push_back(features.columns.size());
  return repeated;
}

void drop_ones(NodeFeatures& features) {
  if (std::ranges::all_of(features.values, [](float value) { return value == 1.0F; })) features.values = {};
}

void check_csr(const CsrParts& matrix, std::size_t most) {
  SOUK_REQUIRE(matrix.width <= most, "{}: {} columns, must be at most {}", matrix.name, matrix.width, most);
  const std::size_t entries = matrix.columns.size();
  SOUK_REQUIRE(matrix.begin.size() == matrix.rows + 1, "{}: {} row pointers for {} rows, must be one more", matrix.name,
               matrix.begin.size(), matrix.rows);
  SOUK_REQUIRE(matrix.values.size() == entries, "{}: {} values for {} columns", matrix.name, matrix.values.size(),
               entries);
  SOUK_REQUIRE(
      matrix.begin.front() == 0 && std::ranges::is_sorted(matrix.begin) && std::cmp_equal(matrix.begin.back(), entries),
      "{}: its row pointers do not ascend from 0 to {}, the number of entries", matrix.name, entries);
  for (std::size_t i = 0; i < entries; ++i) {
    SOUK_REQUIRE(matrix.columns[i] >= 0 && std::cmp_less(matrix.columns[i], matrix.width),
                 "{}: entry {} is in column {} of {}", matrix.name, i, matrix.columns[i], matrix.width);
  }
}

void copy_row(const CsrParts& matrix, std::size_t row, std::vector<FeatureEntry>& out) {
  out.clear();
  for (auto i = static_cast<std::size_t>(matrix.begin[row]); std::cmp_less(i, matrix.begin[row + 1]); ++i) {
    out.push_back({static_cast<std::uint32_t>(matrix.columns[i]), matrix.values[i]});
  }
}

void take_labels(GraphFile& file, std::span<const std::int64_t> labels) {
  std::vector<std::int64_t> classes;
  std::ranges::copy_if(labels, std::back_inserter(classes), [](std::int64_t label) { return label >= 0; });
  std::ranges::sort(classes);
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  std::vector<std::string> names;
  for (const std::int64_t label : classes) names.push_back(std::to_string(label));
  name_classes(file, std::move(names));
  file.labels.clear();
  for (const std::int64_t label : labels) {
    const auto place = std::ranges::lower_bound(classes, label) - classes.begin();
    file.labels.push_back(label < 0 ? -1 : static_cast<std::int32_t>(place));
  }
}

bool take_labels(GraphFile& file, std::span<const std::string_view> labels) {
  std::vector<std::string_view> known;
  std::ranges::copy_if(labels, std::back_inserter(known), [](std::string_view label) { return !label.empty(); });
  const ClassLabels classes(known);
  name_classes(file, classes.names());
  file.labels.clear();
  for (const std::string_view label : labels) file.labels.push_back(label.empty() ? -1 : *classes.find(label));
  return classes.numbers();
}

std::optional<std::uint64_t> parse_index(std::string_view cell, std::uint64_t limit) {
  while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) cell.remove_prefix(1);
  while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) cell.remove_suffix(1);
  std::uint64_t number = 0;
  const char* const end = cell.data() + cell.size();
  const auto parsed = std::from_chars(cell.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number >= limit) return std::nullopt;
  return number;
}

void split_cells(std::string_view line, char separator, std::vector<std::string_view>& out) {
  out.clear();
  for (;;) {
    const std::size_t end = line.find(separator);
    out.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + 1);
  }
}

float parse_feature(std::string_view cell, const std::string& path, std::size_t line) {
  if (cell == "0") return 0.0F;  // most are
  const auto number = parse_number(cell);
  SOUK_REQUIRE(number && std::abs(*number) <= static_cast<double>(std::numeric_limits<float>::max()),
               "{}: line {}: {} is not a finite float32 number", path, line, quote_cell(cell));
  return static_cast<float>(*number);
}

}  // namespace souk
