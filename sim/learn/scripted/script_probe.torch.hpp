#pragma once

#include <c10/core/Device.h>

#include "sim/learn/scripted/script_body.torch.hpp"

namespace souk {

/// Runs a module on small batches, in tests and in training, and measures it. Throws InputError where shapes do not
/// fit, where the same call gives other bits, or where it changes what it may not.
ScriptCost try_script(ScriptBody& body, const at::Device& device);

}  // namespace souk
