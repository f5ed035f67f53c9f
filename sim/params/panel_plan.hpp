#pragma once

#include <cstddef>

namespace souk {

struct ColumnRange {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
  bool operator==(const ColumnRange&) const = default;
};

/// Cuts [0, d) into at most 64 panels of whole cache lines. A function of d alone, never of the rank count: sums over
/// coordinates are one partial per panel, added in panel order. Ranks beyond the panels own none.
class PanelPlan {
 public:
  explicit PanelPlan(std::size_t dimension);
  std::size_t dimension() const noexcept { return dimension_; }
  std::size_t count() const noexcept { return count_; }
  ColumnRange columns(std::size_t panel) const;
  /// The panels of a rank: consecutive, ascending with the rank. [begin, end).
  std::size_t first_panel(int rank, int ranks) const;
  /// All columns of a rank's panels.
  ColumnRange columns_of(int rank, int ranks) const;

 private:
  std::size_t dimension_, count_, width_;
};

/// Columns of the rank that has most of them.
std::size_t widest_part(const PanelPlan& plan, int ranks);

}  // namespace souk
