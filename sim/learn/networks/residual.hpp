#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "sim/learn/architecture.hpp"

namespace souk {

/// How a residual network is laid out: a 3x3 stem, then stages of basic blocks; every stage but the first halves the
/// image and shortens by a 1x1 convolution.
struct ResidualPlan {
  std::span<const std::size_t> channels;  ///< of each stage; the stem has those of the first
  std::size_t blocks = 2;                 ///< per stage
  bool batch_norm = false;                ///< else group norm
  std::size_t groups = 2;                 ///< of group norm
};

/// He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, for small images. Names as in torchvision.
Architecture residual_network(const std::string& name, const ModelShape& shape, const ResidualPlan& plan);

}  // namespace souk
