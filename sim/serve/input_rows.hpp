#pragma once

#include <vector>

#include "sim/learn/graphs/receptive_field.hpp"

namespace souk {

/// What a network reads of a graph's nodes, all of them together; `scaling` as a field has it.

/// [features] Mean over the nodes.
std::vector<double> mean_input(const SparseRows& features, const FeatureScaling& scaling);
/// [features] Median over the nodes, of each feature.
std::vector<double> median_input(const SparseRows& features, const FeatureScaling& scaling);
/// The node nearest to `point` [features], Euclidean; ties: the first.
NodeIndex nearest_input(const SparseRows& features, const FeatureScaling& scaling, const std::vector<double>& point);

}  // namespace souk
