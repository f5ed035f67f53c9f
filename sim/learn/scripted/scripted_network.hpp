#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "sim/learn/model.hpp"

namespace souk::scenario {
class TorchScript;
}

namespace souk {

/// A module that PyTorch has saved as a network, on LibTorch. It is tried on batches of its shape first. Throws
/// InputError where the file holds none that can be used so; docs/own-networks.md says what is asked of it.
std::unique_ptr<Network> make_scripted_network(const scenario::TorchScript& config, const ModelShape& shape,
                                               const std::string& device, std::shared_ptr<const Objective> objective);

/// Values in the parameters and buffers of the module, which is not tried.
std::size_t scripted_parameter_count(const scenario::TorchScript& config);

}  // namespace souk
