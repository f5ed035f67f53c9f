#pragma once

#include <memory>
#include <string>

#include "sim/learn/architecture.hpp"
#include "sim/learn/model.hpp"

namespace souk {

class TorchBody;

/// Any architecture by LibTorch's operators and automatic differentiation, on tensors that are views of the flat
/// parameters. `device` is "cpu", "cuda" or "cuda:K"; there the parameters are copied for every call. Throws InputError
/// where the device is not there. The oracle that our own kernels are tested against.
std::unique_ptr<Network> make_torch_network(const Architecture& architecture, const std::string& device,
                                            std::shared_ptr<const Objective> objective);
/// The same of anything that LibTorch can run.
std::unique_ptr<Network> make_torch_network(std::unique_ptr<TorchBody> body, const std::string& device,
                                            std::shared_ptr<const Objective> objective);

}  // namespace souk
