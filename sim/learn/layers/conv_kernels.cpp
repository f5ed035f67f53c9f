#include "sim/learn/layers/conv_kernels.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "sim/base/contract.hpp"
#include "sim/base/multiversion.hpp"
#include "sim/learn/layers/conv_vectors.hpp"

// Compiled with -ffp-contract=fast: products and sums below become fused multiply-adds.
namespace souk::kernels {
namespace {

/// Sums of 16 floats that a tile may take: registers, 32 of AVX-512 or 16 half as wide, less what they are computed
/// from.
std::size_t sums_in_registers() {
#if defined(__x86_64__)
  static const std::size_t count = __builtin_cpu_supports("avx512f") ? 28 : 6;
  return count;
#else
  return 6;
#endif
}

/// Whether a register has room for a Vector; otherwise kernels work on Halves.
bool registers_are_wide() { return sums_in_registers() >= 8; }

/// What one tile reads and writes.
struct Tile {
  const float* x;        ///< first pixel of the first window
  const float* weights;  ///< [kernel rows, row, outputs]
  const float* start;    ///< bias, or null: z
  float* z;
  std::size_t kernel_rows;
};

// Pixels x Vectors sums in registers; per weight row, Vectors loads and Pixels broadcasts for their product of sums.
template <class V, std::size_t Pixels, std::size_t Vectors>
[[gnu::always_inline]] inline void convolve_tile(const ConvShape& shape, const Tile& tile) {
  const std::size_t channels = shape.in.channels, outputs = shape.outputs(), row = shape.row(), pitch = shape.pitch();
  V sums[Pixels][Vectors];
#pragma GCC unroll 8
  for (std::size_t p = 0; p < Pixels; ++p) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      load(tile.start != nullptr ? tile.start + v * lanes : tile.z + p * outputs + v * lanes, sums[p][v]);
    }
  }
  const float* weights = tile.weights;
  for (std::size_t kh = 0; kh < tile.kernel_rows; ++kh) {
    const float* x = tile.x + kh * pitch;
    for (std::size_t j = 0; j < row; ++j, weights += outputs) {
      V w[Vectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) load(weights + v * lanes, w[v]);
#pragma GCC unroll 8
      for (std::size_t p = 0; p < Pixels; ++p) {
        const float value = x[p * channels + j];
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) multiply_add(value, w[v], sums[p][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t p = 0; p < Pixels; ++p) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) store(sums[p][v], tile.z + p * outputs + v * lanes);
  }
}

struct PlacedConvolution {
  const ConvShape& shape;
  const float *padded, *packed, *bias;
  float* z;
};

template <class V, std::size_t Pixels, std::size_t Vectors>
[[gnu::always_inline]] inline void convolve_image(const PlacedConvolution& task) {
  const ConvShape& shape = task.shape;
  const std::size_t outputs = shape.outputs();
  for (std::size_t first = 0; first < outputs; first += Vectors * lanes) {
    for (std::size_t kh = 0; kh < shape.kernel; kh += shape.tiling.kernel_rows) {
      Tile tile{.x = nullptr,
                .weights = task.packed + kh * shape.row() * outputs + first,
                .start = kh == 0 && task.bias != nullptr ? task.bias + first : nullptr,
                .z = nullptr,
                .kernel_rows = std::min(shape.tiling.kernel_rows, shape.kernel - kh)};
      for (std::size_t h = 0; h < shape.out.height; ++h) {
        for (std::size_t w = 0; w < shape.z_width(); w += Pixels) {
          tile.x = task.padded + (h + kh) * shape.pitch() + w * shape.in.channels;
          tile.z = task.z + (h * shape.z_width() + w) * outputs + first;
          convolve_tile<V, Pixels, Vectors>(shape, tile);
        }
      }
    }
  }
}

template <class V, std::size_t Vectors>
[[gnu::always_inline]] inline void convolve_pixels(const PlacedConvolution& task) {
  switch (task.shape.tiling.pixels) {
    case 1:
      return convolve_image<V, 1, Vectors>(task);
    case 2:
      return convolve_image<V, 2, Vectors>(task);
    case 3:
      return convolve_image<V, 3, Vectors>(task);
    case 4:
      return convolve_image<V, 4, Vectors>(task);
    case 5:
      return convolve_image<V, 5, Vectors>(task);
    case 6:
      return convolve_image<V, 6, Vectors>(task);
    case 7:
      return convolve_image<V, 7, Vectors>(task);
    default:
      return convolve_image<V, 8, Vectors>(task);
  }
}

SOUK_MULTIVERSION void convolve_vectors(const PlacedConvolution& task) {
  switch (task.shape.tiling.vectors) {
    case 1:
      return convolve_pixels<Vector, 1>(task);
    case 2:
      return convolve_pixels<Vector, 2>(task);
    case 3:
      return convolve_pixels<Vector, 3>(task);
    default:
      return convolve_pixels<Vector, 4>(task);
  }
}

// One vector of output channels: choose_tiling.
SOUK_MULTIVERSION void convolve_halves(const PlacedConvolution& task) { convolve_pixels<Halves, 1>(task); }

/// Sums over one list: target vectors (`target_step` apart) += value times source vectors (`source_step` apart).
struct ListSum {
  const Nonzero* entries;
  std::size_t count;
  const float* source;
  std::size_t source_step;
  float* target;
  std::size_t target_step;
};

// Vectors x Parts sums in registers: parts of the list, because a sum waits for the one before it. Bound by loads.
template <class V, std::size_t Vectors>
[[gnu::always_inline]] inline void add_list(const ListSum& task) {
  constexpr bool wide = std::is_same_v<V, Vector>;
  constexpr std::size_t parts = wide ? (Vectors >= 6 ? 1 : Vectors >= 3 ? 2 : Vectors == 2 ? 4 : 8) : 6 / Vectors;
  V sums[parts][Vectors] = {};
#pragma GCC unroll 12
  for (std::size_t v = 0; v < Vectors; ++v) load(task.target + v * task.target_step, sums[0][v]);
  std::size_t i = 0;
  for (; i + parts <= task.count; i += parts) {
#pragma GCC unroll 8
    for (std::size_t part = 0; part < parts; ++part) {
      const Nonzero entry = task.entries[i + part];
#pragma GCC unroll 12
      for (std::size_t v = 0; v < Vectors; ++v) {
        V source;
        load(task.source + entry.offset + v * task.source_step, source);
        multiply_add(entry.value, source, sums[part][v]);
      }
    }
  }
  for (; i < task.count; ++i) {
#pragma GCC unroll 12
    for (std::size_t v = 0; v < Vectors; ++v) {
      V source;
      load(task.source + task.entries[i].offset + v * task.source_step, source);
      multiply_add(task.entries[i].value, source, sums[0][v]);
    }
  }
#pragma GCC unroll 12
  for (std::size_t v = 0; v < Vectors; ++v) {
#pragma GCC unroll 8
    for (std::size_t part = 1; part < parts; ++part) add(sums[part][v], sums[0][v]);
    store(sums[0][v], task.target + v * task.target_step);
  }
}

/// Most vectors whose sums are in registers at once.
template <class V>
constexpr std::size_t widest_slice = std::is_same_v<V, Vector> ? 12 : 6;

template <class V>
[[gnu::always_inline]] inline void add_list(std::size_t vectors, const ListSum& task) {
  switch (vectors) {
    case 1:
      return add_list<V, 1>(task);
    case 2:
      return add_list<V, 2>(task);
    case 3:
      return add_list<V, 3>(task);
    case 4:
      return add_list<V, 4>(task);
    case 5:
      return add_list<V, 5>(task);
    case 6:
      return add_list<V, 6>(task);
    default:
      break;
  }
  if constexpr (widest_slice<V> == 12) {
    switch (vectors) {
      case 8:
        return add_list<V, 8>(task);
      case 10:
        return add_list<V, 10>(task);
      default:
        return add_list<V, 12>(task);
    }
  }
}

/// Vectors per call of add_list for rows of so many: one of its sizes.
template <class V>
std::size_t slice_of(std::size_t vectors) {
  for (const std::size_t size : {12, 10, 8, 6, 5, 4, 3, 2}) {
    if (size <= widest_slice<V> && vectors % size == 0) return size;
  }
  return 1;
}

std::size_t pooled(std::size_t extent, Finish how) { return how.pools ? extent / 2 : extent; }

// Window rows of one vector are summed together, wider ones row by row in slices.
template <class V>
[[gnu::always_inline]] inline void add_weight_gradient_by(const ConvShape& shape, const NonzeroLists& by_channel,
                                                          const float* padded, float* gradient) {
  const std::size_t row = shape.padded_row(), kernel = shape.kernel;
  const bool narrow = row == lanes && kernel <= 5;
  const std::size_t slice = narrow ? kernel : slice_of<V>(row / lanes);
  for (std::size_t out = 0; out < shape.out.channels; ++out, gradient += kernel * row) {
    ListSum task{.entries = by_channel.entries + out * by_channel.capacity,
                 .count = by_channel.counts[out],
                 .source = padded,
                 .source_step = narrow ? shape.pitch() : lanes,
                 .target = gradient,
                 .target_step = lanes};
    if (task.count == 0) continue;
    for (std::size_t kh = 0; kh < (narrow ? 1 : kernel); ++kh) {
      for (std::size_t first = 0; first < row; first += slice * lanes) {
        task.source = padded + kh * shape.pitch() + first;
        task.target = gradient + kh * row + first;
        add_list<V>(slice, task);
      }
    }
  }
}

// Kernel rows outside: the weights of one stay in the first-level cache.
template <class V>
[[gnu::always_inline]] inline void add_input_gradient_by(const ConvShape& shape, Finish how,
                                                         const NonzeroLists& by_pixel, const float* packed,
                                                         float* d_padded) {
  const std::size_t row = shape.padded_row(), scale = how.pools ? 2 : 1, slice = slice_of<V>(row / lanes);
  for (std::size_t kh = 0; kh < shape.kernel; ++kh) {
    for (std::size_t first = 0; first < row; first += slice * lanes) {
      std::size_t list = 0;
      for (std::size_t h = 0; h < pooled(shape.out.height, how); ++h) {
        for (std::size_t w = 0; w < pooled(shape.out.width, how); ++w) {
          for (std::size_t i = 0; i < scale * scale; ++i, ++list) {
            if (by_pixel.counts[list] == 0) continue;
            const std::size_t pixel =
                (h * scale + i / 2 + kh) * shape.pitch() + (w * scale + i % 2) * shape.in.channels;
            add_list<V>(slice, {.entries = by_pixel.entries + list * by_pixel.capacity,
                                .count = by_pixel.counts[list],
                                .source = packed + kh * row + first,
                                .source_step = lanes,
                                .target = d_padded + pixel + first,
                                .target_step = lanes});
          }
        }
      }
    }
  }
}

SOUK_MULTIVERSION void add_weight_gradient_in_vectors(const ConvShape& shape, const NonzeroLists& by_channel,
                                                      const float* padded, float* gradient) {
  add_weight_gradient_by<Vector>(shape, by_channel, padded, gradient);
}
SOUK_MULTIVERSION void add_weight_gradient_in_halves(const ConvShape& shape, const NonzeroLists& by_channel,
                                                     const float* padded, float* gradient) {
  add_weight_gradient_by<Halves>(shape, by_channel, padded, gradient);
}
SOUK_MULTIVERSION void add_input_gradient_in_vectors(const ConvShape& shape, Finish how, const NonzeroLists& by_pixel,
                                                     const float* packed, float* d_padded) {
  add_input_gradient_by<Vector>(shape, how, by_pixel, packed, d_padded);
}
SOUK_MULTIVERSION void add_input_gradient_in_halves(const ConvShape& shape, Finish how, const NonzeroLists& by_pixel,
                                                    const float* packed, float* d_padded) {
  add_input_gradient_by<Halves>(shape, how, by_pixel, packed, d_padded);
}

// Whole vectors: what a pixel writes too much, the next one overwrites.
template <class L>
[[gnu::always_inline]] inline void finish_by(const ConvShape& shape, Finish how, const float* z, float* y,
                                             std::uint8_t* origin) {
  using Integers = typename L::Integers;
  const std::size_t outputs = shape.outputs(), channels = shape.out.channels, scale = how.pools ? 2 : 1;
  const Integers cut = how.relu ? Integers{} + dead : Integers{};
  for (std::size_t h = 0; h < shape.out.height / scale; ++h) {
    for (std::size_t w = 0; w < shape.out.width / scale; ++w, y += channels, origin += channels) {
      const float* window = z + (h * shape.z_width() + w) * scale * outputs;
      for (std::size_t first = 0; first < outputs; first += L::count) {
        typename L::Values best, other;
        Integers which{};
        load(window + first, best);
        for (std::size_t i = 1; i < scale * scale; ++i) {
          load(window + first + ((i / 2) * shape.z_width() + i % 2) * outputs, other);
          const Integers larger = other > best;
          best = larger ? other : best;
          which = larger ? Integers{} + static_cast<std::int32_t>(i) : which;
        }
        const Integers negative = how.relu ? best <= 0.0F : Integers{};
        best = negative ? typename L::Values{} : best;
        typename L::Bytes bytes;
        L::narrow(negative ? cut : which, bytes);
        store(best, y + first);
        store(bytes, origin + first);
      }
    }
  }
}

// Whole vectors, as above.
template <class L>
[[gnu::always_inline]] inline void pick_by(const ConvShape& shape, Finish how, const float* z,
                                           const std::uint8_t* origin, float* y) {
  using Integers = typename L::Integers;
  const std::size_t outputs = shape.outputs(), channels = shape.out.channels, scale = how.pools ? 2 : 1;
  for (std::size_t h = 0; h < shape.out.height / scale; ++h) {
    for (std::size_t w = 0; w < shape.out.width / scale; ++w, y += channels, origin += channels) {
      const float* window = z + (h * shape.z_width() + w) * scale * outputs;
      for (std::size_t first = 0; first < outputs; first += L::count) {
        typename L::Values picked{}, other;
        typename L::Bytes bytes;
        Integers which;
        load(origin + first, bytes);
        L::widen(bytes, which);
        for (std::size_t i = 0; i < scale * scale; ++i) {
          load(window + first + ((i / 2) * shape.z_width() + i % 2) * outputs, other);
          picked = which == Integers{} + static_cast<std::int32_t>(i) ? other : picked;
        }
        store(picked, y + first);
      }
    }
  }
}

SOUK_MULTIVERSION void finish_in_vectors(const ConvShape& shape, Finish how, const float* z, float* y,
                                         std::uint8_t* origin) {
  finish_by<WideLanes>(shape, how, z, y, origin);
}
SOUK_MULTIVERSION void finish_in_halves(const ConvShape& shape, Finish how, const float* z, float* y,
                                        std::uint8_t* origin) {
  finish_by<NarrowLanes>(shape, how, z, y, origin);
}
SOUK_MULTIVERSION void pick_in_vectors(const ConvShape& shape, Finish how, const float* z, const std::uint8_t* origin,
                                       float* y) {
  pick_by<WideLanes>(shape, how, z, origin, y);
}
SOUK_MULTIVERSION void pick_in_halves(const ConvShape& shape, Finish how, const float* z, const std::uint8_t* origin,
                                      float* y) {
  pick_by<NarrowLanes>(shape, how, z, origin, y);
}

}  // namespace

