#pragma once

#include <string>

#include <torch/csrc/jit/api/module.h>

namespace souk {

/// Throws InputError where forward, with everything that it calls, has an operator that reaches beyond the network's
/// tensors, that keeps something between calls, or whose result is not the same every time.
void check_operators(const std::string& path, const torch::jit::Module& module);

}  // namespace souk
