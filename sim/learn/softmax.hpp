#pragma once

#include <span>

namespace souk {

/// Turns the logits of one sample into probabilities, in float; NaN where a logit is NaN. Losses need them in double
/// (objectives/class_probabilities.hpp).
void softmax(std::span<float> logits);
/// Likewise in double.
void softmax(std::span<double> logits);

}  // namespace souk
