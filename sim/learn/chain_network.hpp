#pragma once

#include <memory>

#include "sim/learn/architecture.hpp"
#include "sim/learn/model.hpp"

namespace souk {

/// Whether our own kernels run every layer: today affine ones and convolutions of stride 1, each followed by ReLU, 2x2
/// max pooling (convolutions), both in this order, or nothing.
bool is_chain(const Architecture& architecture);

/// A chain on the CPU by our own kernels over OpenBLAS: forward and backward passes written out, without tensors,
/// recorded graphs or allocations in steady state. Contract: is_chain.
std::unique_ptr<Network> make_chain_network(const Architecture& architecture,
                                            std::shared_ptr<const Objective> objective);

}  // namespace souk
