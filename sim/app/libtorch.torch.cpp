#include <ATen/Parallel.h>
#include <torch/version.h>

#include "sim/app/version.hpp"

namespace souk {

std::string libtorch_version() { return TORCH_VERSION; }

void limit_libtorch_to_one_thread() { at::set_num_threads(1); }

}  // namespace souk
