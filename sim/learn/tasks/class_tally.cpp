#include "sim/learn/tasks/class_tally.hpp"

#include <algorithm>
#include <cmath>

namespace souk {
namespace {

/// The blocks of a tally.
template <class Value>
struct Blocks {
  Blocks(std::span<Value> sums, std::size_t classes)
      : correct(sums.subspan(1, classes)),
        samples(sums.subspan(1 + classes, classes)),
        predicted(sums.subspan(1 + 2 * classes, classes)),
        loss(sums.subspan(1 + 3 * classes, classes)) {}
  std::span<Value> correct, samples, predicted, loss;
};

/// Cohen's kappa of predictions and labels.
double kappa(const Blocks<const double>& of, double total, double accuracy) {
  double by_chance = 0.0;
  for (std::size_t c = 0; c < of.samples.size(); ++c) by_chance += of.samples[c] / total * (of.predicted[c] / total);
  return by_chance < 1.0 ? (accuracy - by_chance) / (1.0 - by_chance) : 0.0;
}

}  // namespace

std::vector<std::int32_t> predicted_classes(std::span<const float> logits, std::size_t classes) {
  std::vector<std::int32_t> answers;
  for (std::size_t first = 0; first < logits.size(); first += classes) {
    const auto row = logits.subspan(first, classes);
    const bool broken = std::ranges::any_of(row, [](float logit) { return std::isnan(logit); });
    answers.push_back(broken ? -1 : static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
  }
  return answers;
}

void tally_classes(std::span<const float> logits, std::span<const double> losses, std::span<const std::int32_t> labels,
                   std::size_t classes, std::span<double> sums) {
  std::ranges::fill(sums, 0.0);
  const Blocks<double> of(sums, classes);
  const std::vector<std::int32_t> answers = predicted_classes(logits, classes);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    const std::span<const float> row = logits.subspan(i * classes, classes);
    sums[0] += losses[i];
    of.loss[label] += losses[i];
    of.samples[label] += 1.0;
    of.predicted[static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin())] += 1.0;
    if (answers[i] == labels[i]) of.correct[label] += 1.0;
  }
}

Scores class_scores(std::span<const double> sums, std::size_t classes) {
  const Blocks<const double> of(sums, classes);
  double correct = 0.0, samples = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    correct += of.correct[c];
    samples += of.samples[c];
  }
  Scores scores{.loss = sums[0] / samples, .quality = correct / samples};
  scores.skill = kappa(of, samples, scores.quality);
  scores.metrics = {{"accuracy", scores.quality}, {"loss", scores.loss}};
  for (std::size_t c = 0; c < classes; ++c) {  // 0/0 is NaN: no sample of the class
    scores.loss_of_class.push_back(of.loss[c] / of.samples[c]);
    scores.metrics.push_back({"class_accuracy", of.correct[c] / of.samples[c], static_cast<std::int64_t>(c)});
  }
  return scores;
}

std::vector<TaskMetric> f1_metrics(std::span<const double> sums, std::size_t classes) {
  const Blocks<const double> of(sums, classes);
  std::vector<TaskMetric> metrics{{"macro_f1", 0.0}};
  double sum = 0.0, count = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    const double f1 = 2.0 * of.correct[c] / (of.samples[c] + of.predicted[c]);
    metrics.push_back({"class_f1", f1, static_cast<std::int64_t>(c)});
    if (std::isnan(f1)) continue;
    sum += f1;
    count += 1.0;
  }
  metrics.front().value = sum / count;
  return metrics;
}

}  // namespace souk
