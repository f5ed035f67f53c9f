#pragma once

#include <vector>

#include "sim/params/dense_matrix.hpp"
#include "sim/params/linear.hpp"

namespace souk {

/// J G J with J = I - 1 1^T / n: the Gram matrix of the rows minus their mean.
SymmetricMatrix double_centred(const SymmetricMatrix& gram);

struct PrincipalComponents {
  DenseMatrix coordinates;        ///< [n, components] of the rows minus their mean
  std::vector<double> variances;  ///< [components], descending, divided by n - 1; 0 where there is no more
};

/// The first `components` <= n principal components of rows known by their Gram matrix (which need not be centred). The
/// coordinate largest in magnitude of each component is positive.
PrincipalComponents principal_components(const SymmetricMatrix& gram, std::size_t components);

}  // namespace souk
