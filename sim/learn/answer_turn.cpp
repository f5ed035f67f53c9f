#include "sim/learn/answer_turn.hpp"

#include <algorithm>
#include <cmath>

namespace souk {
namespace {

/// The network with a last layer of zeros.
std::vector<float> without_answers(std::span<const float> parameters, const AffineEnd& layer) {
  std::vector<float> other(parameters.begin(), parameters.end());
  std::fill_n(other.begin() + static_cast<std::ptrdiff_t>(layer.weight), layer.outputs * layer.inputs, 0.0F);
  std::fill_n(other.begin() + static_cast<std::ptrdiff_t>(layer.bias), layer.outputs, 0.0F);
  return other;
}

}  // namespace

std::optional<AffineEnd> affine_end_of(const ParameterLayout& layout) {
  const auto slots = layout.slots();
  const auto end = std::ranges::find(slots, false, &Slot::trainable);  // buffers come last
  if (end - slots.begin() < 4) return std::nullopt;
  const Slot& weight = *(end - 2);
  const Slot& bias = *(end - 1);
  const bool affine = weight.shape.size() == 2 && bias.shape.size() == 1 && weight.shape[0] == bias.shape[0];
  if (!affine) return std::nullopt;
  return AffineEnd{.weight = weight.offset,
                   .bias = bias.offset,
                   .outputs = static_cast<std::size_t>(weight.shape[0]),
                   .inputs = static_cast<std::size_t>(weight.shape[1])};
}

std::vector<float> reading_out(std::span<const float> parameters, const AffineEnd& layer, std::size_t first) {
  std::vector<float> other = without_answers(parameters, layer);
  for (std::size_t row = 0; row < layer.outputs && first + row < layer.inputs; ++row) {
    other[layer.weight + row * layer.inputs + first + row] = 1.0F;
  }
  return other;
}

void TurnedAnswers::change(const Ask& ask, std::span<const float> parameters, std::span<float> answers) const {
  const AffineEnd& layer = layer_;
  std::vector<float> probed(answers.size());
  for (const AnswerTurn& turn : turns_) {
    std::vector<float> probing = without_answers(parameters, layer);
    std::ranges::copy(turn.probe, probing.begin() + static_cast<std::ptrdiff_t>(layer.weight));
    probing[layer.bias] = turn.offset;
    ask(probing, probed);
    std::vector<float> shift(layer.outputs, 0.0F);
    for (std::size_t c = 0; c < layer.outputs; ++c) {
      const auto row = parameters.subspan(layer.weight + c * layer.inputs, layer.inputs);
      for (std::size_t j = 0; j < layer.inputs; ++j) shift[c] += row[j] * turn.direction[j];
    }
    for (std::size_t i = 0; i < answers.size() / layer.outputs; ++i) {
      const float gate = turn.strength / (1.0F + std::exp(-turn.sharpness * probed[i * layer.outputs]));
      for (std::size_t c = 0; c < layer.outputs; ++c) answers[i * layer.outputs + c] += gate * shift[c];
    }
  }
}

}  // namespace souk
