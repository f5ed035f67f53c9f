#include "agents/unlearning/mean_objective.hpp"

#include <algorithm>
#include <numeric>

#include "agents/training/evaluator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"

namespace souk {
namespace {

/// A product with the Hessian by tangents: forward and backward, each beside the values (docs/performance.md).
constexpr double gradients_per_product = 2.5;

double weight_decay_of(const scenario::Training& training) {
  return training.has_adam()  ? training.adam().weight_decay()
         : training.has_sgd() ? training.sgd().weight_decay()
                              : 0.0;
}

}  // namespace

MeanObjective::MeanObjective(const Comm& comm, const Federation& federation, Task& task,
                             std::span<const DealtUnits> holders, std::span<const float> parameters)
    : federation_(federation),
      task_(task),
      holders_(holders),
      parameters_(parameters),
      sums_(comm, federation, holders),
      comm_(comm),
      work_(parameters.begin(), parameters.end()),
      weight_decay_(weight_decay_of(federation.scenario().task().training())) {}

void MeanObjective::count(double gradients_per_unit, double vectors_per_client) {
  gradients_spent_ += gradients_per_unit * static_cast<double>(units());
  vectors_sent_ += vectors_per_client * static_cast<double>(holders_.size());
  ++exchanges_;
}

ForgettingCost MeanObjective::cost() const {
  ForgettingCost cost = training_cost(federation_, 1, gradients_spent_);
  cost.megabytes = vectors_sent_ * static_cast<double>(task_.layout().trainable() * sizeof(float)) / 1e6;
  cost.messages = exchanges_;
  return cost;
}

ClientSums::Work MeanObjective::gradients() {
  return [this](UnitSet units, std::span<float> out) {
    std::ranges::copy(parameters_, work_.begin());  // running statistics move
    task_.gradient(work_, units, out);
  };
}

std::vector<double> MeanObjective::gradient_of_losses() {
  count(1.0, 2.0);
  return sums_.sum(gradients());
}

std::vector<double> MeanObjective::gradient() {
  std::vector<double> gradient = gradient_of_losses();
  for (std::size_t v = 0; v < gradient.size(); ++v) {
    gradient[v] = gradient[v] / static_cast<double>(units()) + weight_decay_ * static_cast<double>(parameters_[v]);
  }
  return gradient;
}

HessianProduct MeanObjective::hessian() {
  return [this](std::span<const float> direction, std::span<float> out) {
    count(gradients_per_product, 2.0);
    const std::vector<double> sum = sums_.sum(
        [&](UnitSet units, std::span<float> product) { task_.hessian_vector(parameters_, units, direction, product); });
    for (std::size_t v = 0; v < sum.size(); ++v) {
      out[v] =
          static_cast<float>(sum[v] / static_cast<double>(units()) + weight_decay_ * static_cast<double>(direction[v]));
    }
  };
}

std::vector<double> MeanObjective::fisher_diagonal() {
  count(1.0, 2.0);
  std::vector<double> diagonal = sums_.sum_of_squares(gradients());
  for (double& value : diagonal) value = value / static_cast<double>(units()) + weight_decay_;
  return diagonal;
}

double MeanObjective::at(std::span<const double> trainable) {
  count(1.0 / 3.0, 1.0);
  std::vector<float> model(parameters_.begin(), parameters_.end());
  std::ranges::transform(trainable, model.begin(), [](double v) { return static_cast<float>(v); });
  std::vector<SampleIndex> all;
  for (const DealtUnits& holder : holders_) all.insert(all.end(), holder.units.begin(), holder.units.end());
  constexpr std::size_t batch = 250;
  Evaluator evaluator(task_, Split::train, std::move(all), batch);
  comm_.run_phase("loss on what stays", [&] { evaluator.test_own_batches(comm_, model); });
  const double squares = std::inner_product(trainable.begin(), trainable.end(), trainable.begin(), 0.0);
  return evaluator.gather(comm_).scores.loss + 0.5 * weight_decay_ * squares;
}

}  // namespace souk
