#include "aggregators/stats/pca.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/contract.hpp"
#include "sim/params/symmetric_eigen.hpp"

namespace souk {

SymmetricMatrix double_centred(const SymmetricMatrix& gram) {
  const std::size_t n = gram.order;
  std::vector<double> means(n);
  double mean = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) means[i] += gram(i, j);
    means[i] /= static_cast<double>(n);
    mean += means[i];
  }
  mean /= static_cast<double>(n);
  SymmetricMatrix centred = gram;
  std::size_t entry = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) centred.lower[entry++] += mean - means[i] - means[j];
  }
  return centred;
}

PrincipalComponents principal_components(const SymmetricMatrix& gram, std::size_t components) {
  const std::size_t n = gram.order;
  SOUK_EXPECT(components <= n);
  const SymmetricEigen eigen = symmetric_eigen(double_centred(gram));
  PrincipalComponents result{DenseMatrix(n, components), std::vector<double>(components)};
  for (std::size_t k = 0; k < components; ++k) {
    const double spread = std::max(0.0, eigen.values[k]);
    if (n > 1) result.variances[k] = spread / static_cast<double>(n - 1);
    for (std::size_t i = 0; i < n; ++i) result.coordinates(i, k) = std::sqrt(spread) * eigen.vectors(k, i);
  }
  return result;
}

}  // namespace souk
