#include "sim/sweep/condition.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>

#include "sim/base/contract.hpp"
#include "sim/base/decimal.hpp"

namespace souk {

struct Condition::Node {
  enum class Kind : std::uint8_t { all_of, any_of, not_of, comparison } kind = Kind::comparison;
  std::vector<std::unique_ptr<Node>> parts{};
  Comparison comparison{};
};

namespace {

using Node = Condition::Node;
using Kind = Node::Kind;

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("_.[]-+:%/").find(c) != std::string::npos;
}

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) { advance(); }

  std::unique_ptr<Node> parse() {
    auto node = any_of();
    if (!token_.empty()) fail("'&&', '||' or the end");
    return node;
  }

 private:
  std::unique_ptr<Node> any_of() {
    return chain("||", Kind::any_of, [this] { return all_of(); });
  }
  std::unique_ptr<Node> all_of() {
    return chain("&&", Kind::all_of, [this] { return single(); });
  }

  template <class Part>
  std::unique_ptr<Node> chain(std::string_view joint, Kind kind, Part part) {
    auto first = part();
    if (token_ != joint) return first;
    auto node = std::make_unique<Node>(Node{.kind = kind});
    node->parts.push_back(std::move(first));
    while (token_ == joint) {
      advance();
      node->parts.push_back(part());
    }
    return node;
  }

  std::unique_ptr<Node> single() {
    if (token_ == "!") {
      advance();
      auto node = std::make_unique<Node>(Node{.kind = Kind::not_of});
      node->parts.push_back(single());
      return node;
    }
    if (token_ != "(") return comparison();
    advance();
    auto node = any_of();
    if (token_ != ")") fail("')'");
    advance();
    return node;
  }

  std::unique_ptr<Node> comparison() {
    auto node = std::make_unique<Node>();
    auto& [name, sign, value] = node->comparison;
    name = word("a name");
    sign = token_ == "==" ? "=" : token_;
    constexpr std::string_view known[] = {"=", "!=", "<", "<=", ">", ">="};
    if (std::find(std::begin(known), std::end(known), sign) == std::end(known)) fail("=, !=, <, <=, > or >=");
    advance();
    value = word("a value");
    return node;
  }

  std::string word(const char* what) {
    if (!is_word_) fail(what);
    std::string taken = token_;
    advance();
    return taken;
  }

  void advance() {
    while (next_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[next_])) != 0) ++next_;
    begin_ = next_;
    is_word_ = false;
    if (next_ == text_.size()) {
      token_.clear();
    } else if (text_[next_] == '"' || text_[next_] == '\'') {
      take_quoted();
    } else if (is_word_character(text_[next_])) {
      while (next_ < text_.size() && is_word_character(text_[next_])) ++next_;
      take_word(text_.substr(begin_, next_ - begin_));
    } else {
      take_operator();
    }
  }
  void take_word(std::string word) {
    token_ = std::move(word);
    is_word_ = true;
  }
  void take_quoted() {
    const std::size_t end = text_.find(text_[next_], next_ + 1);
    if (end == std::string::npos) fail("a closing quotation mark");
    next_ = end + 1;
    take_word(text_.substr(begin_ + 1, end - begin_ - 1));
  }
  void take_operator() {
    for (const std::string_view two : {"&&", "||", "==", "!=", "<=", ">="}) {
      if (text_.compare(next_, 2, two) != 0) continue;
      token_ = two;
      next_ += 2;
      return;
    }
    if (std::string_view("()!<>=").find(text_[next_]) == std::string_view::npos)
      fail("a name, a value or a comparison");
    token_ = text_[next_++];
  }
  [[noreturn]] void fail(const std::string& expected) const {
    throw_input_error("condition '{}': expected {} at column {}", text_, expected, begin_ + 1);
  }

  const std::string& text_;
  std::size_t begin_ = 0, next_ = 0;
  std::string token_;
  bool is_word_ = false;
};

