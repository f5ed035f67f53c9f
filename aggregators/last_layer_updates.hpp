#pragma once

#include "aggregators/aggregator.hpp"
#include "aggregators/last_layer.hpp"
#include "sim/params/dense_matrix.hpp"

namespace souk {

/// Sum of the magnitudes of each update in the weights and the bias of each class, [n, classes]. Throws
/// InputError where the layer has no row per class. Collective.
DenseMatrix magnitudes_by_class(const RuleInput& input, const LastLayer& layer, std::size_t classes);

/// Products of the updates' biases, [n, n], in double; of their last weights where the layer has no bias. Collective.
SymmetricMatrix bias_gram(const RuleInput& input, const LastLayer& layer);

}  // namespace souk
