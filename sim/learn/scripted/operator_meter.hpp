#pragma once

#include <functional>

namespace souk {

/// What work by LibTorch's operators took on this thread.
struct OperatorCost {
  double flops = 0.0;  ///< of matrix products and convolutions; multiply and add are two
  double bytes = 0.0;  ///< the most that tensors made meanwhile held at once
};

/// Runs `work` and measures it. Backward passes count on the thread that runs them, which is this one for the CPU.
OperatorCost measure_operators(const std::function<void()>& work);

}  // namespace souk
