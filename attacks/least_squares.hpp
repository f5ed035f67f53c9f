#pragma once

#include <cstddef>
#include <vector>

namespace souk {

/// Linear equations, dense, in the memory that they are solved in.
struct Equations {
  Equations(std::size_t rows, std::size_t unknowns)
      : rows(rows), unknowns(unknowns), matrix(rows * unknowns), right(rows) {}
  double& at(std::size_t row, std::size_t unknown) { return matrix[unknown * rows + row]; }

  std::size_t rows, unknowns;
  std::vector<double> matrix;  ///< [unknowns, rows]
  std::vector<double> right;   ///< [rows]
};

/// The shortest x [unknowns] of those with the least squares of matrix x - right, by QR with pivoting of columns and a
/// complete orthogonal factorisation (LAPACK's DGELSY). The rank is that of the largest leading triangle whose
/// condition is estimated below 1 / tolerance. About 2 rows unknowns^2 flops. Contract: rows and unknowns are not 0.
std::vector<double> shortest_least_squares(Equations equations, double tolerance);

}  // namespace souk
