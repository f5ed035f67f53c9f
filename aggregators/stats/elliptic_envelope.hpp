#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "sim/params/dense_matrix.hpp"

namespace souk {

class Stream;

struct EllipticEnvelopeSettings {
  double contamination = 0.1;              ///< share of the points to call outliers, in [0, 0.5]
  std::optional<double> support_fraction;  ///< share of the points that the estimate rests on; (n + m + 1) / 2n if none
};

struct EllipticEnvelope {
  std::vector<double> squared_distances;  ///< [n], Mahalanobis, to the robust location
  std::vector<std::size_t> outliers;      ///< ascending: those beyond the (1 - contamination) quantile of the distances
};

/// Outliers of points [n, m] as scikit-learn's EllipticEnvelope finds them: distances to the location and covariance of
/// the points whose covariance has the smallest determinant, approximated by FAST-MCD (Rousseeuw and Van Driessen,
/// Technometrics 1999) from 100 random starts and re-weighted once by the 0.975 quantile of chi-squared.
/// An estimate wants five points per dimension (ibid., section 4): points of more dimensions than n / 5 are first
/// projected on their first max(1, floor(n / 5)) principal components. Where the points that count lie in a subspace,
/// those outside it get very large distances. Equal points: all distances 0, no outliers. n >= 1.
EllipticEnvelope elliptic_envelope(const DenseMatrix& points, const EllipticEnvelopeSettings& settings, Stream& random);

}  // namespace souk
