#pragma once

#include <functional>
#include <span>
#include <vector>

#include "agents/stage.hpp"
#include "agents/unlearning/client_sums.hpp"
#include "sim/learn/curvature/solver.hpp"

namespace souk {

/// What the clients minimise together, at one point: the mean of their units' losses and half the squared length of the
/// parameters times the optimizer's weight decay. All answers are collective, and have the same bits on every rank.
class MeanObjective {
 public:
  /// `task`: the federation's, or one over the graph as it was. `parameters` [dimension]; all outlive it.
  MeanObjective(const Comm& comm, const Federation& federation, Task& task, std::span<const DealtUnits> holders,
                std::span<const float> parameters);
  std::size_t units() const { return sums_.units(); }
  double weight_decay() const { return weight_decay_; }
  /// Of the sum of losses alone, [trainable].
  std::vector<double> gradient_of_losses();
  /// Of the objective, [trainable].
  std::vector<double> gradient();
  /// H with the weight decay on its diagonal.
  HessianProduct hessian();
  /// Mean over units of the squared gradients of their losses, plus the weight decay, [trainable].
  std::vector<double> fisher_diagonal();
  /// The objective elsewhere, at [trainable] values.
  double at(std::span<const double> trainable);
  /// Of all so far; a product counts as many gradients as it costs to form.
  ForgettingCost cost() const;

 private:
  void count(double gradients_per_unit, double vectors_per_client);
  ClientSums::Work gradients();
  const Federation& federation_;
  Task& task_;
  std::span<const DealtUnits> holders_;
  std::span<const float> parameters_;
  ClientSums sums_;
  const Comm& comm_;
  std::vector<float> work_;
  double weight_decay_;
  double gradients_spent_ = 0.0;  ///< of single units
  double vectors_sent_ = 0.0;     ///< between clients and server, [trainable] each
  std::uint64_t exchanges_ = 0;
};

}  // namespace souk
