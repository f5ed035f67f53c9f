#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/learn/layer.hpp"

/// Convolutions of stride 1 without laid-out windows, and what surrounds them. Images are channel-last here:
/// [height, width, channels]; output channels are padded with zeros to whole vectors. Buffers are overrun by up to 16
/// floats (FloatBuffer has the margin). Products are fused multiply-adds where the processor has them.
namespace souk::kernels {

inline constexpr std::size_t lanes = 16;  ///< floats per vector

inline constexpr std::size_t whole_vectors(std::size_t size) { return (size + lanes - 1) / lanes * lanes; }

/// How `convolve` cuts its work: tiles of sums that stay in registers.
struct Tiling {
  std::size_t pixels = 1, vectors = 1;  ///< of one tile, in a row; vectors of output channels
  std::size_t kernel_rows = 1;          ///< per pass over the image: their weights stay in the first-level cache
};

/// A convolution and its memory layouts. A window is `kernel` rows of `row()` consecutive floats.
struct ConvShape {
  Extent in, out;  ///< out: before pooling
  std::size_t kernel = 1, padding = 0;
  Tiling tiling;  ///< of choose_tiling
  std::size_t row() const { return kernel * in.channels; }
  std::size_t padded_row() const { return whole_vectors(row()); }
  std::size_t outputs() const { return whole_vectors(out.channels); }
  std::size_t pitch() const { return (in.width + 2 * padding) * in.channels; }  ///< floats per padded image row
  /// With room for the tiles that overrun the last row.
  std::size_t padded_image() const { return (in.height + 2 * padding) * pitch() + tiling.pixels * in.channels; }
  /// Pixels of a row of z: whole tiles, the last ones of no meaning.
  std::size_t z_width() const { return (out.width + tiling.pixels - 1) / tiling.pixels * tiling.pixels; }
  std::size_t z_size() const { return out.height * z_width() * outputs(); }
  std::size_t weights() const { return out.channels * kernel * row(); }
};

/// For this processor and this shape.
Tiling choose_tiling(const ConvShape& shape);

/// From PyTorch's weights [out, in, kernel, kernel] to [kernel, row, outputs], for `convolve`.
void pack_forward(const ConvShape& shape, const float* weights, float* packed);
/// To [out, kernel, padded row], for input gradients.
void pack_backward(const ConvShape& shape, const float* weights, float* packed);
/// And back: from a gradient [out, kernel, padded row] to [out, in, kernel, kernel].
void unpack_gradient(const ConvShape& shape, const float* packed, float* gradient);

/// rows x columns to columns x rows.
void transpose(const float* in, std::size_t rows, std::size_t columns, float* out);
/// Copies an image into the middle of a frame [padded image] whose border is zero already.
void pad(const ConvShape& shape, const float* image, float* padded);
/// The adjoint: the middle of the frame.
void crop(const ConvShape& shape, const float* padded, float* image);

/// z [height, z_width, outputs] = bias [outputs], or z where it is null, + convolution of one padded image: 2 weights()
/// pixels flops, near the processor's peak.
void convolve(const ConvShape& shape, const float* padded, const float* packed, const float* bias, float* z);

/// Which of the pooled values it was, or that ReLU cut it off.
inline constexpr std::uint8_t dead = 4;

/// y [pixels after pooling, channels] and its `origin`, from z. 2x2 max pooling takes the first of equals.
void finish(const ConvShape& shape, Finish how, const float* z, float* y, std::uint8_t* origin);

/// y [pixels after pooling, channels]: what z has where `origin` says that the maxima came from; 0 where it is dead.
void pick(const ConvShape& shape, Finish how, const float* z, const std::uint8_t* origin, float* y);

/// One non-zero of an output gradient: at most one in four behind max pooling, so the backward pass goes through
/// these alone.
struct Nonzero {
  std::uint32_t offset;  ///< in floats, into what it is multiplied with
  float value;
};

/// Lists of non-zeros of equal capacity.
struct NonzeroLists {
  Nonzero* entries = nullptr;       ///< [lists, capacity]
  std::uint32_t* counts = nullptr;  ///< [lists]
  std::size_t capacity = 0;
};

/// Sets the values of dy [pixels after pooling, channels] whose origin is dead to zero and adds the columns to
/// db [channels].
void mask_and_sum(std::size_t pixels, std::size_t channels, const std::uint8_t* origin, float* dy, float* db);

/// The non-zeros of masked dy per output channel, offsets into the padded image; and, if `by_pixel` has entries, per
/// pixel and origin (4 lists per pixel behind pooling, else 1), offsets into the backward weights.
void collect(const ConvShape& shape, Finish how, const float* dy, const std::uint8_t* origin,
             const NonzeroLists& by_channel, const NonzeroLists& by_pixel);

/// gradient [out, kernel, padded row] += non-zeros times the windows they came from.
void add_weight_gradient(const ConvShape& shape, const NonzeroLists& by_channel, const float* padded, float* gradient);
/// d_padded [padded image] += non-zeros times the weights of their channels.
void add_input_gradient(const ConvShape& shape, Finish how, const NonzeroLists& by_pixel, const float* packed,
                        float* d_padded);

}  // namespace souk::kernels
