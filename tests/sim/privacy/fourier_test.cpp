#include "sim/privacy/fourier.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk::fourier_test {
namespace {

using Values = std::vector<std::complex<double>>;

Values some(std::size_t length) {
  Stream random(7, streams::partition());
  Values values;
  for (std::size_t k = 0; k < length; ++k) values.emplace_back(random.normal(), random.normal());
  return values;
}

TEST(Fourier, is_the_sum_it_is_defined_by) {
  for (const std::size_t length : {1, 2, 8, 64}) {
    const Values values = some(length);
    Values transformed = values;
    Fourier(length).forward(transformed);
    for (std::size_t k = 0; k < length; ++k) {
      std::complex<double> sum = 0.0;
      for (std::size_t n = 0; n < length; ++n) {
        const double angle = -2.0 * std::numbers::pi * static_cast<double>(k * n) / static_cast<double>(length);
        sum += values[n] * std::polar(1.0, angle);
      }
      EXPECT_LT(std::abs(sum - transformed[k]), 1e-12);
    }
  }
}

TEST(Fourier, inverse_takes_it_back) {
  const Values values = some(4096);
  Values there = values;
  const Fourier fourier(values.size());
  fourier.forward(there);
  fourier.inverse(there);
  for (std::size_t k = 0; k < values.size(); ++k) EXPECT_LT(std::abs(there[k] - values[k]), 1e-13);
}

}  // namespace
}  // namespace souk::fourier_test
