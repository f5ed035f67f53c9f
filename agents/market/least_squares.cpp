#include "agents/market/least_squares.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/contract.hpp"
#include "sim/params/symmetric_eigen.hpp"

namespace souk {

PseudoInverse::PseudoInverse(const SymmetricMatrix& matrix, double cutoff) {
  const SymmetricEigen eigen = symmetric_eigen(matrix);
  for (std::size_t k = 0; k < eigen.values.size() && eigen.values[k] > cutoff * eigen.values.front(); ++k) {
    const auto vector = eigen.vectors.row(k);
    inverses_.push_back(1.0 / eigen.values[k]);
    vectors_.emplace_back(vector.begin(), vector.end());
  }
}

std::vector<double> PseudoInverse::times(std::span<const double> vector) const {
  std::vector<double> result(vector.size(), 0.0);
  for (std::size_t k = 0; k < inverses_.size(); ++k) {
    SOUK_EXPECT(vectors_[k].size() == vector.size());
    const double along = inverses_[k] * std::inner_product(vector.begin(), vector.end(), vectors_[k].begin(), 0.0);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] += along * vectors_[k][i];
  }
  return result;
}

}  // namespace souk
