#include "sim/learn/answer_map.hpp"

#include <cmath>

namespace souk {

std::vector<double> mapped_logits(std::span<const float> weights, std::span<const float> logits) {
  std::vector<double> out(logits.size());
  for (std::size_t c = 0; c < out.size(); ++c) {
    for (std::size_t k = 0; k < logits.size(); ++k) {
      out[c] += static_cast<double>(weights[c * logits.size() + k]) * static_cast<double>(logits[k]);
    }
  }
  return out;
}

void MappedAnswers::change(const Ask&, std::span<const float>, std::span<float> answers) const {
  for (const AnswerMap& map : maps_) {
    const auto classes = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(map.weights.size()))));
    for (const std::uint32_t node : map.nodes) {
      const auto row = answers.subspan(node * classes, classes);
      const std::vector<double> moved = mapped_logits(map.weights, row);
      for (std::size_t c = 0; c < classes; ++c) row[c] = static_cast<float>(moved[c]);
    }
  }
}

}  // namespace souk
