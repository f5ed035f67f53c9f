#include "aggregators/column_sample.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace souk {

std::vector<std::size_t> draw_columns(std::size_t d, std::size_t count, Stream& random) {
  if (count >= d) {
    std::vector<std::size_t> all(d);
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }
  // Floyd's algorithm (Bentley, Communications of the ACM 30(9), 1987).
  std::set<std::size_t> drawn;
  for (std::size_t last = d - count; last < d; ++last) {
    const std::size_t column = random.below(static_cast<std::uint32_t>(last + 1));
    drawn.insert(drawn.contains(column) ? last : column);
  }
  return {drawn.begin(), drawn.end()};
}

SymmetricMatrix centred_gram_of(const Comm& comm, const ColumnMatrix& updates,
                                const std::vector<std::size_t>& columns) {
  const std::size_t n = updates.rows();
  const std::size_t entries = n * (n + 1) / 2;
  std::vector<double> partials(updates.panels().size() * entries, 0.0);
  std::vector<double> values(n);
  double* sums = partials.data();
  for (const Panel& panel : updates.panels()) {
    const auto begin = std::lower_bound(columns.begin(), columns.end(), panel.columns.begin);
    const auto end = std::lower_bound(begin, columns.end(), panel.columns.end);
    for (auto column = begin; column != end; ++column) {
      double mean = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        values[i] = static_cast<double>(panel.row(i)[*column - panel.columns.begin]);
        mean += values[i] / static_cast<double>(n);
      }
      double* entry = sums;
      for (std::size_t i = 0; i < n; ++i) {
        values[i] -= mean;
        for (std::size_t j = 0; j <= i; ++j) *entry++ += values[i] * values[j];
      }
    }
    sums += entries;
  }
  return {n, sum_over_panels(comm, updates.plan(), partials, entries)};
}

}  // namespace souk
