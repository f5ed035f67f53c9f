#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// What a Python pickle of protocols 0 to 2 holds, as plain values: nothing of it is run. Calls and objects stay what
/// they are written as, a name with arguments and a state; names other than those of numpy's and scipy's arrays and of
/// dictionaries are refused. Values lie in one list and refer to each other by number, so that neither depth nor a
/// value that holds itself can hurt.
class Pickle {
 public:
  using Ref = std::uint32_t;
  enum class Kind : std::uint8_t { none, boolean, integer, real, text, tuple, list, dictionary, name, object };
  /// How the items of an object lie.
  enum ObjectItem : std::size_t { object_name, object_arguments, object_state };
  struct Value {
    Kind kind = Kind::none;
    std::int64_t integer = 0;  ///< of booleans, too
    double real = 0.0;
    std::string_view text{};  ///< of texts, which may hold any bytes; of names: "module name"
    std::vector<Ref>
        items{};  ///< of tuples and lists; of dictionaries key, value, …; of objects name, arguments, state
  };

  /// Reads a file, gzip-compressed or not. Throws InputError, with the place, for what is no such pickle.
  explicit Pickle(const std::string& path);

  const std::string& path() const { return path_; }
  std::size_t bytes() const { return content_.size(); }
  const Value& operator[](Ref ref) const { return values_[ref]; }
  const Value& top() const { return values_[top_]; }
  /// Throws InputError unless `value` is of this kind; `what` says what it should be.
  const Value& expect(const Value& value, Kind kind, std::string_view what) const;
  /// An object's state; fails unless the object is made by a name that ends so.
  const Value& state_of(const Value& object, std::string_view name, std::string_view what) const;

 private:
  class Machine;
  std::string path_;
  std::vector<std::uint8_t> content_;  ///< texts are views of it
  std::deque<std::string> unescaped_;  ///< or of these
  std::vector<Value> values_;
  Ref top_ = 0;
};

}  // namespace souk
