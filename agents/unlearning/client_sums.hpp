#pragma once

#include <functional>
#include <span>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/unlearning/holders.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// Sums over clients of vectors that each computes from units of its own, [trainable]: a federation's gradient, or its
/// Hessian times a vector. Clients are spread over the ranks and added in their order, in double: the same bits on any
/// number of ranks. At most 32 vectors are held at once.
class ClientSums {
 public:
  /// Writes the client's mean over the units to `out`, [trainable].
  using Work = std::function<void(UnitSet units, std::span<float> out)>;

  /// `holders`: who computes and on what; must outlive it.
  ClientSums(const Comm& comm, const Federation& federation, std::span<const DealtUnits> holders);
  /// Units of all.
  std::size_t units() const { return units_; }
  /// The sum over all units of what `work` gives the mean of, [trainable]. Collective.
  std::vector<double> sum(const Work& work);
  /// The same in an order of its own for single units: the sum of squares of what each unit gives. Collective.
  std::vector<double> sum_of_squares(const Work& work);

 private:
  template <class OfClient>
  std::vector<double> add_up(const OfClient& of_client);
  const Comm& comm_;
  const Federation& federation_;
  std::span<const DealtUnits> holders_;
  std::size_t units_ = 0;
  RowMatrix rows_;
  ColumnMatrix columns_;
};

}  // namespace souk
