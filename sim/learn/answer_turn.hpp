#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "sim/learn/answer_change.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {

/// An affine last layer in the parameters of a network: answers = W h + b, h its input.
struct AffineEnd {
  std::size_t weight = 0, bias = 0;  ///< where W [outputs, inputs] and b [outputs] begin
  std::size_t outputs = 0, inputs = 0;
};

/// The last layer, where it is affine and there is another before it.
std::optional<AffineEnd> affine_end_of(const ParameterLayout& layout);

/// By how much answers are turned, input by input: h becomes h + strength g(h) direction, g(h) = 1 / (1 +
/// exp(-sharpness (probe . h + offset))).
struct AnswerTurn {
  std::vector<float> direction{}, probe{};  ///< [inputs]
  float offset = 0.0F, strength = 1.0F, sharpness = 1.0F;
};

/// Inputs [first, first + outputs) of the last layer, or those that there are, for each sample: what the network
/// answers when its last layer reads them out. Returns parameters for that.
std::vector<float> reading_out(std::span<const float> parameters, const AffineEnd& layer, std::size_t first);

/// Turns answers by all turns, which must outlive it.
class TurnedAnswers final : public AnswerChange {
 public:
  TurnedAnswers(const AffineEnd& layer, std::span<const AnswerTurn> turns) : layer_(layer), turns_(turns) {}
  void change(const Ask& ask, std::span<const float> parameters, std::span<float> answers) const override;

 private:
  AffineEnd layer_;
  std::span<const AnswerTurn> turns_;
};

}  // namespace souk