Tiling choose_tiling(const ConvShape& shape) {
  constexpr std::size_t first_level_cache = 8 * 1024;  // floats
  Tiling tiling;
  const std::size_t groups = shape.outputs() / lanes, registers = sums_in_registers();
  tiling.vectors = registers < 8 ? 1 : std::min<std::size_t>(4, groups);
  while (groups % tiling.vectors != 0) --tiling.vectors;
  std::size_t least = ~std::size_t{0};  // multiply-adds per row and weight; fewer than 8 sums leave the units waiting
  for (std::size_t pixels = 1; pixels <= 8 && pixels * tiling.vectors <= registers; ++pixels) {
    const std::size_t tiles = (shape.out.width + pixels - 1) / pixels;
    const std::size_t cost = tiles * std::max<std::size_t>(pixels * tiling.vectors, 8);
    if (cost > least) continue;
    least = cost;
    tiling.pixels = pixels;
  }
  const std::size_t weights_per_row = shape.row() * tiling.vectors * lanes;
  tiling.kernel_rows = std::clamp<std::size_t>(first_level_cache / weights_per_row, 1, shape.kernel);
  return tiling;
}

void pack_forward(const ConvShape& shape, const float* weights, float* packed) {
  const std::size_t kernel = shape.kernel, channels = shape.in.channels, outputs = shape.outputs();
  for (std::size_t out = 0; out < shape.out.channels; ++out) {
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (std::size_t k = 0; k < kernel * kernel; ++k) packed[(k * channels + channel) * outputs + out] = *weights++;
    }
  }
}

