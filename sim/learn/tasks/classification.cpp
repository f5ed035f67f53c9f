#include "sim/learn/tasks/classification.hpp"

namespace souk {

Scores Classification::scores(std::span<const double> sums) const {
  return class_scores(sums, static_cast<std::size_t>(classes()));
}

void Classification::tally_answers(std::span<const float> outputs, std::span<const double> losses,
                                   const Targets& targets, std::span<double> sums) const {
  tally_classes(outputs, losses, targets.classes, static_cast<std::size_t>(classes()), sums);
}

}  // namespace souk
