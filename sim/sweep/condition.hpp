#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace souk {

/// A condition on named values, as in `where` of a grid and after --filter:
///
///     aggregator = krum && (attack.fraction > 0.2 || attack != none)
///
/// Comparisons are =, ==, !=, <, <=, >, >=; && binds tighter than ||; values are bare words, numbers or "quoted".
/// Two numbers are compared as numbers, anything else as text, which has no order. A name without a value meets no
/// comparison but !=.
class Condition {
 public:
  /// Throws InputError that shows the text and says what was expected where. What it throws then and later begins with
  /// `place`, such as "grid.textproto:3:7", if there is one.
  static Condition parse(const std::string& text, const std::string& place = "");
  static Condition always();
  ~Condition();
  Condition(Condition&&) noexcept;
  Condition& operator=(Condition&&) noexcept;

  /// The value of a name, nothing where it has none; throws InputError where there is no such name.
  using Lookup = std::function<std::optional<std::string>(const std::string& name)>;
  bool matches(const Lookup& value_of) const;

  struct Comparison {
    std::string name{}, sign{}, value{};  ///< the sign is one of =, !=, <, <=, >, >=
  };
  /// Throws with the place what `check` throws about a comparison.
  void check_each(const std::function<void(const Comparison&)>& check) const;

  struct Node;

 private:
  Condition(std::unique_ptr<Node> root, std::string place);
  std::unique_ptr<Node> root_;
  std::string place_;
};

/// Whether two values are equal as `=` of a condition has it.
bool equal_values(const std::string& left, const std::string& right);

/// Whether all of them match.
bool all_match(const std::vector<Condition>& conditions, const Condition::Lookup& value_of);

}  // namespace souk
