#pragma once

#include <string>
#include <vector>

#include "sim/data/npy_array.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// Reads the [n, d] matrix of a file, one update per row: every rank the rows it owns, row i by rank i mod ranks.
/// Throws InputError where it is no matrix, or where `finite` requires what it does not hold.
void read_updates(const Comm& comm, const std::string& path, Finite finite, RowMatrix& rows);

/// A vector of `dimension` finite values, on every rank; empty where no file is named.
std::vector<float> read_vector(const std::string& path, std::size_t dimension);

}  // namespace souk
