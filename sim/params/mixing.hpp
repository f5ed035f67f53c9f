#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <hwy/aligned_allocator.h>

#include "sim/params/update_matrix.hpp"

namespace souk {

/// Computes those rows of W U, W being [m, n], that share the rows of U they are made of with their neighbours: up to
/// eight together. A row of U whose coefficient is 0 takes no part: it may hold anything.
class SharedMixing {
 public:
  /// `columns`: at most that many at a time.
  SharedMixing(std::span<const double> coefficients, std::size_t updates, std::size_t columns);

  /// Rows of W that share too little for this to pay, ascending.
  std::span<const std::size_t> others() const { return others_; }

  /// Columns [columns.begin, columns.end) of all rows but the others.
  void mix(const ColumnMatrix& updates, ColumnRange columns, ColumnMatrixBuilder& out);

 private:
  struct Group {
    std::size_t first, rows;
    std::vector<std::uint32_t> from;   ///< rows of U with a coefficient other than 0, ascending
    std::vector<double> coefficients;  ///< [from.size(), rows]
  };
  void add_group(std::span<const double> coefficients, std::size_t first, std::size_t rows);
  void place(const ColumnMatrix& updates, ColumnRange columns);
  bool meets_non_finite(const Group& group) const;
  void mix_one(const Group& group, std::size_t r, std::size_t size, float* out);

  std::size_t updates_, columns_;
  std::vector<Group> groups_;
  std::vector<std::size_t> others_;
  std::vector<std::uint32_t> used_;  ///< rows of U in any group, ascending
  hwy::AlignedFreeUniquePtr<float[]> placed_;
  std::vector<bool> finite_;  ///< [n] of the columns placed
  bool all_finite_ = true;
  std::vector<std::uint32_t> from_;   ///< of one row, where a group cannot be computed together
  std::vector<double> coefficients_;  ///< likewise
};

}  // namespace souk
