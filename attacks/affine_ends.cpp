#include "attacks/affine_ends.hpp"

namespace souk {
namespace {

/// Two slots that follow each other, if they are the weights and biases of an affine layer.
std::optional<AffineSlots> affine_at(const ParameterLayout& layout, std::size_t weight) {
  const std::span<const Slot> slots = layout.slots();
  if (weight + 1 >= slots.size()) return std::nullopt;
  const Slot& matrix = slots[weight];
  const Slot& vector = slots[weight + 1];
  const bool fits = matrix.trainable && vector.trainable && matrix.shape.size() == 2 && vector.shape.size() == 1 &&
                    matrix.shape[0] == vector.shape[0];
  if (!fits) return std::nullopt;
  return AffineSlots{.weight = matrix.offset,
                     .bias = vector.offset,
                     .outputs = static_cast<std::size_t>(matrix.shape[0]),
                     .inputs = static_cast<std::size_t>(matrix.shape[1])};
}

}  // namespace

std::optional<AffineSlots> first_affine_layer(const ParameterLayout& layout, std::size_t inputs) {
  const auto layer = affine_at(layout, 0);
  return layer && layer->inputs == inputs ? layer : std::nullopt;
}

std::optional<AffineSlots> last_affine_layer(const ParameterLayout& layout, std::size_t outputs) {
  std::size_t trained = 0;
  for (const Slot& slot : layout.slots()) trained += slot.trainable ? 1 : 0;
  if (trained < 2) return std::nullopt;
  const auto layer = affine_at(layout, trained - 2);
  return layer && layer->outputs == outputs ? layer : std::nullopt;
}

}  // namespace souk
