#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/data/graphs/graph_file.hpp"
#include "sim/data/graphs/graph_parts.hpp"
#include "sim/data/npy_array.hpp"

namespace souk {

/// An array of integers or truth values in memory, last index fastest or, of a matrix that is stored so, first.
struct IntegerArray {
  std::string name;  ///< for messages
  std::vector<std::uint64_t> shape;
  std::vector<std::int64_t> values;
  bool fortran = false;

  std::int64_t at(std::size_t row, std::size_t column) const {
    return values[fortran ? column * shape[0] + row : row * shape[1] + column];
  }
};

/// Reads array NAME of an archive. Throws InputError where it has other dimensions, and for what open_npy refuses.
IntegerArray read_integers(const std::string& path, const std::string& name, std::size_t dimensions);

/// The same for an array of one dimension of finite reals.
std::vector<float> read_reals(const std::string& path, const std::string& name);

/// The sparse matrix in four arrays, PREFIXdata, PREFIXindices, PREFIXindptr and PREFIXshape, not yet checked.
CsrParts read_csr(const std::string& path, const std::string& prefix);

/// The features of `nodes` nodes from array NAME, [nodes, features]; zeros are left out.
NodeFeatures read_dense_features(const std::string& path, const std::string& name, std::size_t nodes);

}  // namespace souk
