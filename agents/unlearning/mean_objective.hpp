#pragma once

#include <functional>
#include <span>
#include <vector>

#include "agents/stage.hpp"
#include "agents/unlearning/client_sums.hpp"
#include "sim/learn/curvature/solver.hpp"
#include "sim/learn/curvature/stochastic.hpp"

namespace souk {

/// What the clients minimise together, at one point: the mean of their units' losses, half the squared length of the
/// parameters times the optimizer's weight decay, and the linear term that the noise in the objective is, over the
/// units. All answers are collective, and have the same bits on every rank.
class MeanObjective {
 public:
  /// Throws InputError where clients minimise something else.
  static void check(const World& world);
  /// Of clients who train `server`'s model. `task`: the federation's, or one over the graph as it was. `parameters`
  /// [dimension] may change from one question to the next; all outlive it.
  MeanObjective(ModelServer& server, Task& task, std::span<const DealtUnits> holders,
                std::span<const float> parameters);
  std::size_t units() const { return sums_.units(); }
  const ParameterLayout& layout() const { return task_.layout(); }
  double weight_decay() const { return weight_decay_; }
  /// Of the sum of losses alone, [trainable].
  std::vector<double> gradient_of_losses();
  /// Of the objective, [trainable].
  std::vector<double> gradient();
  /// H with the weight decay on its diagonal.
  HessianProduct hessian();
  /// The same of mini-batches of so many units, drawn for each step of a solver by the seed and the round; of all where
  /// there are no more.
  SampledProduct sampled_hessian(std::size_t batch_size, RoundIndex round);
  /// Mean over units of the squared gradients of their losses, plus the weight decay, [trainable].
  std::vector<double> fisher_diagonal();
  /// The mean loss elsewhere, at [trainable] values, and nothing else.
  double loss_at(std::span<const double> trainable);
  /// The objective there.
  double at(std::span<const double> trainable);
  /// Of all so far; a product counts as many gradients as it costs to form.
  ForgettingCost cost() const;

 private:
  void count(std::span<const DealtUnits> holders, double gradients_per_unit, double vectors_per_client);
  ClientSums::Work gradients();
  void multiply(std::span<const DealtUnits> some, std::span<const float> direction, std::span<float> out);
  std::vector<DealtUnits> drawn(std::size_t count, Stream& random) const;
  const Federation& federation_;
  Task& task_;
  std::size_t owner_;
  std::span<const DealtUnits> holders_;
  std::span<const float> parameters_;
  ClientSums sums_;
  std::vector<float> work_;
  double weight_decay_;
  double gradients_spent_ = 0.0;  ///< of single units
  double vectors_sent_ = 0.0;     ///< between clients and server, [trainable] each
  std::uint64_t exchanges_ = 0;
};

}  // namespace souk
