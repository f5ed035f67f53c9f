#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace souk {

/// The sum of `term` over the values, as eight sums of every eighth that are added up in the end: a compiler can do
/// them side by side, and the bits are the same wherever it does.
template <class Term>
inline double lane_sum(std::span<const float> values, Term term) {
  std::array<double, 8> sums{};
  const std::size_t whole = values.size() / sums.size() * sums.size();
  const float* x = values.data();
  for (std::size_t i = 0; i < whole; i += sums.size()) {
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += term(static_cast<double>(x[i + k]));
  }
  double sum = 0.0;
  for (const double part : sums) sum += part;
  for (std::size_t i = whole; i < values.size(); ++i) sum += term(static_cast<double>(x[i]));
  return sum;
}

}  // namespace souk