void pack_backward(const ConvShape& shape, const float* weights, float* packed) {
  const std::size_t kernel = shape.kernel, channels = shape.in.channels, row = shape.padded_row();
  for (std::size_t out = 0; out < shape.out.channels; ++out, packed += kernel * row) {
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (std::size_t kh = 0; kh < kernel; ++kh) {
        for (std::size_t kw = 0; kw < kernel; ++kw) packed[kh * row + kw * channels + channel] = *weights++;
      }
    }
  }
}

void unpack_gradient(const ConvShape& shape, const float* packed, float* gradient) {
  const std::size_t kernel = shape.kernel, channels = shape.in.channels, row = shape.padded_row();
  for (std::size_t out = 0; out < shape.out.channels; ++out, packed += kernel * row) {
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (std::size_t kh = 0; kh < kernel; ++kh) {
        for (std::size_t kw = 0; kw < kernel; ++kw) *gradient++ = packed[kh * row + kw * channels + channel];
      }
    }
  }
}

SOUK_MULTIVERSION void transpose(const float* in, std::size_t rows, std::size_t columns, float* out) {
  for (std::size_t column = 0; column < columns; ++column, out += rows) {
    for (std::size_t row = 0; row < rows; ++row) out[row] = in[row * columns + column];
  }
}

