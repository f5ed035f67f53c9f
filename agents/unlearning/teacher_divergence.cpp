#include "agents/unlearning/teacher_divergence.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/learn/softmax.hpp"

namespace souk {

TeacherDivergence::TeacherDivergence(std::size_t width, double temperature)
    : width_(width), temperature_(static_cast<float>(temperature)) {}

void TeacherDivergence::teach(std::vector<float> logits) {
  answers_ = std::move(logits);
  for (std::size_t first = 0; first < answers_.size(); first += width_) {
    soften(std::span(answers_).subspan(first, width_));
  }
}

void TeacherDivergence::losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
                               std::span<double> out) const {
  std::vector<float> own(width);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::ranges::copy(outputs.subspan(i * width, width), own.begin());
    out[i] = read(own, teacher(targets, i));
  }
}

double TeacherDivergence::gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                                   std::size_t total) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < targets.classes.size(); ++i) {
    const auto own = outputs.subspan(i * width, width);
    const auto wanted = teacher(targets, i);
    sum += read(own, wanted);
    for (std::size_t c = 0; c < width; ++c) {
      own[c] = temperature_ * (own[c] - wanted[c]) / static_cast<float>(total);
    }
  }
  return sum;
}

void TeacherDivergence::curvature(std::span<const float>, std::size_t, const Targets&, std::size_t,
                                  std::span<float>) const {
  SOUK_EXPECT(false);  // those who are taught take plain steps
}

void TeacherDivergence::soften(std::span<float> logits) const {
  for (float& logit : logits) logit /= temperature_;
  softmax(logits);
}

std::span<const float> TeacherDivergence::teacher(const Targets& targets, std::size_t sample) const {
  return std::span(answers_).subspan(static_cast<std::size_t>(targets.classes[sample]) * width_, width_);
}

/// Logits become probabilities; T^2 times the divergence from the teacher's.
double TeacherDivergence::read(std::span<float> own, std::span<const float> wanted) const {
  soften(own);
  double sum = 0.0;
  for (std::size_t c = 0; c < own.size(); ++c) {
    const auto p = static_cast<double>(wanted[c]);
    if (p > 0.0) sum += p * std::log(p / std::max(static_cast<double>(own[c]), 1e-30));
  }
  return static_cast<double>(temperature_) * static_cast<double>(temperature_) * sum;
}

}  // namespace souk
