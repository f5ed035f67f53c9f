#include "sim/learn/weighted_losses.hpp"

#include <vector>

namespace souk {
namespace {

void weigh(std::span<float> rows, std::size_t width, std::span<const float> weights) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    for (float& value : rows.subspan(i * width, width)) value *= weights[i];
  }
}

}  // namespace

void WeightedLosses::losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
                            std::span<double> out) const {
  loss_->losses(outputs, width, targets, out);
  for (std::size_t i = 0; i < targets.weights.size(); ++i) out[i] *= static_cast<double>(targets.weights[i]);
}

double WeightedLosses::gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                                std::size_t total) const {
  if (targets.weights.empty()) return loss_->gradient(outputs, width, targets, total);
  std::vector<double> each(targets.weights.size());
  losses(outputs, width, targets, each);
  double sum = 0.0;
  for (const double loss : each) sum += loss;
  loss_->gradient(outputs, width, targets, total);
  weigh(outputs, width, targets.weights);
  return sum;
}

void WeightedLosses::curvature(std::span<const float> outputs, std::size_t width, const Targets& targets,
                               std::size_t total, std::span<float> direction) const {
  loss_->curvature(outputs, width, targets, total, direction);
  weigh(direction, width, targets.weights);
}

}  // namespace souk