void pad(const ConvShape& shape, const float* image, float* padded) {
  const std::size_t row = shape.in.width * shape.in.channels;
  padded += shape.padding * (shape.pitch() + shape.in.channels);
  for (std::size_t h = 0; h < shape.in.height; ++h) {
    std::memcpy(padded + h * shape.pitch(), image + h * row, row * sizeof(float));
  }
}

void crop(const ConvShape& shape, const float* padded, float* image) {
  const std::size_t row = shape.in.width * shape.in.channels;
  padded += shape.padding * (shape.pitch() + shape.in.channels);
  for (std::size_t h = 0; h < shape.in.height; ++h) {
    std::memcpy(image + h * row, padded + h * shape.pitch(), row * sizeof(float));
  }
}

void convolve(const ConvShape& shape, const float* padded, const float* packed, const float* bias, float* z) {
  const PlacedConvolution task{.shape = shape, .padded = padded, .packed = packed, .bias = bias, .z = z};
  registers_are_wide() ? convolve_vectors(task) : convolve_halves(task);
}

void finish(const ConvShape& shape, Finish how, const float* z, float* y, std::uint8_t* origin) {
  const auto run = registers_are_wide() ? finish_in_vectors : finish_in_halves;
  run(shape, how, z, y, origin);
}

void pick(const ConvShape& shape, Finish how, const float* z, const std::uint8_t* origin, float* y) {
  const auto run = registers_are_wide() ? pick_in_vectors : pick_in_halves;
  run(shape, how, z, origin, y);
}

