#include "sim/learn/objectives/class_probabilities.hpp"

#include <algorithm>
#include <cmath>

namespace souk {

void ClassProbabilities::read(std::span<const float> logits) {
  logits_.assign(logits.begin(), logits.end());
  probabilities_.resize(logits.size());
  const double largest = *std::ranges::max_element(logits_);
  double normaliser = 0.0;
  for (std::size_t c = 0; c < logits_.size(); ++c) normaliser += probabilities_[c] = std::exp(logits_[c] - largest);
  for (double& probability : probabilities_) probability /= normaliser;
  log_normaliser_ = std::log(normaliser) + largest;
}

double ClassProbabilities::of_others(std::size_t label) const {
  double sum = 0.0;
  for (std::size_t c = 0; c < probabilities_.size(); ++c) sum += c == label ? 0.0 : probabilities_[c];
  return sum;
}

void ClassProbabilities::push(std::span<const float> direction, std::span<double> out) const {
  double mean = 0.0;
  for (std::size_t c = 0; c < out.size(); ++c) mean += probabilities_[c] * static_cast<double>(direction[c]);
  for (std::size_t c = 0; c < out.size(); ++c) {
    out[c] = probabilities_[c] * (static_cast<double>(direction[c]) - mean);
  }
}

void curvature_of_softmax(std::span<const float> outputs, std::size_t width, std::size_t total,
                          std::span<float> direction) {
  ClassProbabilities probabilities;
  std::vector<double> pushed(width);
  for (std::size_t first = 0; first < outputs.size(); first += width) {
    const auto row = direction.subspan(first, width);
    probabilities.read(outputs.subspan(first, width));
    probabilities.push(row, pushed);
    for (std::size_t c = 0; c < width; ++c) row[c] = static_cast<float>(pushed[c] / static_cast<double>(total));
  }
}

}  // namespace souk
