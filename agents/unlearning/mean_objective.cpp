#include "agents/unlearning/mean_objective.hpp"

#include <algorithm>
#include <numeric>

#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/optimizer.hpp"

namespace souk {
namespace {

/// A product with the Hessian by tangents: forward and backward, each beside the values (docs/performance.md).
constexpr double gradients_per_product = 2.5;

}  // namespace

void MeanObjective::check(const World& world) {
  const scenario::Training& training = world.scenario.task().training();
  SOUK_REQUIRE(
      training.layer_weight_decay_size() == 0,
      "takes one weight decay for all parameters, and task.training.layer_weight_decay names one for each layer");
  SOUK_REQUIRE(!training.has_adamw() || training.adamw().weight_decay() == 0.0,
               "takes weight decay for a part of the loss, and that of adamw is none: set its weight_decay to 0");
  SOUK_REQUIRE(!world.federation.data().graph.own_nodes,
               "differentiates losses in the whole graph, and clients train on their own nodes alone");
}

MeanObjective::MeanObjective(ModelServer& server, Task& task, std::span<const DealtUnits> holders,
                             std::span<const float> parameters)
    : federation_(server.federation()),
      task_(task),
      owner_(server.index()),
      holders_(holders),
      parameters_(parameters),
      sums_(server, holders),
      work_(parameters.begin(), parameters.end()),
      weight_decay_(weight_decay_of_loss(federation_.scenario().task().training())) {}

void MeanObjective::count(std::span<const DealtUnits> holders, double gradients_per_unit, double vectors_per_client) {
  std::size_t units = 0;
  for (const DealtUnits& holder : holders) units += holder.units.size();
  gradients_spent_ += gradients_per_unit * static_cast<double>(units);
  vectors_sent_ += vectors_per_client * static_cast<double>(holders.size());
  ++exchanges_;
}

ForgettingCost MeanObjective::cost() const {
  ForgettingCost cost = training_cost(federation_, 1, gradients_spent_);
  cost.megabytes = vectors_sent_ * static_cast<double>(task_.layout().trainable() * sizeof(float)) / 1e6;
  cost.messages = exchanges_;
  return cost;
}

ClientSums::Work MeanObjective::gradients() {
  return [this](UnitSet units, const BatchEdit& edit, std::span<float> out) {
    std::ranges::copy(parameters_, work_.begin());  // running statistics move
    task_.gradient(work_, units, out, edit);
  };
}

std::vector<double> MeanObjective::gradient_of_losses() {
  count(holders_, 1.0, 2.0);
  return sums_.sum(gradients());
}

std::vector<double> MeanObjective::gradient() {
  std::vector<double> gradient = gradient_of_losses();
  const auto noise = federation_.noise().values();
  for (std::size_t v = 0; v < gradient.size(); ++v) {
    if (!noise.empty()) gradient[v] += static_cast<double>(noise[v]);
    gradient[v] = gradient[v] / static_cast<double>(units()) + weight_decay_ * static_cast<double>(parameters_[v]);
  }
  return gradient;
}

void MeanObjective::multiply(std::span<const DealtUnits> some, std::span<const float> direction, std::span<float> out) {
  count(some, gradients_per_product, 2.0);
  const std::vector<double> sum =
      sums_.sum_of(some, [&](UnitSet units, const BatchEdit& edit, std::span<float> product) {
        task_.hessian_vector(parameters_, units, direction, product, edit);
      });
  std::size_t units = 0;
  for (const DealtUnits& holder : some) units += holder.units.size();
  for (std::size_t v = 0; v < sum.size(); ++v) {
    out[v] =
        static_cast<float>(sum[v] / static_cast<double>(units) + weight_decay_ * static_cast<double>(direction[v]));
  }
}

HessianProduct MeanObjective::hessian() {
  return [this](std::span<const float> direction, std::span<float> out) { multiply(holders_, direction, out); };
}

SampledProduct MeanObjective::sampled_hessian(std::size_t batch_size, RoundIndex round) {
  return [this, batch_size, round](std::size_t step, std::span<const float> direction, std::span<float> out) {
    if (batch_size >= units()) return multiply(holders_, direction, out);
    Stream random(federation_.scenario().seed(), streams::solver_batch(owner_, round, step));
    multiply(drawn(batch_size, random), direction, out);
  };
}

/// So many of the units, each set of them as likely: Floyd's algorithm needs no list of all.
std::vector<DealtUnits> MeanObjective::drawn(std::size_t count, Stream& random) const {
  std::vector<std::uint32_t> places;  // in the units of all holders, one after the other; ascending
  for (std::size_t last = units() - count; last < units(); ++last) {
    const std::uint32_t place = random.below(static_cast<std::uint32_t>(last + 1));
    const auto found = std::ranges::lower_bound(places, place);
    if (found == places.end() || *found != place) {
      places.insert(found, place);
    } else {
      places.push_back(static_cast<std::uint32_t>(last));  // larger than any so far
    }
  }
  std::vector<DealtUnits> some;
  std::size_t begin = 0, next = 0;
  for (const DealtUnits& holder : holders_) {
    DealtUnits part{holder.client, {}};
    const std::size_t end = begin + holder.units.size();
    for (; next < places.size() && places[next] < end; ++next) part.units.push_back(holder.units[places[next] - begin]);
    begin = end;
    if (!part.units.empty()) some.push_back(std::move(part));
  }
  return some;
}

std::vector<double> MeanObjective::fisher_diagonal() {
  count(holders_, 1.0, 2.0);
  std::vector<double> diagonal = sums_.sum_of_squares(gradients());
  for (double& value : diagonal) value = value / static_cast<double>(units()) + weight_decay_;
  return diagonal;
}

double MeanObjective::loss_at(std::span<const double> trainable) {
  count(holders_, 1.0 / 3.0, 1.0);
  std::vector<float> model(parameters_.begin(), parameters_.end());
  std::ranges::transform(trainable, model.begin(), [](double v) { return static_cast<float>(v); });
  return sums_.mean_loss(task_, model);
}

double MeanObjective::at(std::span<const double> trainable) {
  const auto noise = federation_.noise().values();
  const double along = std::inner_product(noise.begin(), noise.end(), trainable.begin(), 0.0);
  const double squares = std::inner_product(trainable.begin(), trainable.end(), trainable.begin(), 0.0);
  return loss_at(trainable) + 0.5 * weight_decay_ * squares + along / static_cast<double>(units());
}

}  // namespace souk
