#include "sim/learn/softmax.hpp"

#include <algorithm>
#include <cmath>

namespace souk {

void softmax(std::span<float> logits) {
  const float largest = *std::ranges::max_element(logits);
  float sum = 0.0F;
  for (float& value : logits) sum += value = std::exp(value - largest);
  for (float& value : logits) value /= sum;
}

}  // namespace souk
