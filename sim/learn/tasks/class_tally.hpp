#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/learn/objective.hpp"
#include "sim/learn/task.hpp"

namespace souk {

/// Predicted class of every row of logits [samples, classes], ties to the smaller; -1 where one is NaN.
std::vector<std::int32_t> predicted_classes(std::span<const float> logits, std::size_t classes);

/// Values of a tally of classes: the sum of the losses, and of every class, class after class: of its samples how many
/// are classified correctly, how many there are, how many are taken for it, and the sum of its losses: four blocks of
/// [classes].
constexpr std::size_t class_tally_size(std::size_t classes) { return 1 + 4 * classes; }

/// Writes it for logits [samples, classes], losses [samples] and labels [samples].
void tally_classes(std::span<const float> logits, std::span<const double> losses, std::span<const std::int32_t> labels,
                   std::size_t classes, std::span<double> sums);

/// Quality is accuracy, skill Cohen's kappa.
Scores class_scores(std::span<const double> sums, std::size_t classes);

/// F1 of every class, 2 correct / (samples + predictions of it), and their mean; NaN of a class that neither has
/// samples nor is predicted, which the mean leaves out.
std::vector<TaskMetric> f1_metrics(std::span<const double> sums, std::size_t classes);

}  // namespace souk
