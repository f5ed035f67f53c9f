#include "aggregators/stats/similarity.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

template <class Entry>
SymmetricMatrix symmetric(std::size_t order, const Entry& entry) {
  SymmetricMatrix result{order, {}};
  result.lower.reserve(SymmetricMatrix::entries(order));
  for (std::size_t i = 0; i < order; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j <= i; ++j) result.lower.push_back(entry(i, j));
  }
  return result;
}

}  // namespace

SymmetricMatrix cosines(const SymmetricMatrix& gram) {
  return symmetric(gram.order, [&](std::size_t i, std::size_t j) {
    if (!(gram(i, i) > 0.0 && gram(j, j) > 0.0)) return 0.0;
    if (i == j) return 1.0;
    return std::clamp(gram(i, j) / (std::sqrt(gram(i, i)) * std::sqrt(gram(j, j))), -1.0, 1.0);
  });
}

SymmetricMatrix squared_distances(const SymmetricMatrix& gram) {
  return symmetric(gram.order, [&](std::size_t i, std::size_t j) {
    return i == j ? 0.0 : std::max(0.0, gram(i, i) + gram(j, j) - 2.0 * gram(i, j));
  });
}

SymmetricMatrix squared_distances(const DenseMatrix& points) {
  return symmetric(points.rows, [&](std::size_t i, std::size_t j) {
    double sum = 0.0;
    for (std::size_t c = 0; c < points.columns; ++c) {
      const double difference = points(i, c) - points(j, c);
      sum += difference * difference;
    }
    return sum;
  });
}

}  // namespace souk
