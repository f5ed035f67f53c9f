#include "sim/learn/graphs/graph_kernels.hpp"

#include <algorithm>

#include "sim/base/multiversion.hpp"

namespace souk::kernels {
namespace {

/// Values of a row that are added up in registers at once: four vectors of AVX-512, sixteen of SSE.
template <class S>
constexpr std::size_t block = 256 / sizeof(S);

/// How many entries ahead rows are fetched: they lie anywhere, so that no processor guesses them.
constexpr std::uint64_t ahead = 8;

template <class S>
struct Entries {
  const std::uint64_t* offsets;
  const std::uint32_t* columns;
  const float* values;
};

template <class S>
Entries<S> entries_of(const SparseProduct<S>& p) {
  const float* own = p.matrix.values.empty() ? nullptr : p.matrix.values.data();
  return {p.matrix.offsets.data(), p.matrix.columns.data(), p.values != nullptr ? p.values : own};
}

template <class S>
[[gnu::always_inline]] inline S factor(const Entries<S>& entries, const SparseProduct<S>& p, std::uint64_t e,
                                       std::uint32_t j) {
  const S value = entries.values != nullptr ? static_cast<S>(entries.values[e]) : S{1};
  return p.column_factors != nullptr ? value * p.column_factors[j] : value;
}

/// Columns [first, first + Count) of the result; Count 0: `count` of them.
template <class S, std::size_t Count>
[[gnu::always_inline]] inline void multiply_block(const SparseProduct<S>& p, std::size_t first, std::size_t count) {
  const Entries<S> entries = entries_of(p);
  const std::size_t size = Count > 0 ? Count : count;
  const std::uint64_t last = entries.offsets[p.rows];
  for (std::size_t i = 0; i < p.rows; ++i) {
    S sums[block<S>] = {};
    for (std::uint64_t e = entries.offsets[i]; e < entries.offsets[i + 1]; ++e) {
      if (e + ahead < last) __builtin_prefetch(p.in + entries.columns[e + ahead] * p.width + first);
      const std::uint32_t j = entries.columns[e];
      if (j >= p.columns) continue;
      const S weight = factor(entries, p, e, j);
      const S* row = p.in + j * p.width + first;
      for (std::size_t b = 0; b < size; ++b) sums[b] += weight * row[b];
    }
    const S scale = p.row_factors != nullptr ? p.row_factors[i] : S{1};
    S* out = p.out + i * p.width + first;
    for (std::size_t b = 0; b < size; ++b) out[b] = scale * sums[b];
    if (p.own_factors == nullptr || i >= p.columns) continue;
    const S* own = p.in + i * p.width + first;
    for (std::size_t b = 0; b < size; ++b) out[b] += p.own_factors[i] * own[b];
  }
}

template <class S>
[[gnu::always_inline]] inline void multiply_rows(const SparseProduct<S>& p) {
  std::size_t first = 0;
  for (; first + block<S> <= p.width; first += block<S>) multiply_block<S, block<S>>(p, first, 0);
  constexpr std::size_t quarter = block<S> / 4;
  for (; first + quarter <= p.width; first += quarter) multiply_block<S, quarter>(p, first, 0);
  if (first < p.width) multiply_block<S, 0>(p, first, p.width - first);
}

template <class S>
[[gnu::always_inline]] inline void add_transposed_rows(const SparseProduct<S>& p) {
  const Entries<S> entries = entries_of(p);
  for (std::size_t i = 0; i < p.rows; ++i) {
    const S scale = p.row_factors != nullptr ? p.row_factors[i] : S{1};
    const S* row = p.in + i * p.width;
    for (std::uint64_t e = entries.offsets[i]; e < entries.offsets[i + 1]; ++e) {
      const std::uint32_t j = entries.columns[e];
      if (j >= p.columns) continue;
      const S weight = scale * factor(entries, p, e, j);
      S* out = p.out + j * p.width;
      for (std::size_t b = 0; b < p.width; ++b) out[b] += weight * row[b];
    }
  }
}

/// Four rows of the result at a time share what they read of b.
template <class T>
[[gnu::always_inline]] inline void multiply_dense_rows(std::size_t n, std::size_t k, std::size_t m, const T* a,
                                                       const T* b, T* out) {
  constexpr std::size_t rows = 4;
  std::fill_n(out, n * m, T{});
  std::size_t i = 0;
  for (; i + rows <= n; i += rows) {
    T* r = out + i * m;
    for (std::size_t l = 0; l < k; ++l) {
      const T a0 = a[i * k + l], a1 = a[(i + 1) * k + l], a2 = a[(i + 2) * k + l], a3 = a[(i + 3) * k + l];
      const T* from = b + l * m;
      for (std::size_t c = 0; c < m; ++c) {
        r[c] += a0 * from[c];
        r[m + c] += a1 * from[c];
        r[2 * m + c] += a2 * from[c];
        r[3 * m + c] += a3 * from[c];
      }
    }
  }
  for (; i < n; ++i) {
    for (std::size_t l = 0; l < k; ++l) {
      for (std::size_t c = 0; c < m; ++c) out[i * m + c] += a[i * k + l] * b[l * m + c];
    }
  }
}

template <class T>
[[gnu::always_inline]] inline void add_transposed_dense_rows(std::size_t n, std::size_t k, std::size_t m, const T* a,
                                                             const T* b, T* out) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t l = 0; l < k; ++l) {
      const T weight = a[i * k + l];
      T* to = out + l * m;
      for (std::size_t c = 0; c < m; ++c) to[c] += weight * b[i * m + c];
    }
  }
}

}  // namespace

