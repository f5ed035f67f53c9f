#include "sim/data/graphs/pickle.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/byte_source.hpp"

namespace souk {
namespace {

static_assert(std::endian::native == std::endian::little, "values are used as stored");

constexpr std::uint64_t file_bytes_max = std::uint64_t{1} << 31;
constexpr std::size_t beat_every = 1 << 20;

// What arrays and dictionaries are made of. Nothing is called, so a name here only says how a value is to be taken.
constexpr std::array<std::string_view, 10> known_names{"scipy.sparse.csr csr_matrix",
                                                       "scipy.sparse._csr csr_matrix",
                                                       "numpy.core.multiarray _reconstruct",
                                                       "numpy._core.multiarray _reconstruct",
                                                       "numpy ndarray",
                                                       "numpy dtype",
                                                       "collections defaultdict",
                                                       "copy_reg _reconstructor",
                                                       "__builtin__ object",
                                                       "__builtin__ list"};

}  // namespace

// The virtual machine of pickles: a stack, marks on it, and a memo.
class Pickle::Machine {
 public:
  explicit Machine(Pickle& pickle)
      : pickle_(pickle),
        left_(reinterpret_cast<const char*>(pickle.content_.data()), pickle.content_.size()),
        size_(left_.size()) {}

  void run() {
    while (step(byte())) {
      if (++steps_ % beat_every == 0) heartbeat::beat();
    }
    pickle_.top_ = pop();
    if (!stack_.empty() || !left_.empty()) fail("goes on after its value");
  }

 private:
  // Executes one operation; whether others follow.
  bool step(std::uint8_t operation) {
    switch (operation) {
      case '.':
        return false;
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case '0':
        pop();
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        stack_.push_back(peek());
        return true;
      case 0x80:
        if (const int protocol = byte(); protocol > 2)
          fail(fmt::format("is of protocol {}: 0 to 2 are read", protocol));
        return true;
      default:
        if (!scalar(operation) && !text(operation) && !container(operation) && !memo(operation) && !object(operation)) {
          fail(fmt::format("operation {} is not read", static_cast<int>(operation)));
        }
        return true;
    }
  }

  bool scalar(std::uint8_t operation) {
    switch (operation) {
      case 'N':
        push({});
        return true;
      case 0x88:
      case 0x89:
        push({.kind = Kind::boolean, .integer = operation == 0x88 ? 1 : 0});
        return true;
      case 'K':
        push_integer(little_endian(1));
        return true;
      case 'M':
        push_integer(little_endian(2));
        return true;
      case 'J':
        push_integer(static_cast<std::int32_t>(little_endian(4)));
        return true;
      case 0x8A:
        push_long(byte());
        return true;
      case 0x8B:
        push_long(static_cast<std::size_t>(little_endian(4)));
        return true;
      case 'I':
      case 'L':
        push_spelled_integer(line());
        return true;
      case 'F':
        push_spelled_real(line());
        return true;
      case 'G':
        push_big_endian_real(take(8));
        return true;
      default:
        return false;
    }
  }

  bool text(std::uint8_t operation) {
    switch (operation) {
      case 'U':
        push_text(take(byte()));
        return true;
      case 'T':
      case 'X':
        push_text(take(static_cast<std::size_t>(little_endian(4))));
        return true;
      case 'S':
        push_text(unescape(line()));
        return true;
      case 'V':
        push_text(line());
        return true;
      default:
        return false;
    }
  }

