#pragma once

#include <string>

#include <torch/csrc/jit/api/module.h>

namespace souk {

/// The module in a file that torch.jit.save wrote, in memory of the CPU. Throws InputError where it is none, or where
/// its forward does what no network may: see docs/own-networks.md. Reading runs none of its code.
torch::jit::Module load_script(const std::string& path);

}  // namespace souk
