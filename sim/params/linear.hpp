#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// A symmetric [order, order] matrix, lower triangle row by row, diagonal included.
struct SymmetricMatrix {
  std::size_t order = 0;
  std::vector<double> lower;
  static SymmetricMatrix zeros(std::size_t order) { return {order, std::vector<double>(entries(order), 0.0)}; }
  /// How many a matrix of this order has in `lower`.
  static constexpr std::size_t entries(std::size_t order) { return order * (order + 1) / 2; }
  /// Where an entry stands in `lower`.
  static constexpr std::size_t place(std::size_t i, std::size_t j) {
    if (i < j) std::swap(i, j);
    return entries(i) + j;
  }
  double operator()(std::size_t i, std::size_t j) const { return lower[place(i, j)]; }
  double& operator()(std::size_t i, std::size_t j) { return lower[place(i, j)]; }
  /// [i + 1] up to the diagonal.
  std::span<double> row(std::size_t i) { return std::span(lower).subspan(entries(i), i + 1); }
};

/// Sums one row of `partials` per panel, in panel order, into [values]: the same bits for any rank count.
/// `partials` is [this rank's panels, values]. Collective; exchanged in slices of 2^18 values, so that what comes from
/// all panels takes 128 MB at most beside `partials`.
std::vector<double> sum_over_panels(const Comm& comm, const PanelPlan& plan, std::span<const double> partials,
                                    std::size_t values);

/// U U^T of the updates, [n, n]: float products over runs of 1,024 columns, accumulated in double; no magnitude of
/// floats overflows. Collective. n^2 d / (2 P) multiply-adds per rank, 4 n (n + 1) bytes per panel exchanged. Memory:
/// the result, and a tile of 2 MB per panel.
SymmetricMatrix gram(const Comm& comm, const ColumnMatrix& updates);

/// U v, [n], accumulated in double. Collective; n d / P multiply-adds per rank, bound by memory.
std::vector<double> dots(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& vector);

/// Squared Euclidean norm of every row, [n], accumulated in double. Collective.
std::vector<double> squared_norms(const Comm& comm, const ColumnMatrix& updates);

/// What one pass over the updates gives: U v and the squared norms, [n] each.
struct DotsAndNorms {
  std::vector<double> dots, squared_norms;
};
DotsAndNorms dots_and_norms(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& vector);

/// The cosine of two vectors from their product and the product of their lengths; 0 where one has none.
inline double cosine_of(double product, double lengths) { return lengths > 0.0 ? product / lengths : 0.0; }

/// Of every update with the vector, [n], where the lengths of the updates are known. Collective; the work of `dots`.
std::vector<double> cosines_with(const Comm& comm, const ColumnMatrix& updates, std::span<const double> lengths,
                                 const ColumnVector& vector);

/// Squared Euclidean distances between all pairs of rows, [n, n]: G_ii + G_jj - 2 G_ij of the Gram matrix. Where that
/// cancels, of rows much closer to each other than to 0, the rows are first shifted to one of them, so that the error
/// is about 1e-5 of each distance at most. Equal rows are at distance 0. Collective; the work of the Gram matrix, and
/// once more that of the rows that are close together.
SymmetricMatrix squared_distances(const Comm& comm, const ColumnMatrix& updates);

/// Squared distance of every row to `center`, [n]: (x - c)^2 in double. Collective; bound by memory.
std::vector<double> squared_distances_to(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& center);

/// v . v, accumulated in double. Collective.
double squared_norm(const Comm& comm, const PanelPlan& plan, const ColumnVector& vector);

/// w^T U, [d]: rows added in ascending order in double, rounded once. No communication.
ColumnVector combine(const ColumnMatrix& updates, std::span<const double> weights);

/// W U, [m, d]: row r is the sum of coefficients[r * n + i] times row i, added in ascending order in double, by fused
/// multiply-adds where many rows share theirs, rounded once. A row of coefficient 0 is no part of the sum, whatever it
/// holds. 2 n d operations per row of W at most. No communication.
ColumnMatrix mix(const Comm& comm, const ColumnMatrix& updates, std::span<const double> coefficients);

}  // namespace souk
