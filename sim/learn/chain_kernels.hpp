#pragma once

#include <cstddef>
#include <cstdint>

/// The inner loops of affine layers and of the loss. Matrices are row-major and dense.
namespace souk::kernels {

/// A matrix operand: [rows, columns] as the product sees it; transposed: stored as [columns, rows].
struct Operand {
  const float* data = nullptr;
  bool transposed = false;
  std::size_t stride = 0;  ///< floats from one stored row to the next
};

/// c [m, n] = alpha a [m, k] b [k, n] + beta c. 2 m n k flops.
struct Product {
  std::size_t m = 0, n = 0, k = 0;
  float alpha = 1.0F, beta = 0.0F;
};
void multiply(const Product& product, Operand a, Operand b, float* c);

/// y [rows, columns] += bias [columns].
void add_bias(float* y, const float* bias, std::size_t rows, std::size_t columns);
/// The same, then max(y, 0). NaN stays NaN.
void add_bias_relu(float* y, const float* bias, std::size_t rows, std::size_t columns);
/// dy = 0 where y <= 0.
void mask_relu(float* dy, const float* y, std::size_t size);
/// sums [columns] of dy [rows, columns], rows in ascending order.
void sum_rows(const float* dy, std::size_t rows, std::size_t columns, float* sums);
/// target = alpha source + beta target.
void blend(float alpha, const float* source, float beta, float* target, std::size_t size);

/// Cross-entropy of logits [samples, classes], summed in sample order; logits become the gradient of its mean over
/// `total` samples, (softmax - one_hot) / total.
double softmax_cross_entropy(float* logits, const std::int32_t* labels, std::size_t samples, std::size_t classes,
                             std::size_t total);

}  // namespace souk::kernels
