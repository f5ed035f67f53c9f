#include "sim/privacy/fourier.hpp"

#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// (a + bi)(c + di) of finite numbers: the operator of std::complex looks for infinities.
std::complex<double> product(std::complex<double> x, std::complex<double> y) {
  return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
}

void reverse_bits(std::span<std::complex<double>> values) {
  for (std::size_t i = 1, j = 0; i < values.size(); ++i) {
    std::size_t bit = values.size() >> 1U;
    for (; (j & bit) != 0; bit >>= 1U) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(values[i], values[j]);
  }
}

}  // namespace

Fourier::Fourier(std::size_t length) : length_(length) {
  SOUK_EXPECT(std::has_single_bit(length));
  for (std::size_t k = 0; k < length / 2; ++k) {
    const double angle = -2.0 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length);
    roots_.emplace_back(std::cos(angle), std::sin(angle));
  }
}

/// Cooley and Tukey, decimation in time.
void Fourier::transform(std::span<std::complex<double>> values, bool conjugated) const {
  SOUK_EXPECT(values.size() == length_);
  reverse_bits(values);
  for (std::size_t half = 1; half < length_; half *= 2) {
    const std::size_t stride = length_ / (2 * half);
    for (std::size_t start = 0; start < length_; start += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const std::complex<double> root = conjugated ? std::conj(roots_[k * stride]) : roots_[k * stride];
        const std::complex<double> odd = product(root, values[start + half + k]);
        values[start + half + k] = values[start + k] - odd;
        values[start + k] += odd;
      }
    }
  }
}

void Fourier::inverse(std::span<std::complex<double>> values) const {
  transform(values, true);
  for (std::complex<double>& value : values) value /= static_cast<double>(length_);
}

}  // namespace souk
