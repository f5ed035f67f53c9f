#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/learn/architecture.hpp"

/// The inner loops of ChainNetwork. Matrices are row-major and dense; buffers of images are channel-major. Where a
/// kernel says "overruns", it reads or writes up to 16 floats past the end (FloatBuffer has the margin).
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

/// A convolution of stride 1 on a block of images.
struct ConvShape {
  Extent in, out;  ///< out: before pooling
  std::size_t kernel = 1, padding = 0;
  std::size_t window() const { return in.channels * kernel * kernel; }
  std::size_t padded_height() const { return in.height + 2 * padding; }
  std::size_t padded_width() const { return in.width + 2 * padding; }
  std::size_t padded_size() const { return in.channels * padded_height() * padded_width(); }
};

/// Copies images [images, in] into frames of zeros [images, padded]; the frames must be zero already.
void pad(const ConvShape& shape, const float* images, std::size_t count, float* padded);
/// columns [window, images, out pixels] of padded images. Overruns. 4 bytes read and written per value.
void im2col(const ConvShape& shape, const float* padded, std::size_t count, float* columns);
/// The adjoint: dx [images, in] = sums of columns [window, images, out pixels]. Overruns both ends of columns.
/// `inside` is inside_mask(shape).
void col2im(const ConvShape& shape, const std::int32_t* inside, const float* columns, std::size_t count, float* dx);
/// All bits set for the columns of an output row, none left and right of it, where col2im's vectors overrun.
std::vector<std::int32_t> inside_mask(const ConvShape& shape);

/// Results of a convolution z [channels, images, pixels] to images.
struct Pooling {
  Extent in;  ///< of z, per image
  bool relu = false;
};
/// y [images, channels, pixels] = z + bias, max(…, 0) with relu.
void finish(const Pooling& shape, const float* z, const float* bias, std::size_t count, float* y);
/// The same through 2x2 max pooling; `winner` [images, channels, pooled pixels] says which of the four it was, the
/// first of equals. The bias is added after the maximum, which rounds to the same value.
void finish_pooled(const Pooling& shape, const float* z, const float* bias, std::size_t count, float* y,
                   std::uint8_t* winner);
/// dz [channels, images, pixels] from dy [images, channels, pixels]; with relu zero where y <= 0. db [channels] +=
/// sums.
void unfinish(const Pooling& shape, const float* dy, const float* y, std::size_t count, float* dz, float* db);
/// The same through 2x2 max pooling. Masks dy in place.
void unfinish_pooled(const Pooling& shape, float* dy, const float* y, const std::uint8_t* winner, std::size_t count,
                     float* dz, float* db);

}  // namespace souk::kernels
