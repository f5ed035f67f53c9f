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
  /// Throws InputError that shows the text and says what was expected where.
  static Condition parse(const std::string& text);
  static Condition always();
  ~Condition();
  Condition(Condition&&) noexcept;
  Condition& operator=(Condition&&) noexcept;

  /// The value of a name, nothing where it has none; throws InputError where there is no such name.
  using Lookup = std::function<std::optional<std::string>(const std::string& name)>;
  bool matches(const Lookup& value_of) const;

  struct Node;

 private:
  explicit Condition(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

/// Whether all of them match.
bool all_match(const std::vector<Condition>& conditions, const Condition::Lookup& value_of);

}  // namespace souk
