#include <algorithm>
#include <cmath>

#include "sim/base/contract.hpp"
#include "sim/learn/float_buffer.hpp"
#include "sim/learn/model.hpp"

namespace souk {
namespace {

/// log(sum of exp) minus the label's logit, in double.
double cross_entropy(std::span<const float> logits, std::size_t label) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double normaliser = 0.0;
  for (const float logit : logits) normaliser += std::exp(static_cast<double>(logit) - largest);
  return std::log(normaliser) + largest - static_cast<double>(logits[label]);
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

TestCounts test_batch(Network& network, std::span<const float> parameters, const Dataset& data,
                      std::span<const SampleIndex> which) {
  thread_local FloatBuffer features, logits;  // a test is hundreds of batches of one size
  const auto classes = static_cast<std::size_t>(network.shape().classes);
  SOUK_EXPECT(data.classes() == network.shape().classes);
  features.reserve(which.size() * data.features());
  logits.reserve(which.size() * classes);
  const std::span<float> inputs(features.data(), which.size() * data.features());
  const std::span<float> outputs(logits.data(), which.size() * classes);
  data.copy_features(which, inputs);
  network.logits(parameters, {.features = inputs, .labels = {}, .samples = which.size()}, outputs);

  TestCounts counts;
  counts.correct.assign(classes, 0);
  counts.samples.assign(classes, 0);
  counts.predicted.assign(classes, 0);
  counts.loss_of_class.assign(classes, 0.0);
  counts.answers = predicted_classes(outputs, classes);
  for (std::size_t i = 0; i < which.size(); ++i) {
    const auto label = static_cast<std::size_t>(data.labels()[which[i]]);
    const std::span<const float> row = outputs.subspan(i * classes, classes);
    const double loss = cross_entropy(row, label);
    counts.loss_sum += loss;
    counts.loss_of_class[label] += loss;
    ++counts.samples[label];
    ++counts.predicted[static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin())];
    if (counts.answers[i] == data.labels()[which[i]]) ++counts.correct[label];
  }
  return counts;
}

}  // namespace souk
