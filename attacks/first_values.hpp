#pragma once

#include <algorithm>

#include "sim/params/update_matrix.hpp"

namespace souk {

/// The updates with `value` in their first `count` coordinates; in all where count is 0.
inline ColumnMatrix with_first_values(const Comm& comm, const ColumnMatrix& updates, std::size_t count, float value) {
  ColumnMatrixBuilder changed(comm, updates.rows(), updates.dimension());
  const ColumnRange mine = updates.local_columns();
  const std::size_t end = count == 0 ? mine.end : std::clamp(count, mine.begin, mine.end);
  for (std::size_t i = 0; i < updates.rows(); ++i) {
    std::ranges::copy(updates.row(i), changed.row(i).begin());
    std::ranges::fill(changed.row(i).first(end - mine.begin), value);
  }
  return std::move(changed).finish();
}

}  // namespace souk
