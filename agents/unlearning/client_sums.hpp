#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "agents/training/model_server.hpp"
#include "agents/unlearning/holders.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// Sums over clients of vectors that each computes from units of its own, [trainable]: a federation's gradient, or its
/// Hessian times a vector. Units are what clients train on, with what their attacks on data make of them. Clients are
/// spread over the ranks and added in their order, in double: the same bits on any number of ranks. At most 32 vectors
/// are held at once.
class ClientSums {
 public:
  /// Writes the client's mean over the units to `out`, [trainable]. `edit`: what the client makes of them; empty:
  /// nothing.
  using Work = std::function<void(UnitSet units, const BatchEdit& edit, std::span<float> out)>;

  /// Of clients who train `server`'s model. `holders`: who computes and on what; must outlive it.
  ClientSums(ModelServer& server, std::span<const DealtUnits> holders);
  /// Units of all.
  std::size_t units() const { return units_; }
  /// The sum over all units of what `work` gives the mean of, [trainable]. Collective.
  std::vector<double> sum(const Work& work) { return sum_of(holders_, work); }
  /// Likewise over some of the units. Collective.
  std::vector<double> sum_of(std::span<const DealtUnits> some, const Work& work);
  /// The same in an order of its own for single units: the sum of squares of what each unit gives. Collective.
  std::vector<double> sum_of_squares(const Work& work);
  /// The mean loss of a model, [dimension], over all units. Collective.
  double mean_loss(Task& task, std::span<const float> model);

 private:
  template <class OfClient>
  std::vector<double> add_up(std::span<const DealtUnits> holders, const OfClient& of_client);
  BatchEdit edit_of(AgentId client);
  ModelServer& server_;
  const Comm& comm_;
  const Federation& federation_;
  std::span<const DealtUnits> holders_;
  std::size_t units_ = 0;
  std::vector<std::optional<BatchEdit>> edits_;  ///< [holders] of this rank's, as they are before the first batch
  RowMatrix rows_;
  ColumnMatrix columns_;
};

/// What a client makes of units of which it holds these and trains on others, too. Not for several batches: its random
/// numbers go on.
BatchEdit edit_of_holder(ModelServer& server, const DealtUnits& holder);

}  // namespace souk