SOUK_MULTIVERSION void mask_and_sum(std::size_t pixels, std::size_t channels, const std::uint8_t* origin, float* dy,
                                    float* db) {
  for (std::size_t pixel = 0; pixel < pixels; ++pixel, dy += channels, origin += channels) {
    for (std::size_t channel = 0; channel < channels; ++channel) {
      dy[channel] = origin[channel] == dead ? 0.0F : dy[channel];
      db[channel] += dy[channel];
    }
  }
}

// Every candidate is written, and kept by moving the end of its list: no branch to mispredict.
void collect(const ConvShape& shape, Finish how, const float* dy, const std::uint8_t* origin,
             const NonzeroLists& by_channel, const NonzeroLists& by_pixel) {
  const std::size_t channels = shape.out.channels, scale = how.pools ? 2 : 1, input = shape.in.channels;
  const auto weights = static_cast<std::uint32_t>(shape.kernel * shape.padded_row());
  std::fill_n(by_channel.counts, channels, 0U);
  std::size_t list = 0;  // of by_pixel: the pixel's first
  for (std::size_t h = 0; h < pooled(shape.out.height, how); ++h) {
    for (std::size_t w = 0; w < pooled(shape.out.width, how); ++w, list += scale * scale) {
      std::array<std::uint32_t, dead + 1> window{};
      for (std::size_t i = 0; i < scale * scale; ++i) {
        window[i] = static_cast<std::uint32_t>((h * scale + i / 2) * shape.pitch() + (w * scale + i % 2) * input);
      }
      for (std::size_t c = 0; c < channels; ++c) {
        std::uint32_t& count = by_channel.counts[c];
        by_channel.entries[c * by_channel.capacity + count] = {window[origin[c]], dy[c]};
        count += dy[c] != 0.0F ? 1 : 0;
      }
      if (by_pixel.entries != nullptr) {
        std::array<std::uint32_t, dead + 1> counts{};
        Nonzero* entries = by_pixel.entries + list * by_pixel.capacity;
        for (std::size_t c = 0; c < channels; ++c) {
          std::uint32_t& count = counts[origin[c]];
          const std::size_t place = std::min<std::size_t>(origin[c], scale * scale - 1) * by_pixel.capacity + count;
          if (dy[c] != 0.0F) entries[place] = {static_cast<std::uint32_t>(c) * weights, dy[c]};
          count += dy[c] != 0.0F ? 1 : 0;
        }
        std::copy_n(counts.begin(), scale * scale, by_pixel.counts + list);
      }
      dy += channels;
      origin += channels;
    }
  }
}

void add_weight_gradient(const ConvShape& shape, const NonzeroLists& by_channel, const float* padded, float* gradient) {
  const auto add = registers_are_wide() ? add_weight_gradient_in_vectors : add_weight_gradient_in_halves;
  add(shape, by_channel, padded, gradient);
}

void add_input_gradient(const ConvShape& shape, Finish how, const NonzeroLists& by_pixel, const float* packed,
                        float* d_padded) {
  const auto add = registers_are_wide() ? add_input_gradient_in_vectors : add_input_gradient_in_halves;
  add(shape, how, by_pixel, packed, d_padded);
}

}  // namespace souk::kernels
