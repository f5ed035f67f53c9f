#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sim/data/graphs/graph.hpp"
#include "sim/learn/graphs/dual.hpp"

/// Products of graph networks. Matrices are dense, row after row, unless they are SparseRows. Every row of a result is
/// computed alike wherever it stands, and sums run in the order of columns: equal rows have equal bits.
namespace souk::kernels {

/// A product of sparse rows with a dense matrix.
template <class S>
struct SparseProduct {
  const SparseRows& matrix;
  std::size_t rows;           ///< of the result: the first of the matrix
  std::uint32_t columns;      ///< entries in columns from here on are passed over
  std::size_t width;          ///< of the dense matrices
  const S* in;                ///< [columns, width]
  S* out;                     ///< [rows, width]
  const S* row_factors{};     ///< [rows] of what a row adds up; null: 1
  const S* column_factors{};  ///< [columns] of rows of `in`; null: 1
  const S* own_factors{};     ///< [rows] of row i of `in`, where it has one, in row i; null: 0
  const float* values{};      ///< [entries] instead of the matrix's; null: the matrix's
};

/// out_i = row_i sum_j m_ij column_j in_j + own_i in_i. 2 entries width flops; reads width values of `in` for each
/// entry.
void multiply_sparse(const SparseProduct<float>& product);
void multiply_sparse(const SparseProduct<double>& product);

/// out_j += sum_i row_i m_ij in_i over the first rows of the matrix: the product with its transpose. `in` [rows,
/// width], `out` [columns, width].
void add_transposed_sparse(const SparseProduct<float>& product);
void add_transposed_sparse(const SparseProduct<double>& product);

/// out [n, m] = a [n, k] b [k, m].
void multiply_dense(std::size_t n, std::size_t k, std::size_t m, const float* a, const float* b, float* out);
void multiply_dense(std::size_t n, std::size_t k, std::size_t m, const double* a, const double* b, double* out);
void multiply_dense(std::size_t n, std::size_t k, std::size_t m, const Dual<float>* a, const Dual<float>* b,
                    Dual<float>* out);
void multiply_dense(std::size_t n, std::size_t k, std::size_t m, const Dual<double>* a, const Dual<double>* b,
                    Dual<double>* out);

/// out [k, m] += aT b for a [n, k], b [n, m].
void add_transposed_dense(std::size_t n, std::size_t k, std::size_t m, const float* a, const float* b, float* out);
void add_transposed_dense(std::size_t n, std::size_t k, std::size_t m, const double* a, const double* b, double* out);
void add_transposed_dense(std::size_t n, std::size_t k, std::size_t m, const Dual<float>* a, const Dual<float>* b,
                          Dual<float>* out);
void add_transposed_dense(std::size_t n, std::size_t k, std::size_t m, const Dual<double>* a, const Dual<double>* b,
                          Dual<double>* out);

}  // namespace souk::kernels
