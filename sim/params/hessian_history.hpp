#pragma once

#include <cstddef>
#include <deque>

#include "sim/params/update_matrix.hpp"

namespace souk {

/// The last steps of a parameter vector, and the changes of its gradient that went with them: what L-BFGS knows of the
/// Hessian.
class HessianHistory {
 public:
  explicit HessianHistory(std::size_t window) : window_(window) {}
  /// The newest pair; the oldest one is forgotten where there are more than the window holds.
  void add(ColumnVector step, ColumnVector change);
  void clear();
  /// H v, [d], for vectors laid out like `like`; 0 without pairs. Inner products of the pairs decide the coefficients,
  /// one pass combines them. Collective.
  ColumnVector times(const Comm& comm, const ColumnMatrix& like, const ColumnVector& v) const;
  /// Collective.
  void serialize(Archive& archive, const Comm& comm, std::size_t dimension);

 private:
  std::size_t window_;
  std::deque<ColumnVector> steps_, changes_;
};

/// a - b.
ColumnVector difference(const ColumnVector& a, const ColumnVector& b);

}  // namespace souk
