#pragma once

#include <span>
#include <vector>

#include "sim/params/dense_matrix.hpp"

namespace souk {

/// B v = sigma v + sum over i of s[i] s_i + y[i] y_i.
struct LbfgsProduct {
  double sigma = 0.0;
  std::vector<double> s;  ///< [N]
  std::vector<double> y;  ///< [N]
};

/// Product of the L-BFGS approximation B of the Hessian with a vector v, from N pairs of steps s_i and changes of the
/// gradient y_i, oldest first: Byrd, Nocedal, Schnabel, "Representations of quasi-Newton matrices and their use in
/// limited memory methods", Mathematical Programming 1994, Theorem 2.3, with B_0 = sigma I, sigma = s_N.y_N / s_N.s_N
/// (FLDetector, Algorithm 1). Takes only inner products, so that vectors of the model's size are combined once:
/// ss(i, j) = s_i.s_j, sy(i, j) = s_i.y_j, sv[i] = s_i.v, yv[i] = y_i.v.
/// Pairs with s_i = 0 are left out, and the oldest ones until the equations can be solved; none left: all 0.
LbfgsProduct lbfgs_product(const DenseMatrix& ss, const DenseMatrix& sy, std::span<const double> sv,
                           std::span<const double> yv);

}  // namespace souk
