#include "sim/params/columnwise.hpp"

#include <algorithm>
#include <vector>

#include <hwy/aligned_allocator.h>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/params/order_statistics.hpp"

namespace souk {
namespace {

constexpr std::size_t block_values = std::size_t{1} << 16;  // a quarter of a second-level cache
constexpr std::size_t block_columns_max = 4096;

/// Columns copied at a time: long pieces of each row, which memory delivers fast, that fit the second cache together.
std::size_t block_columns(std::size_t rows) {
  return std::clamp(block_values / rows / line_columns * line_columns, 4 * line_columns, block_columns_max);
}

/// Calls `use(block, first column, scratch, out)` for blocks of this rank's columns, and keeps what it writes to `out`.
template <class Use>
ColumnVector by_blocks(const ColumnMatrix& updates, Use use) {
  const std::size_t rows = updates.rows();
  SOUK_EXPECT(rows > 0);
  ColumnVector result(updates);
  const std::size_t columns = result.values().size();
  const std::size_t width_max = block_columns(rows);
  const std::size_t stride = width_max + line_columns;  // rows a power of two apart would fight for the same lines
  const auto values = hwy::AllocateAligned<float>(rows * stride);
  const auto scratch = hwy::AllocateAligned<float>(order_scratch(rows));
  const auto out = hwy::AllocateAligned<float>(width_max);
  std::fill_n(values.get(), rows * stride, 0.0F);
  std::vector<const float*> row_starts;
  for (std::size_t i = 0; i < rows; ++i) row_starts.push_back(updates.row(i).data());
  for (std::size_t begin = 0; begin < columns; begin += width_max) {
    heartbeat::beat();
    const std::size_t width = std::min(width_max, columns - begin);
    for (std::size_t i = 0; i < rows; ++i) {
      copy_without_nan(updates.row(i).subspan(begin, width), values.get() + i * stride);
    }
    const std::size_t whole_lines = (width + line_columns - 1) / line_columns * line_columns;
    const std::size_t upcoming = begin + 2 * width_max <= columns ? begin + width_max : begin;
    use(ColumnBlock{values.get(), rows, stride, whole_lines, row_starts.data(), upcoming},
        ColumnRange{begin, begin + width}, scratch.get(), out.get());
    std::copy_n(out.get(), width, result.values().data() + begin);
  }
  return result;
}

}  // namespace

ColumnVector median_of_columns(const ColumnMatrix& updates) {
  return by_blocks(updates, [](const ColumnBlock& block, ColumnRange, float* scratch, float* out) {
    block_median(block, scratch, out);
  });
}

ColumnVector trimmed_mean_of_columns(const ColumnMatrix& updates, std::size_t trim) {
  SOUK_EXPECT(2 * trim < updates.rows());
  return by_blocks(updates, [trim](const ColumnBlock& block, ColumnRange, float* scratch, float* out) {
    block_trimmed_mean(block, trim, scratch, out);
  });
}

ColumnVector mean_near(const ColumnMatrix& updates, const ColumnVector& center, std::size_t keep) {
  SOUK_EXPECT(1 <= keep && keep <= updates.rows());
  const auto aligned = hwy::AllocateAligned<float>(block_columns_max);
  std::fill_n(aligned.get(), block_columns_max, 0.0F);
  return by_blocks(updates, [&](const ColumnBlock& block, ColumnRange columns, float* scratch, float* out) {
    std::copy_n(center.values().data() + columns.begin, columns.size(), aligned.get());
    block_mean_near(block, aligned.get(), keep, scratch, out);
  });
}

}  // namespace souk