std::optional<double> as_number(const std::string& text) {
  double value = 0.0;
  if (!is_decimal(text)) return std::nullopt;
  const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  const bool number = error == std::errc() && std::isfinite(value);
  return number ? std::optional(value) : std::nullopt;
}

/// Below 0 where the left number is smaller, 0 where they are equal, nothing where one is no number. Whole numbers are
/// compared in full: seeds have more digits than a double.
std::optional<int> order_of_numbers(const std::string& left, const std::string& right) {
  const auto order = [](auto a, auto b) { return a < b ? -1 : (a > b ? 1 : 0); };
  const auto whole_left = parse_whole(left), whole_right = parse_whole(right);
  if (whole_left && whole_right) return order(*whole_left, *whole_right);
  const auto a = as_number(left), b = as_number(right);
  return a && b ? std::optional(order(*a, *b)) : std::nullopt;
}

bool compare(const Condition::Comparison& comparison, const Condition::Lookup& value_of) {
  const auto& [name, sign, wanted] = comparison;
  const std::optional<std::string> value = value_of(name);
  if (!value) return sign == "!=";
  if (sign == "=") return equal_values(*value, wanted);
  if (sign == "!=") return !equal_values(*value, wanted);
  const auto order = order_of_numbers(*value, wanted);
  SOUK_REQUIRE(order.has_value(), "condition '{} {} {}': '{}' is not a decimal number", name, sign, wanted,
               as_number(*value) ? wanted : *value);
  if (sign == "<") return *order < 0;
  if (sign == "<=") return *order <= 0;
  if (sign == ">") return *order > 0;
  return *order >= 0;
}

bool evaluate(const Node& node, const Condition::Lookup& value_of) {
  const auto matches = [&](const std::unique_ptr<Node>& part) { return evaluate(*part, value_of); };
  switch (node.kind) {
    case Kind::all_of:
      return std::all_of(node.parts.begin(), node.parts.end(), matches);
    case Kind::any_of:
      return std::any_of(node.parts.begin(), node.parts.end(), matches);
    case Kind::not_of:
      return !matches(node.parts.front());
    case Kind::comparison:
      break;
  }
  return compare(node.comparison, value_of);
}

void visit(const Node& node, const std::function<void(const Condition::Comparison&)>& check) {
  if (node.kind == Kind::comparison) check(node.comparison);
  for (const auto& part : node.parts) visit(*part, check);
}

/// What `work` gives; where it throws an InputError, that begins with the place.
template <class Work>
auto at_place(const std::string& place, Work work) {
  try {
    return work();
  } catch (const InputError& error) {
    if (place.empty()) throw;
    throw InputError(fmt::format("{}: {}", place, error.what()));
  }
}

}  // namespace

Condition::Condition(std::unique_ptr<Node> root, std::string place)
    : root_(std::move(root)), place_(std::move(place)) {}
Condition::~Condition() = default;
Condition::Condition(Condition&&) noexcept = default;
Condition& Condition::operator=(Condition&&) noexcept = default;

Condition Condition::parse(const std::string& text, const std::string& place) {
  return Condition(at_place(place, [&] { return Parser(text).parse(); }), place);
}

Condition Condition::always() { return Condition(std::make_unique<Node>(Node{.kind = Kind::all_of}), ""); }

bool Condition::matches(const Lookup& value_of) const {
  return at_place(place_, [&] { return evaluate(*root_, value_of); });
}

void Condition::check_each(const std::function<void(const Comparison&)>& check) const {
  at_place(place_, [&] { visit(*root_, check); });
}

bool equal_values(const std::string& left, const std::string& right) {
  if (const auto order = order_of_numbers(left, right)) return *order == 0;
  return left == right;
}

bool all_match(const std::vector<Condition>& conditions, const Condition::Lookup& value_of) {
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& condition) { return condition.matches(value_of); });
}

}  // namespace souk
