#pragma once

#include "sim/params/panel_plan.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {

/// Where the last weight matrix and its bias lie among the trainable values.
struct LastLayer {
  ColumnRange weight;  ///< [classes, inputs], row by row
  ColumnRange bias;    ///< [classes]; empty if the layer has none
};

/// Throws InputError where the last trainable slots are not a weight matrix with or without a bias.
LastLayer last_layer(const ParameterLayout& layout);

}  // namespace souk
