#pragma once

#include <span>
#include <vector>

namespace souk {

/// Rows of an affine layer's gradient, or of sums of gradients, up to one factor.
struct AffineGradient {
  std::span<const float> weights;  ///< [rows, inputs]
  std::span<const float> biases;   ///< [rows]
  double tolerance =
      1e-5;  ///< rows with |bias| <= tolerance times the largest |bias|, or |weight| of the row, say nothing
  double agreement = 1e-3;  ///< rows that differ by no more in any value show the same sample
};

/// g_W / g_b of the rows that say something, those that agree once: [samples, inputs]. A row that one sample alone has
/// lit up shows it exactly; any other a weighted mean. Rows with the largest biases come first.
std::vector<float> affine_readout(const AffineGradient& gradient);

}  // namespace souk