  bool container(std::uint8_t operation) {
    switch (operation) {
      case ')':
      case ']':
      case '}':
        push({.kind = operation == ')' ? Kind::tuple : operation == ']' ? Kind::list : Kind::dictionary});
        return true;
      case 't':
      case 'l':
      case 'd':
        push_from_mark(operation == 't' ? Kind::tuple : operation == 'l' ? Kind::list : Kind::dictionary);
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push_tuple(operation - 0x84U);
        return true;
      case 'a':
        append(Kind::list, pop_last(1));
        return true;
      case 'e':
        append(Kind::list, pop_to_mark());
        return true;
      case 's':
        append(Kind::dictionary, pop_last(2));
        return true;
      case 'u':
        append(Kind::dictionary, pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool memo(std::uint8_t operation) {
    switch (operation) {
      case 'q':
        memo_[byte()] = peek();
        return true;
      case 'r':
        memo_[static_cast<std::uint64_t>(little_endian(4))] = peek();
        return true;
      case 'p':
        memo_[spelled_number(line())] = peek();
        return true;
      case 'h':
        recall(byte());
        return true;
      case 'j':
        recall(static_cast<std::uint64_t>(little_endian(4)));
        return true;
      case 'g':
        recall(spelled_number(line()));
        return true;
      default:
        return false;
    }
  }

  bool object(std::uint8_t operation) {
    switch (operation) {
      case 'c':
        push_name();
        return true;
      case 'R':
      case 0x81:
        make_object();
        return true;
      case 'b':
        build();
        return true;
      default:
        return false;
    }
  }

  void push_name() {
    const std::string_view module = line(), name = line();
    const std::string full = fmt::format("{} {}", module, name);
    const auto known = std::ranges::find(known_names, full);
    if (known == known_names.end()) {
      fail(fmt::format("names {}, which is not read: nothing of a pickle is run",
                       std::string(module.substr(0, 80)) + "." + std::string(name.substr(0, 80))));
    }
    push({.kind = Kind::name, .text = *known});
  }

  void make_object() {
    const Ref arguments = pop(), callee = pop();
    const Value& name = at(callee);
    if (name.kind != Kind::name || at(arguments).kind != Kind::tuple) fail("makes an object of what is no name");
    if (name.text == "collections defaultdict") {
      push({.kind = Kind::dictionary});
      return;
    }
    if (name.text == "copy_reg _reconstructor") {  // (class, base, its state): protocols 0 and 1
      const std::vector<Ref>& items = at(arguments).items;
      if (items.empty() || at(items[0]).kind != Kind::name) fail("makes an object of what is no name");
      push({.kind = Kind::object, .items = {items[0], arguments, none()}});
      return;
    }
    push({.kind = Kind::object, .items = {callee, arguments, none()}});
  }

  void build() {
    const Ref state = pop();
    Value& object = pickle_.values_[peek()];
    if (object.kind != Kind::object) fail("gives a state to what is no object");
    object.items[object_state] = state;
  }

  void append(Kind kind, const std::vector<Ref>& items) {
    Value& container = pickle_.values_[peek()];
    if (container.kind != kind) fail("adds to what is no list or dictionary");
    if (kind == Kind::dictionary && items.size() % 2 != 0) fail("has a key without a value");
    container.items.insert(container.items.end(), items.begin(), items.end());
  }

  void push_from_mark(Kind kind) {
    std::vector<Ref> items = pop_to_mark();
    if (kind == Kind::dictionary && items.size() % 2 != 0) fail("has a key without a value");
    push({.kind = kind, .items = std::move(items)});
  }

  void push_tuple(std::size_t size) { push({.kind = Kind::tuple, .items = pop_last(size)}); }
  void push_text(std::string_view text) { push({.kind = Kind::text, .text = text}); }
  void push_integer(std::int64_t number) { push({.kind = Kind::integer, .integer = number}); }

  void push_long(std::size_t bytes) {
    if (bytes > 8) fail(fmt::format("has an integer of {} bytes", bytes));
    const std::string_view stored = take(bytes);
    std::int64_t number = !stored.empty() && (static_cast<unsigned char>(stored.back()) & 0x80U) != 0 ? -1 : 0;
    std::memcpy(&number, stored.data(), stored.size());
    push_integer(number);
  }

  void push_spelled_integer(std::string_view text) {
    if (text == "00" || text == "01") {
      push({.kind = Kind::boolean, .integer = text == "01" ? 1 : 0});
      return;
    }
    if (text.ends_with('L')) text.remove_suffix(1);
    std::int64_t number = 0;
    if (!spells(text, number)) fail("has a number that is none");
    push_integer(number);
  }

  void push_spelled_real(std::string_view text) {
    double number = 0.0;
    if (!spells(text, number)) fail("has a number that is none");
    push({.kind = Kind::real, .real = number});
  }

  void push_big_endian_real(std::string_view stored) {
    std::array<char, 8> bytes{};
    std::reverse_copy(stored.begin(), stored.end(), bytes.begin());
    push({.kind = Kind::real, .real = std::bit_cast<double>(bytes)});
  }

  template <class Number>
  static bool spells(std::string_view text, Number& number) {
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  }

  std::uint64_t spelled_number(std::string_view text) {
    std::uint64_t number = 0;
    if (!spells(text, number)) fail("has a number that is none");
    return number;
  }

  // A string of Python 2 as its repr spells it, quotes included.
  std::string_view unescape(std::string_view quoted) {
    if (quoted.size() < 2 || quoted.front() != quoted.back() || (quoted.front() != '\'' && quoted.front() != '"')) {
      fail("has a string without quotes");
    }
    std::string_view left = quoted.substr(1, quoted.size() - 2);
    std::string& text = pickle_.unescaped_.emplace_back();
    while (!left.empty()) {
      const char character = left.front();
      left.remove_prefix(1);
      text += character == '\\' ? escaped(left) : character;
    }
    return text;
  }

  char escaped(std::string_view& left) {
    if (left.empty()) fail("has a string that ends in a backslash");
    const char character = left.front();
    left.remove_prefix(1);
    constexpr std::string_view names = "nrt0abfv", meanings{"\n\r\t\0\a\b\f\v", 8};
    if (character == 'x') {
      unsigned code = 0;
      const auto parsed = std::from_chars(left.data(), left.data() + std::min<std::size_t>(left.size(), 2), code, 16);
      if (left.size() < 2 || parsed.ptr != left.data() + 2) fail("has a string with a damaged \\x");
      left.remove_prefix(2);
      return static_cast<char>(code);
    }
    const std::size_t found = names.find(character);
    return found == std::string_view::npos ? character : meanings[found];
  }

  const Value& at(Ref ref) const { return pickle_.values_[ref]; }

  void push(Value value) {
    stack_.push_back(static_cast<Ref>(pickle_.values_.size()));
    add(std::move(value));
  }

  void add(Value value) {
    auto& values = pickle_.values_;
    if (values.size() == values.capacity()) {
      const std::size_t wanted = std::max<std::size_t>(2 * values.size(), 1024);
      const double needed = static_cast<double>(wanted) * sizeof(Value);
      constexpr double asked_for_above = 64e6;  // asking takes longer than reading a small file
      if ((needed > asked_for_above && needed > available_memory()) || wanted > std::numeric_limits<Ref>::max()) {
        fail(fmt::format("its values need more than {}, this node has {} to give", bytes_text(needed),
                         bytes_text(available_memory())));
      }
      values.reserve(wanted);
    }
    values.push_back(std::move(value));
  }

  Ref none() {
    add({});
    return static_cast<Ref>(pickle_.values_.size() - 1);
  }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Ref peek() {
    if (stack_.size() <= floor()) fail("takes a value where there is none");
    return stack_.back();
  }
  Ref pop() {
    const Ref ref = peek();
    stack_.pop_back();
    return ref;
  }
  std::vector<Ref> pop_last(std::size_t count) {
    if (stack_.size() < floor() + count) fail("takes a value where there is none");
    const auto begin = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Ref> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    return items;
  }
  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) fail("takes the values of a mark where there is none");
    std::vector<Ref> items = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }
  void recall(std::uint64_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) fail(fmt::format("recalls value {}, which it has not kept", place));
    stack_.push_back(found->second);
  }

