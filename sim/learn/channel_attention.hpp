#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "sim/learn/layer.hpp"

namespace souk {

/// A layer that no network lists, and an objective may ask for. Leaves the value as it is, and computes beside it, of
/// each sample, the channel attention sigmoid(W2 relu(W1 m)), m the mean over the pixels of each channel. W1 =
/// NAME.squeeze.weight has as many rows as there are channels, divided by `reduction`, one at least; W2 =
/// NAME.excite.weight. No biases.
std::unique_ptr<Layer> make_channel_attention(std::string name, std::size_t reduction);

}  // namespace souk
