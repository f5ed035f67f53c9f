#include "sim/learn/chain_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <cblas.h>

#include "sim/base/multiversion.hpp"

namespace souk::kernels {
namespace {

constexpr std::size_t lanes = 16;

/// 16 values; lowered to what the target has.
using Vector [[gnu::vector_size(64)]] = float;
using Mask [[gnu::vector_size(64)]] = std::int32_t;

/// By reference: returning a vector would depend on the target.
[[gnu::always_inline]] inline void load(const void* from, Mask& to) { std::memcpy(&to, from, sizeof to); }

/// Sum of values [size] in one fixed order: 16 running sums, then those.
[[gnu::always_inline]] inline float sum(const float* values, std::size_t size) {
  float partial[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) partial[lane] += values[i + lane];
  }
  for (std::size_t lane = 0; i < size; ++i, ++lane) partial[lane] += values[i];
  float total = 0.0F;
  for (const float value : partial) total += value;
  return total;
}

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

void pad(const ConvShape& shape, const float* images, std::size_t count, float* padded) {
  const std::size_t width = shape.in.width, pitch = shape.padded_width();
  for (std::size_t plane = 0; plane < count * shape.in.channels; ++plane) {
    float* target = padded + plane * pitch * shape.padded_height() + shape.padding * pitch + shape.padding;
    for (std::size_t row = 0; row < shape.in.height; ++row, images += width, target += pitch) {
      std::memcpy(target, images, width * sizeof(float));
    }
  }
}

SOUK_MULTIVERSION void im2col(const ConvShape& shape, const float* padded, std::size_t count, float* columns) {
  const std::size_t pitch = shape.padded_width(), width = shape.out.width, height = shape.out.height;
  for (std::size_t channel = 0; channel < shape.in.channels; ++channel) {
    for (std::size_t kh = 0; kh < shape.kernel; ++kh) {
      for (std::size_t kw = 0; kw < shape.kernel; ++kw) {
        for (std::size_t image = 0; image < count; ++image) {
          const float* source =
              padded + image * shape.padded_size() + (channel * shape.padded_height() + kh) * pitch + kw;
          // Whole vectors: what a row writes too much, the next row overwrites.
          for (std::size_t row = 0; row < height; ++row, source += pitch, columns += width) {
            for (std::size_t x = 0; x < width; x += lanes) std::memcpy(columns + x, source + x, sizeof(Vector));
          }
        }
      }
    }
  }
}

std::vector<std::int32_t> inside_mask(const ConvShape& shape) {
  std::vector<std::int32_t> inside(shape.out.width + shape.in.width + 2 * (lanes + shape.kernel), 0);
  std::fill_n(inside.begin() + static_cast<std::ptrdiff_t>(shape.kernel), shape.out.width, -1);
  return inside;
}

SOUK_MULTIVERSION void col2im(const ConvShape& shape, const std::int32_t* inside, const float* columns,
                              std::size_t count, float* dx) {
  const std::size_t kernel = shape.kernel, width = shape.out.width, pixels = shape.out.pixels();
  for (std::size_t image = 0; image < count; ++image) {
    for (std::size_t channel = 0; channel < shape.in.channels; ++channel) {
      const float* windows = columns + (channel * kernel * kernel * count + image) * pixels;
      for (std::size_t h = 0; h < shape.in.height; ++h, dx += shape.in.width) {
        // Input row h is read through kernel rows [first, last) by output rows h + padding - kh.
        const std::size_t centre = h + shape.padding;
        const std::size_t first = centre < shape.out.height ? 0 : centre - shape.out.height + 1;
        const std::size_t last = std::min(kernel, centre + 1);
        for (std::size_t x = 0; x < shape.in.width; x += lanes) {
          Vector total{};
          for (std::size_t kw = 0; kw < kernel; ++kw) {
            // Lanes that fall outside the output row belong to other rows: they do not count.
            Mask mask, value;
            load(inside + kernel + x + shape.padding - kw, mask);
            const float* column = windows + kw * count * pixels + x + shape.padding - kw;
            for (std::size_t kh = first; kh < last; ++kh) {
              const float* row = column + kh * kernel * count * pixels + (centre - kh) * width;
              load(row, value);
              total += reinterpret_cast<Vector>(value & mask);
            }
          }
          std::memcpy(dx + x, &total, std::min(lanes, shape.in.width - x) * sizeof(float));
        }
      }
    }
  }
}

SOUK_MULTIVERSION void finish(const Pooling& shape, const float* z, const float* bias, std::size_t count, float* y) {
  const std::size_t pixels = shape.in.pixels(), channels = shape.in.channels;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t image = 0; image < count; ++image, z += pixels) {
      float* out = y + (image * channels + channel) * pixels;
      if (shape.relu) {
        for (std::size_t i = 0; i < pixels; ++i) out[i] = relu(z[i] + bias[channel]);
      } else {
        for (std::size_t i = 0; i < pixels; ++i) out[i] = z[i] + bias[channel];
      }
    }
  }
}

