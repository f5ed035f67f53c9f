#include "sim/learn/softmax.hpp"

#include <algorithm>
#include <cmath>

namespace souk {

namespace {

template <class T>
void normalise(std::span<T> logits) {
  const T largest = *std::ranges::max_element(logits);
  T sum{};
  for (T& value : logits) sum += value = std::exp(value - largest);
  for (T& value : logits) value /= sum;
}

}  // namespace

void softmax(std::span<float> logits) { normalise(logits); }
void softmax(std::span<double> logits) { normalise(logits); }

}  // namespace souk