SOUK_MULTIVERSION void multiply_sparse(const SparseProduct<float>& product) { multiply_rows(product); }
SOUK_MULTIVERSION void multiply_sparse(const SparseProduct<double>& product) { multiply_rows(product); }
SOUK_MULTIVERSION void add_transposed_sparse(const SparseProduct<float>& product) { add_transposed_rows(product); }
SOUK_MULTIVERSION void add_transposed_sparse(const SparseProduct<double>& product) { add_transposed_rows(product); }

SOUK_MULTIVERSION void multiply_dense(std::size_t n, std::size_t k, std::size_t m, const float* a, const float* b,
                                      float* out) {
  multiply_dense_rows(n, k, m, a, b, out);
}
SOUK_MULTIVERSION void multiply_dense(std::size_t n, std::size_t k, std::size_t m, const double* a, const double* b,
                                      double* out) {
  multiply_dense_rows(n, k, m, a, b, out);
}
void multiply_dense(std::size_t n, std::size_t k, std::size_t m, const Dual<float>* a, const Dual<float>* b,
                    Dual<float>* out) {
  multiply_dense_rows(n, k, m, a, b, out);
}
void multiply_dense(std::size_t n, std::size_t k, std::size_t m, const Dual<double>* a, const Dual<double>* b,
                    Dual<double>* out) {
  multiply_dense_rows(n, k, m, a, b, out);
}
SOUK_MULTIVERSION void add_transposed_dense(std::size_t n, std::size_t k, std::size_t m, const float* a, const float* b,
                                            float* out) {
  add_transposed_dense_rows(n, k, m, a, b, out);
}
SOUK_MULTIVERSION void add_transposed_dense(std::size_t n, std::size_t k, std::size_t m, const double* a,
                                            const double* b, double* out) {
  add_transposed_dense_rows(n, k, m, a, b, out);
}
void add_transposed_dense(std::size_t n, std::size_t k, std::size_t m, const Dual<float>* a, const Dual<float>* b,
                          Dual<float>* out) {
  add_transposed_dense_rows(n, k, m, a, b, out);
}
void add_transposed_dense(std::size_t n, std::size_t k, std::size_t m, const Dual<double>* a, const Dual<double>* b,
                          Dual<double>* out) {
  add_transposed_dense_rows(n, k, m, a, b, out);
}

}  // namespace souk::kernels