SOUK_MULTIVERSION void finish_pooled(const Pooling& shape, const float* z, const float* bias, std::size_t count,
                                     float* y, std::uint8_t* winner) {
  const std::size_t pixels = shape.in.pixels(), width = shape.in.width, channels = shape.in.channels;
  const std::size_t pooled_width = width / 2, pooled_height = shape.in.height / 2;
  const float floor = shape.relu ? 0.0F : -std::numeric_limits<float>::infinity();
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const float shift = bias[channel];
    for (std::size_t image = 0; image < count; ++image, z += pixels) {
      const std::size_t begin = (image * channels + channel) * pooled_height * pooled_width;
      for (std::size_t h = 0; h < pooled_height; ++h) {
        const float* top = z + 2 * h * width;
        const float* low = top + width;
        float* out = y + begin + h * pooled_width;
        std::uint8_t* which = winner + begin + h * pooled_width;
        for (std::size_t w = 0; w < pooled_width; ++w) {
          const float a = top[2 * w], b = top[2 * w + 1], c = low[2 * w], d = low[2 * w + 1];
          const float upper = b > a ? b : a, lower = d > c ? d : c;
          const int upper_side = b > a ? 1 : 0, lower_side = d > c ? 3 : 2;
          const float value = (lower > upper ? lower : upper) + shift;
          which[w] = static_cast<std::uint8_t>(lower > upper ? lower_side : upper_side);
          out[w] = value < floor ? floor : value;
        }
      }
    }
  }
}

SOUK_MULTIVERSION void unfinish(const Pooling& shape, const float* dy, const float* y, std::size_t count, float* dz,
                                float* db) {
  const std::size_t pixels = shape.in.pixels(), channels = shape.in.channels;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t image = 0; image < count; ++image, dz += pixels) {
      const std::size_t begin = (image * channels + channel) * pixels;
      if (shape.relu) {
        for (std::size_t i = 0; i < pixels; ++i) dz[i] = y[begin + i] <= 0.0F ? 0.0F : dy[begin + i];
      } else {
        std::copy_n(dy + begin, pixels, dz);
      }
      db[channel] += sum(dz, pixels);
    }
  }
}

SOUK_MULTIVERSION void unfinish_pooled(const Pooling& shape, float* dy, const float* y, const std::uint8_t* winner,
                                       std::size_t count, float* dz, float* db) {
  const std::size_t pixels = shape.in.pixels(), width = shape.in.width, channels = shape.in.channels;
  const std::size_t pooled_width = width / 2, pooled_height = shape.in.height / 2;
  const std::size_t pooled = pooled_height * pooled_width;
  const bool divides = shape.in.width % 2 == 0 && shape.in.height % 2 == 0;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t image = 0; image < count; ++image, dz += pixels) {
      const std::size_t begin = (image * channels + channel) * pooled;
      float* gradient = dy + begin;
      if (shape.relu) {
        for (std::size_t i = 0; i < pooled; ++i) gradient[i] = y[begin + i] <= 0.0F ? 0.0F : gradient[i];
      }
      db[channel] += sum(gradient, pooled);
      if (!divides) std::fill_n(dz, pixels, 0.0F);  // the last row or column is in no window
      for (std::size_t h = 0; h < pooled_height; ++h, gradient += pooled_width) {
        float* top = dz + 2 * h * width;
        float* low = top + width;
        const std::uint8_t* which = winner + begin + h * pooled_width;
        for (std::size_t w = 0; w < pooled_width; ++w) {
          top[2 * w] = which[w] == 0 ? gradient[w] : 0.0F;
          top[2 * w + 1] = which[w] == 1 ? gradient[w] : 0.0F;
          low[2 * w] = which[w] == 2 ? gradient[w] : 0.0F;
          low[2 * w + 1] = which[w] == 3 ? gradient[w] : 0.0F;
        }
      }
    }
  }
}

}  // namespace souk::kernels
