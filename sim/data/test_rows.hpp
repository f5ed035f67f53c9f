#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace souk {

/// Which of a table's rows are taken for testing where there is no test table: `share` of them, drawn by the seed, at
/// least one and not all. Needs two rows.
std::vector<bool> draw_test_rows(std::size_t rows, double share, std::uint64_t seed);

}  // namespace souk
