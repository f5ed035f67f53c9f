#include "sim/learn/layers/affine_kernels.hpp"

#include <cstring>

#include "sim/base/multiversion.hpp"

// Compiled with -ffp-contract=fast: products and sums below become fused multiply-adds.
namespace souk::kernels {
namespace {

constexpr std::size_t lanes = 16;
using Vector [[gnu::vector_size(64)]] = float;
using Half [[gnu::vector_size(32)]] = float;
using Quarter [[gnu::vector_size(16)]] = float;

[[gnu::always_inline]] inline void load(const float* from, Vector& to) { std::memcpy(&to, from, sizeof to); }

[[gnu::always_inline]] inline float sum_of_lanes(const Vector& values) {
  Half low, high;
  std::memcpy(&low, &values, sizeof low);
  std::memcpy(&high, reinterpret_cast<const char*>(&values) + sizeof low, sizeof high);
  low += high;
  Quarter first, second;
  std::memcpy(&first, &low, sizeof first);
  std::memcpy(&second, reinterpret_cast<const char*>(&low) + sizeof first, sizeof second);
  first += second;
  return (first[0] + first[2]) + (first[1] + first[3]);
}

/// Dot products of Samples rows of x with Outputs rows of w, from (sample, output) on.
template <std::size_t Samples, std::size_t Outputs>
[[gnu::always_inline]] inline void apply_tile(const Affine& task, std::size_t sample, std::size_t output) {
  const std::size_t inputs = task.inputs, whole = inputs / lanes * lanes;
  const float* x = task.x + sample * inputs;
  const float* w = task.w + output * inputs;
  Vector sums[Samples][Outputs] = {};
  for (std::size_t j = 0; j < whole; j += lanes) {
    Vector rows[Samples];
#pragma GCC unroll 4
    for (std::size_t s = 0; s < Samples; ++s) load(x + s * inputs + j, rows[s]);
#pragma GCC unroll 6
    for (std::size_t o = 0; o < Outputs; ++o) {
      Vector weights;
      load(w + o * inputs + j, weights);
#pragma GCC unroll 4
      for (std::size_t s = 0; s < Samples; ++s) sums[s][o] += rows[s] * weights;
    }
  }
#pragma GCC unroll 4
  for (std::size_t s = 0; s < Samples; ++s) {
#pragma GCC unroll 6
    for (std::size_t o = 0; o < Outputs; ++o) {
      float value = sum_of_lanes(sums[s][o]);
      for (std::size_t j = whole; j < inputs; ++j) value += x[s * inputs + j] * w[o * inputs + j];
      float& y = task.y[(sample + s) * task.outputs + output + o];
      value += task.bias != nullptr ? task.bias[output + o] : y;
      y = task.relu && value < 0.0F ? 0.0F : value;
    }
  }
}

template <std::size_t Outputs>
[[gnu::always_inline]] inline void apply_outputs(const Affine& task, std::size_t output) {
  std::size_t sample = 0;
  for (; sample + 4 <= task.samples; sample += 4) apply_tile<4, Outputs>(task, sample, output);
  for (; sample < task.samples; ++sample) apply_tile<1, Outputs>(task, sample, output);
}

}  // namespace

// Six rows of w stay in the first-level cache while all samples pass.
SOUK_MULTIVERSION void apply_affine(const Affine& task) {
  std::size_t output = 0;
  for (; output + 6 <= task.outputs; output += 6) apply_outputs<6>(task, output);
  for (; output < task.outputs; ++output) apply_outputs<1>(task, output);
}

bool suits_dot_products(std::size_t inputs, std::size_t outputs) {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx512f");  // 24 sums fit its registers
#else
  constexpr bool wide = false;
#endif
  return wide && inputs >= 512 && outputs >= 64;
}

}  // namespace souk::kernels
