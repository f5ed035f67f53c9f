#pragma once

#include <cstddef>
#include <memory>

#include "sim/learn/graphs/convolution.hpp"

namespace souk {

/// h'_i = h_i W + b: a layer that looks at no neighbour.
std::unique_ptr<Convolution> dense_layer(std::size_t outputs);

}  // namespace souk
