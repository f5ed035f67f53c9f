#include "attacks/imitated_rules.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "attacks/vector_distances.hpp"
#include "sim/params/krum_scores.hpp"
#include "sim/params/symmetric_eigen.hpp"

namespace souk {
namespace {

/// The largest f' <= f with n >= factor f' + offset; 0 where there is none.
std::size_t covered(std::size_t f, std::size_t n, std::size_t factor, std::size_t offset) {
  return n < offset ? 0 : std::min(f, (n - offset) / factor);
}

/// Positions of the `count` smallest_in_order values, ties to the smaller one; ascending.
std::vector<std::size_t> smallest_in_order(const std::vector<double>& values, std::size_t count) {
  std::vector<std::size_t> order = all_rows(values.size());
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  order.resize(count);
  std::ranges::sort(order);
  return order;
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

/// Gram matrix of the centred rows: -1/2 J D J.
SymmetricMatrix centred_gram(const SymmetricMatrix& distances) {
  const std::size_t n = distances.order;
  SymmetricMatrix gram{n, {}};
  std::vector<double> means(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) means[i] += distances(i, j) / static_cast<double>(n);
  }
  const double all = mean_of(means);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) gram.lower.push_back(-0.5 * (distances(i, j) - means[i] - means[j] + all));
  }
  return gram;
}

/// Cosines of `rows` to their mean; 0 where either is 0.
std::vector<double> cosines_to_mean(const SymmetricMatrix& products, const std::vector<std::size_t>& rows) {
  std::vector<double> cosines;
  for (const std::size_t i : rows) {
    double along = 0.0;
    for (const std::size_t j : rows) along += products(i, j);
    cosines.push_back(along / static_cast<double>(rows.size()));
  }
  const double norm = std::sqrt(std::max(0.0, mean_of(cosines)));
  for (std::size_t k = 0; k < rows.size(); ++k) {
    cosines[k] = cosine_of(cosines[k], norm * std::sqrt(products(rows[k], rows[k])));
  }
  return cosines;
}

}  // namespace

std::vector<std::size_t> krum_selection(const SymmetricMatrix& distances, std::size_t f) {
  const std::size_t n = distances.order;
  return smallest_in_order(krum_scores(distances, all_rows(n), covered(f, n, 2, 3)), 1);
}

std::vector<std::size_t> multi_krum_selection(const SymmetricMatrix& distances, std::size_t f) {
  const std::size_t n = distances.order;
  const std::size_t tolerated = covered(f, n, 2, 3);
  return smallest_in_order(krum_scores(distances, all_rows(n), tolerated), n - tolerated);
}

std::vector<std::size_t> bulyan_selection(const SymmetricMatrix& distances, std::size_t f) {
  const std::size_t n = distances.order;
  const std::size_t tolerated = covered(f, n, 4, 3);
  std::vector<std::size_t> left = all_rows(n), selected;
  while (selected.size() < n - 2 * tolerated) {
    const std::vector<double> scores = krum_scores(distances, left, tolerated);
    const auto winner = std::ranges::min_element(scores) - scores.begin();
    selected.push_back(left[static_cast<std::size_t>(winner)]);
    left.erase(left.begin() + winner);
  }
  std::ranges::sort(selected);
  return selected;
}

std::vector<std::size_t> dnc_selection(const SymmetricMatrix& distances, std::size_t f) {
  const std::size_t n = distances.order;
  std::vector<double> scores = power_iteration(centred_gram(distances), 1e-10).vector;
  for (double& score : scores) score *= score;
  return smallest_in_order(scores, n - covered(f, n, 1, 1));
}

std::vector<std::size_t> afa_selection(const SymmetricMatrix& products) {
  std::vector<std::size_t> good = all_rows(products.order);
  for (double xi = 2.0; good.size() > 1; xi += 0.5) {
    const std::vector<double> cosines = cosines_to_mean(products, good);
    const double mean = mean_of(cosines), middle = median_of(cosines);
    double square = 0.0;
    for (const double cosine : cosines) square += (cosine - mean) * (cosine - mean);
    const double margin = xi * std::sqrt(square / static_cast<double>(good.size()));
    std::vector<std::size_t> kept;
    for (std::size_t k = 0; k < good.size(); ++k) {
      const bool out = mean < middle ? cosines[k] < middle - margin : cosines[k] > middle + margin;
      if (!out) kept.push_back(good[k]);
    }
    if (kept.size() == good.size()) break;
    good = std::move(kept);
  }
  return good;
}

}  // namespace souk
