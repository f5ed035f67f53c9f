#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace souk {

class ByteSource;

/// Reads the header of an IDX file of unsigned bytes and returns its sizes, one per dimension. Throws InputError for
/// another magic number, for no dimensions or more than four, for a size of zero, and where the declared data are not
/// what follows (or, packed, cannot be). Format: http://yann.lecun.com/exdb/mnist.
std::vector<std::uint64_t> read_idx_header(ByteSource& source);

/// How many dimensions an IDX file of unsigned bytes says it has; 0 where the file does not begin like one.
std::size_t idx_dimensions(const std::string& path);

}  // namespace souk
