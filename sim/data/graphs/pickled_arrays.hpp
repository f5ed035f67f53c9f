#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/data/graphs/graph_parts.hpp"
#include "sim/data/graphs/pickle.hpp"

namespace souk {

/// A numpy array in a pickle, its values as stored.
struct PickledArray {
  std::string name;  ///< for messages
  std::vector<std::uint64_t> shape;
  char kind = 'i';        ///< signed 'i', unsigned 'u', real 'f', boolean 'b'
  std::size_t bytes = 4;  ///< of a value
  std::string_view raw;   ///< in C order; of the pickle

  std::size_t size() const { return raw.size() / bytes; }
  std::int64_t integer(std::size_t i) const;
  double real(std::size_t i) const;
};

/// Throws InputError where `value` is no array of numbers in C order, or holds more or fewer than its shape says.
PickledArray pickled_array(const Pickle& pickle, const Pickle::Value& value);

/// The scipy.sparse.csr_matrix that a file holds, checked. Its values must be finite.
CsrParts read_pickled_csr(const std::string& path);

}  // namespace souk
