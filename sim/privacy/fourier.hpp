#pragma once

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

namespace souk {

/// Discrete Fourier transforms of one length, a power of two; radix 2, in place. Rounding errors grow with the
/// logarithm of the length.
class Fourier {
 public:
  explicit Fourier(std::size_t length);
  std::size_t length() const { return length_; }
  /// X_k = sum over n of x_n e^(-2 pi i k n / length).
  void forward(std::span<std::complex<double>> values) const { transform(values, false); }
  /// Its inverse, 1 / length included.
  void inverse(std::span<std::complex<double>> values) const;

 private:
  void transform(std::span<std::complex<double>> values, bool conjugated) const;
  std::size_t length_;
  std::vector<std::complex<double>> roots_;  ///< [length / 2] e^(-2 pi i k / length)
};

}  // namespace souk
