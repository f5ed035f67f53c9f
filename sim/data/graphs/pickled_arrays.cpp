#include "sim/data/graphs/pickled_arrays.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

static_assert(std::endian::native == std::endian::little, "values are used as stored");

using Kind = Pickle::Kind;

template <class Stored>
Stored stored_at(const PickledArray& array, std::size_t i) {
  Stored value;
  std::memcpy(&value, array.raw.data() + i * sizeof value, sizeof value);
  return value;
}

// numpy's dtype: its arguments begin with kind and size, its state has the order of bytes second.
void take_type(const Pickle& pickle, const Pickle::Value& type, PickledArray& array) {
  const Pickle::Value& state = pickle.state_of(type, " dtype", "numpy's dtype");
  pickle.expect(state, Kind::tuple, "the state of numpy's dtype");
  const Pickle::Value& arguments = pickle[type.items[Pickle::object_arguments]];
  SOUK_REQUIRE(!arguments.items.empty() && state.items.size() >= 2, "{}: numpy's dtype is damaged", pickle.path());
  const std::string_view name = pickle.expect(pickle[arguments.items[0]], Kind::text, "the name of a dtype").text;
  const std::string_view order = pickle.expect(pickle[state.items[1]], Kind::text, "an order of bytes").text;
  constexpr std::array<std::string_view, 11> known{"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "b1"};
  SOUK_REQUIRE(std::ranges::find(known, name) != known.end() && (order == "<" || order == "|"),
               "{}: an array of dtype {}{} is not read: must be little-endian integers, float32 or float64",
               pickle.path(), order.substr(0, 8), name.substr(0, 8));
  array.kind = name[0];
  array.bytes = static_cast<std::size_t>(name[1] - '0');
}

const Pickle::Value& find_attribute(const Pickle& pickle, const Pickle::Value& attributes, std::string_view name) {
  for (std::size_t i = 0; i < attributes.items.size(); i += 2) {
    const Pickle::Value& key = pickle[attributes.items[i]];
    if (key.kind == Kind::text && key.text == name) return pickle[attributes.items[i + 1]];
  }
  throw_input_error("{}: its matrix has no {}", pickle.path(), name);
}

std::uint64_t size_of(const Pickle& pickle, const Pickle::Value& value) {
  const std::int64_t size = pickle.expect(value, Kind::integer, "a size").integer;
  SOUK_REQUIRE(size >= 0, "{}: a size is {}", pickle.path(), size);
  return static_cast<std::uint64_t>(size);
}

std::vector<std::int64_t> integers_of(const PickledArray& array) {
  SOUK_REQUIRE(array.kind != 'f', "{}: holds reals, must hold integers", array.name);
  std::vector<std::int64_t> numbers(array.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = array.integer(i);
  return numbers;
}

}  // namespace

std::int64_t PickledArray::integer(std::size_t i) const {
  SOUK_EXPECT(kind != 'f' && i < size());
  const bool is_signed = kind == 'i';
  switch (bytes) {
    case 1:
      return is_signed ? stored_at<std::int8_t>(*this, i) : stored_at<std::uint8_t>(*this, i);
    case 2:
      return is_signed ? stored_at<std::int16_t>(*this, i) : stored_at<std::uint16_t>(*this, i);
    case 4:
      return is_signed ? stored_at<std::int32_t>(*this, i) : stored_at<std::uint32_t>(*this, i);
    default:
      return stored_at<std::int64_t>(*this, i);
  }
}

double PickledArray::real(std::size_t i) const {
  if (kind != 'f') return static_cast<double>(integer(i));
  return bytes == 4 ? static_cast<double>(stored_at<float>(*this, i)) : stored_at<double>(*this, i);
}

PickledArray pickled_array(const Pickle& pickle, const Pickle::Value& value) {
  const Pickle::Value& state = pickle.state_of(value, " _reconstruct", "a numpy array");
  pickle.expect(state, Kind::tuple, "the state of a numpy array");
  SOUK_REQUIRE(state.items.size() == 5, "{}: the state of a numpy array has {} parts, must have 5", pickle.path(),
               state.items.size());
  PickledArray array{.name = pickle.path(), .shape = {}, .raw = {}};
  take_type(pickle, pickle[state.items[2]], array);
  for (const Pickle::Ref size : pickle.expect(pickle[state.items[1]], Kind::tuple, "the shape of an array").items) {
    array.shape.push_back(size_of(pickle, pickle[size]));
  }
  SOUK_REQUIRE(pickle[state.items[3]].integer == 0 || array.shape.size() < 2,
               "{}: an array is in Fortran order, which is not read", pickle.path());
  array.raw = pickle.expect(pickle[state.items[4]], Kind::text, "the values of an array").text;
  std::uint64_t values = 1;
  for (const std::uint64_t size : array.shape) {
    SOUK_REQUIRE(size == 0 || values <= array.raw.size() / size, "{}: an array declares more values than it has",
                 pickle.path());
    values *= size;
  }
  SOUK_REQUIRE(values * array.bytes == array.raw.size(), "{}: an array of {} values has {} bytes for them",
               pickle.path(), values, array.raw.size());
  return array;
}

CsrParts read_pickled_csr(const std::string& path) {
  const Pickle pickle(path);
  const Pickle::Value& attributes = pickle.state_of(pickle.top(), " csr_matrix", "a scipy.sparse.csr_matrix");
  pickle.expect(attributes, Kind::dictionary, "the attributes of a matrix");
  const Pickle::Value& shape =
      pickle.expect(find_attribute(pickle, attributes, "_shape"), Kind::tuple, "the shape of a matrix");
  SOUK_REQUIRE(shape.items.size() == 2, "{}: its matrix has {} dimensions", path, shape.items.size());
  const auto array = [&](std::string_view name) {
    return pickled_array(pickle, find_attribute(pickle, attributes, name));
  };
  CsrParts matrix{.name = path, .begin = {}, .columns = {}, .values = {}};
  matrix.rows = size_of(pickle, pickle[shape.items[0]]);
  matrix.width = size_of(pickle, pickle[shape.items[1]]);
  matrix.begin = integers_of(array("indptr"));
  matrix.columns = integers_of(array("indices"));
  const PickledArray values = array("data");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values.real(i);
    SOUK_REQUIRE(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()),
                 "{}: value {} is not a finite float32 number", path, i);
    matrix.values.push_back(static_cast<float>(value));
  }
  check_csr(matrix);
  return matrix;
}

}  // namespace souk
