#include "sim/learn/chain_kernels.hpp"

#include <algorithm>
#include <cmath>

#include <cblas.h>

#include "sim/base/multiversion.hpp"

namespace souk::kernels {
namespace {

[[gnu::always_inline]] inline float relu(float value) { return value < 0.0F ? 0.0F : value; }

}  // namespace

void multiply(const Product& product, Operand a, Operand b, float* c) {
  const auto blas = [](std::size_t extent) { return static_cast<blasint>(extent); };
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
              blas(product.m), blas(product.n), blas(product.k), product.alpha, a.data, blas(a.stride), b.data,
              blas(b.stride), product.beta, c, blas(product.n));
}

SOUK_MULTIVERSION void add_bias(float* y, const float* bias, std::size_t rows, std::size_t columns) {
  for (std::size_t row = 0; row < rows; ++row, y += columns) {
    for (std::size_t j = 0; j < columns; ++j) y[j] += bias[j];
  }
}

SOUK_MULTIVERSION void add_bias_relu(float* y, const float* bias, std::size_t rows, std::size_t columns) {
  for (std::size_t row = 0; row < rows; ++row, y += columns) {
    for (std::size_t j = 0; j < columns; ++j) y[j] = relu(y[j] + bias[j]);
  }
}

SOUK_MULTIVERSION void mask_relu(float* dy, const float* y, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) dy[i] = y[i] <= 0.0F ? 0.0F : dy[i];
}

SOUK_MULTIVERSION void sum_rows(const float* dy, std::size_t rows, std::size_t columns, float* sums) {
  std::fill_n(sums, columns, 0.0F);
  for (std::size_t row = 0; row < rows; ++row, dy += columns) {
    for (std::size_t j = 0; j < columns; ++j) sums[j] += dy[j];
  }
}

SOUK_MULTIVERSION void blend(float alpha, const float* source, float beta, float* target, std::size_t size) {
  if (beta == 0.0F) {  // the target may hold anything, NaN included
    for (std::size_t i = 0; i < size; ++i) target[i] = alpha * source[i];
  } else {
    for (std::size_t i = 0; i < size; ++i) target[i] = alpha * source[i] + beta * target[i];
  }
}

double softmax_cross_entropy(float* logits, const std::int32_t* labels, std::size_t samples, std::size_t classes,
                             std::size_t total) {
  const float share = 1.0F / static_cast<float>(total);
  double loss = 0.0;
  for (std::size_t sample = 0; sample < samples; ++sample, logits += classes) {
    const auto label = static_cast<std::size_t>(labels[sample]);
    const float largest = *std::max_element(logits, logits + classes);
    const double margin = static_cast<double>(largest) - static_cast<double>(logits[label]);
    float normaliser = 0.0F;
    for (std::size_t k = 0; k < classes; ++k) normaliser += logits[k] = std::exp(logits[k] - largest);
    loss += std::log(static_cast<double>(normaliser)) + margin;
    const float scale = share / normaliser;
    for (std::size_t k = 0; k < classes; ++k) logits[k] *= scale;
    logits[label] -= share;
  }
  return loss;
}

}  // namespace souk::kernels
