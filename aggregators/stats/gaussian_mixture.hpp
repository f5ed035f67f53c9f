#pragma once

#include <cstddef>
#include <vector>

#include "sim/params/dense_matrix.hpp"

namespace souk {

class Stream;

struct GaussianMixture {
  std::vector<double> weights;           ///< [k]
  DenseMatrix means;                     ///< [k, m]
  std::vector<DenseMatrix> covariances;  ///< [k] of [m, m]
  DenseMatrix responsibilities;          ///< [n, k], rows sum to 1
  std::vector<std::size_t> labels;       ///< [n], most responsible component; ties to the lower
  double log_likelihood = 0.0;           ///< mean over the points
  double bic = 0.0;                      ///< Schwarz's criterion: lower is better
};

/// A mixture of k normal distributions fitted to points [n, m] by expectation maximisation (Dempster, Laird, Rubin,
/// JRSS B 1977), with the conventions of scikit-learn's GaussianMixture: full covariances plus 1e-6 on the diagonal,
/// started from k-means, until the mean log-likelihood changes by less than 1e-3 or for 100 steps. Components are in
/// the order of the first members of the k-means clusters; fewer than k where fewer points differ. n, k >= 1.
GaussianMixture gaussian_mixture(const DenseMatrix& points, std::size_t k, Stream& random);

}  // namespace souk
