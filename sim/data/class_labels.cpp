#include "sim/data/class_labels.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "sim/base/contract.hpp"
#include "sim/data/text_table.hpp"

namespace souk {
namespace {

constexpr double exact_integers = 9007199254740992.0;  // 2^53: beyond it doubles skip integers
constexpr std::size_t named_max = 5;

bool is_integer(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string canonical_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size() - 1));
  return (negative && text != "0" ? "-" : "") + std::string(text);
}

/// The same text for labels that are equal as numbers; any other label as it is.
std::string canonical(std::string_view label) {
  if (is_integer(label)) return canonical_integer(label);
  const auto number = parse_number(label);
  if (!number) return std::string(label);
  const bool whole = *number == std::floor(*number) && std::abs(*number) < exact_integers;
  return whole ? fmt::format("{}", static_cast<std::int64_t>(*number)) : fmt::format("{}", *number);
}

bool shorter(const std::string& a, const std::string& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

}  // namespace

ClassLabels::ClassLabels(std::span<const std::string_view> labels) {
  std::vector<std::string_view> distinct(labels.begin(), labels.end());
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::map<std::string, std::string> spelling;
  for (const std::string_view label : distinct) {
    const auto [known, is_new] = spelling.try_emplace(canonical(label), label);
    if (!is_new && shorter(std::string(label), known->second)) known->second = label;
  }
  std::vector<std::pair<std::string, std::string>> classes(spelling.begin(), spelling.end());
  numbers_ = std::ranges::all_of(classes, [](const auto& c) { return parse_number(c.second).has_value(); });
  std::ranges::sort(classes, [this](const auto& a, const auto& b) {
    if (!numbers_) return a.second < b.second;
    const double x = *parse_number(a.second), y = *parse_number(b.second);
    return x != y ? x < y : a.second < b.second;
  });
  for (auto& [key, name] : classes) {
    class_of_.emplace(key, static_cast<std::int32_t>(names_.size()));
    names_.push_back(std::move(name));
  }
}

std::optional<std::int32_t> ClassLabels::find(std::string_view label) const {
  const auto found = class_of_.find(canonical(label));
  return found == class_of_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> named_classes(std::span<const std::string> given, std::vector<std::string> found,
                                       const std::string& field) {
  if (given.empty()) return found;
  SOUK_REQUIRE(given.size() == found.size(), "{}: {} names for the {} classes of the training data ({} … {})", field,
               given.size(), found.size(), found.front(), found.back());
  std::vector<std::string> sorted(given.begin(), given.end());
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted);
  SOUK_REQUIRE(twice == sorted.end(), "{}: two classes are named \"{}\"", field, *twice);
  return {given.begin(), given.end()};
}

std::string gaps_between(std::span<const std::string> labels) {
  std::vector<std::int64_t> values;
  for (const std::string& label : labels) {
    const auto number = parse_number(label);
    if (!number || *number != std::floor(*number) || std::abs(*number) >= exact_integers) return {};
    values.push_back(static_cast<std::int64_t>(*number));
  }
  std::vector<std::string> gaps;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const std::int64_t first = values[i - 1] + 1, last = values[i] - 1;
    if (first == last) gaps.push_back(std::to_string(first));
    if (first < last) gaps.push_back(fmt::format("{} to {}", first, last));
  }
  if (gaps.empty()) return {};
  const bool more = gaps.size() > named_max;
  gaps.resize(std::min(gaps.size(), named_max));
  return fmt::format(
      "the labels have gaps: no training sample is labelled {}{}; the {} labels from {} to {} are classes 0 to {}, in "
      "this order",
      fmt::join(gaps, ", "), more ? ", …" : "", labels.size(), labels.front(), labels.back(), labels.size() - 1);
}

std::string classes_without_sample(std::span<const std::string> names, std::span<const std::int32_t> labels) {
  std::vector<bool> seen(names.size());
  for (const std::int32_t label : labels) seen[static_cast<std::size_t>(label)] = true;
  std::vector<std::string> empty;
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (!seen[c]) empty.push_back(fmt::format("\"{}\"", names[c]));
  }
  if (empty.empty()) return {};
  const std::size_t count = empty.size();
  empty.resize(std::min(count, named_max));
  return fmt::format("{} of the {} classes {} no training sample: {}{}", count, names.size(),
                     count == 1 ? "has" : "have", fmt::join(empty, ", "), count > named_max ? ", …" : "");
}

}  // namespace souk
