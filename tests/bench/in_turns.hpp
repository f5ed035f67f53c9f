#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <functional>
#include <vector>

#include <benchmark/benchmark.h>

namespace souk {

/// Of this thread.
inline double processor_milliseconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

using Work = std::function<void()>;

/// Both in turns, so that what else goes on meets both alike: medians of processor time.
inline void compare(benchmark::State& state, const Work& gradient, const Work& product) {
  std::vector<double> of_gradient, of_product;
  gradient();  // buffers grow to their sizes
  product();
  for ([[maybe_unused]] auto _ : state) {
    const double start = processor_milliseconds();
    gradient();
    const double middle = processor_milliseconds();
    product();
    const double end = processor_milliseconds();
    of_gradient.push_back(middle - start);
    of_product.push_back(end - middle);
  }
  state.counters["gradient_ms"] = median(of_gradient);
  state.counters["product_ms"] = median(of_product);
  state.counters["gradients"] = median(of_product) / median(of_gradient);
}

}  // namespace souk
