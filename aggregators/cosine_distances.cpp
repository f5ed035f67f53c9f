#include "aggregators/cosine_distances.hpp"

#include <algorithm>
#include <cmath>

#include "aggregators/stats/similarity.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

/// Vectors v_i = origin + update i, known by products.
struct Vectors {
  double origin;              ///< |origin|^2
  std::vector<double> along;  ///< <origin, update i>
  std::vector<double> added;  ///< |v_i|^2 - |origin|^2

  double squared_norm(std::size_t i) const { return std::max(0.0, origin + added[i]); }
  double norm(std::size_t i) const { return std::sqrt(squared_norm(i)); }
  /// So close that what the two have in common would hide their angle in the product.
  bool close(std::size_t i, std::size_t j, double squared_distance) const {
    const double a = squared_norm(i);
    const double b = squared_norm(j);
    return a > 0.0 && b > 0.0 && squared_distance < (a + b) / 64.0;
  }
};

/// Calls `use(i, j)` for all pairs; true if one of them was true.
template <class Use>
bool any_pair(std::size_t n, Use use) {
  bool any = false;
  for (std::size_t i = 0; i < n; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j < i; ++j) any = use(i, j) || any;
  }
  return any;
}

SymmetricMatrix from_products(SymmetricMatrix gram, const Vectors& vectors) {
  for (std::size_t i = 0; i < gram.order; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j < i; ++j) {
      const double product = vectors.origin + vectors.along[i] + vectors.along[j] + gram(i, j);
      gram(i, j) = std::clamp(1.0 - cosine_of(product, vectors.norm(i) * vectors.norm(j)), 0.0, 2.0);
    }
    gram(i, i) = 0.0;
  }
  return gram;
}

/// Close pairs: 1 - cos = (|a - b|^2 - (|a| - |b|)^2) / (2 |a| |b|), where nothing is lost near 0.
void refine_near_zero(SymmetricMatrix& result, const SymmetricMatrix& squared_distances, const Vectors& vectors) {
  for (std::size_t i = 0; i < result.order; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j < i; ++j) {
      if (!vectors.close(i, j, squared_distances(i, j))) continue;
      const double a = vectors.norm(i);
      const double b = vectors.norm(j);
      const double longer_by = (vectors.added[i] - vectors.added[j]) / (a + b);
      result(i, j) = std::max(0.0, squared_distances(i, j) - longer_by * longer_by) / (2.0 * a * b);
    }
  }
}

}  // namespace

SymmetricMatrix cosine_distances(const Comm& comm, const ColumnMatrix& updates) {
  const std::size_t n = updates.rows();
  const SymmetricMatrix products = gram(comm, updates);
  const Vectors vectors{0.0, std::vector<double>(n, 0.0), squared_norms(comm, updates)};
  SymmetricMatrix result = from_products(products, vectors);
  const SymmetricMatrix rough = squared_distances(products);
  if (any_pair(n, [&](auto i, auto j) { return vectors.close(i, j, rough(i, j)); })) {
    refine_near_zero(result, squared_distances(comm, updates), vectors);
  }
  return result;
}

SymmetricMatrix cosine_distances(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& origin) {
  const std::size_t n = updates.rows();
  auto [along, added] = dots_and_norms(comm, updates, origin);
  for (std::size_t i = 0; i < n; ++i) added[i] += 2.0 * along[i];
  const Vectors vectors{squared_norm(comm, updates.plan(), origin), std::move(along), std::move(added)};
  const SymmetricMatrix distances = squared_distances(comm, updates);
  const bool apart = any_pair(n, [&](auto i, auto j) { return !vectors.close(i, j, distances(i, j)); });
  SymmetricMatrix result = apart ? from_products(gram(comm, updates), vectors) : distances;
  refine_near_zero(result, distances, vectors);
  return result;
}

}  // namespace souk
