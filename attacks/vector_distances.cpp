#include "attacks/vector_distances.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "scenarios/edge_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/params/dot.hpp"

namespace souk {
namespace {

/// Sum of term(a_i, b_i).
template <class Term>
double sum_of_terms(std::span<const double> a, std::span<const double> b, Term term) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += term(a[i], b[i]);
  return sum;
}

/// Less the mean of its values and of so many zeros, which become one value more: what they add to a norm and to a dot
/// product, they add together. Of a constant, zeros: the mean of equal values is not always what they are.
std::vector<double> centred(std::span<const double> a, std::size_t zeros) {
  if (zeros == 0 && std::ranges::equal(a.first(a.size() - 1), a.subspan(1))) return std::vector<double>(a.size());
  double mean = 0.0;
  for (const double x : a) mean += x;
  mean /= static_cast<double>(a.size() + zeros);
  std::vector<double> out(a.begin(), a.end());
  for (double& x : out) x -= mean;
  if (zeros > 0) out.push_back(-mean * std::sqrt(static_cast<double>(zeros)));
  return out;
}

std::optional<double> angular(std::span<const double> a, std::span<const double> b) {
  const double size = norm(a) * norm(b);
  if (!(size > 0.0)) return std::nullopt;
  return 1.0 - dot(a, b) / size;
}

}  // namespace

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double norm(std::span<const double> a) { return std::sqrt(dot(a, a)); }

std::optional<double> distance(scenario::VectorDistance kind, std::span<const double> a, std::span<const double> b,
                               std::size_t zeros) {
  SOUK_EXPECT(a.size() == b.size());
  // Too large to be compared is not the same as zero.
  if (!std::isfinite(norm(a)) || !std::isfinite(norm(b))) return std::numeric_limits<double>::quiet_NaN();
  if (norm(a) == 0.0 || norm(b) == 0.0) return std::nullopt;
  const auto difference = [](double x, double y) { return std::abs(x - y); };
  switch (kind) {
    case scenario::COSINE:
      return angular(a, b);
    case scenario::CORRELATION:
      return angular(centred(a, zeros), centred(b, zeros));
    case scenario::EUCLIDEAN:
      return std::sqrt(sum_of_terms(a, b, [](double x, double y) { return (x - y) * (x - y); }));
    case scenario::SQEUCLIDEAN:
      return sum_of_terms(a, b, [](double x, double y) { return (x - y) * (x - y); });
    case scenario::CITYBLOCK:
      return sum_of_terms(a, b, difference);
    case scenario::CHEBYSHEV: {
      double largest = 0.0;
      for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, difference(a[i], b[i]));
      return largest;
    }
    case scenario::BRAYCURTIS: {
      const double sizes = sum_of_terms(a, b, [](double x, double y) { return std::abs(x + y); });
      if (!(sizes > 0.0)) return std::nullopt;
      return sum_of_terms(a, b, difference) / sizes;
    }
    case scenario::CANBERRA:
      return sum_of_terms(a, b, [](double x, double y) {
        const double sizes = std::abs(x) + std::abs(y);
        return sizes > 0.0 ? std::abs(x - y) / sizes : 0.0;
      });
  }
  return std::nullopt;
}

}  // namespace souk
