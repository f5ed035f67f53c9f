#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {

/// Weights of neighbours, and of a node itself, as scenario::Gcn has them.
enum class GcnNormalization : std::uint8_t { symmetric, plus_identity, without_self };

/// How a graph convolutional network weighs the first `rows` nodes of a field and their neighbours; S: float or double.
template <class S>
EdgeFactors<S> gcn_weights(GcnNormalization normalization, const ReceptiveField& field, std::size_t rows);

}  // namespace souk
