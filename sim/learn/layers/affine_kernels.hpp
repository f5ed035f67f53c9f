#pragma once

#include <cstddef>

namespace souk::kernels {

/// y = x w^T + bias, or y += x w^T; max(y, 0) with relu; NaN stays NaN.
struct Affine {
  const float* x;     ///< [samples, inputs]
  const float* w;     ///< [outputs, inputs]
  const float* bias;  ///< [outputs]; null: y is added to
  float* y;           ///< [samples, outputs]
  std::size_t samples, inputs, outputs;
  bool relu;
};

/// For long rows and few samples, where a general product spends its time on copying w into its own order: tiles of dot
/// products over the rows as they lie. 2 samples inputs outputs flops; w is read from memory once.
void apply_affine(const Affine& task);

/// Whether apply_affine is the faster way here: registers for its tiles, rows that outweigh the sums over lanes, and
/// enough of them.
bool suits_dot_products(std::size_t inputs, std::size_t outputs);

}  // namespace souk::kernels
