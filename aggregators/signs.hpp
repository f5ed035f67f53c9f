#pragma once

#include "aggregators/aggregator.hpp"

namespace souk {

/// For every column, the updates with a positive value minus those with a negative one. No communication.
ColumnVector sum_of_signs(const ColumnMatrix& updates);

/// -1, 0 or 1.
inline float sign_of(float value) { return static_cast<float>((value > 0.0F) - (value < 0.0F)); }

}  // namespace souk