  std::string_view take(std::size_t bytes) {
    if (bytes > left_.size()) fail("ends early");
    const std::string_view taken = left_.substr(0, bytes);
    left_.remove_prefix(bytes);
    return taken;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::int64_t little_endian(std::size_t bytes) {
    std::uint32_t number = 0;
    std::memcpy(&number, take(bytes).data(), bytes);
    return number;
  }
  std::string_view line() {
    const std::size_t end = left_.find('\n');
    if (end == std::string_view::npos) fail("ends early");
    std::string_view text = take(end);
    take(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw_input_error("{}: is no pickle that is read: byte {}: {}", pickle_.path_, size_ - left_.size(), reason);
  }

  Pickle& pickle_;
  std::string_view left_;
  std::size_t size_, steps_ = 0;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Ref> memo_;
};

Pickle::Pickle(const std::string& path) : path_(path), content_(read_whole_file(path, file_bytes_max)) {
  Machine(*this).run();
}

const Pickle::Value& Pickle::expect(const Value& value, Kind kind, std::string_view what) const {
  SOUK_REQUIRE(value.kind == kind, "{}: where there should be {} is something else", path_, what);
  return value;
}

const Pickle::Value& Pickle::state_of(const Value& object, std::string_view name, std::string_view what) const {
  expect(object, Kind::object, what);
  SOUK_REQUIRE(values_[object.items[object_name]].text.ends_with(name),
               "{}: where there should be {} is something else", path_, what);
  return values_[object.items[object_state]];
}

}  // namespace souk
