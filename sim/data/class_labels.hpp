#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// The classes of a data set whose files name no list of them, by one rule for all formats: the labels that occur in
/// the training data, ascending: by value where all are numbers, by their bytes otherwise. Labels that are equal as
/// numbers
/// ("0", "0.0", "+0") are one class, under its shortest spelling.
class ClassLabels {
 public:
  ClassLabels() = default;
  /// `labels` may repeat.
  explicit ClassLabels(std::span<const std::string_view> labels);

  const std::vector<std::string>& names() const { return names_; }
  /// The class of a label; nothing where no label of the training data equals it.
  std::optional<std::int32_t> find(std::string_view label) const;
  /// Whether all labels are numbers.
  bool numbers() const { return numbers_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> class_of_;  ///< by what a label is as a number, or by itself
  bool numbers_ = false;
};

/// Names given in the scenario instead of `found`, the labels of the data; `found` where none are given. Throws
/// InputError, naming `field`, where their numbers differ.
std::vector<std::string> named_classes(std::span<const std::string> given, std::vector<std::string> found,
                                       const std::string& field);

/// A sentence that names the whole numbers that are missing between the labels, which are in ascending order; empty
/// where none is missing, or a label is no whole number.
std::string gaps_between(std::span<const std::string> labels);

/// A sentence that names the classes without a sample; empty where every class has one.
std::string classes_without_sample(std::span<const std::string> names, std::span<const std::int32_t> labels);

}  // namespace souk
