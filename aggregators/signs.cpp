#include "aggregators/signs.hpp"

#include "sim/base/heartbeat.hpp"

namespace souk {

ColumnVector sum_of_signs(const ColumnMatrix& updates) {
  ColumnVector sums(updates);
  const std::span<float> out = sums.values();
  for (std::size_t i = 0; i < updates.rows(); ++i) {
    heartbeat::beat();
    const std::span<const float> row = updates.row(i);
    for (std::size_t c = 0; c < row.size(); ++c) out[c] += sign_of(row[c]);
  }
  return sums;
}

}  // namespace souk
