#include "sim/params/krum_scores.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/heartbeat.hpp"

namespace souk {

std::vector<double> krum_scores(const SymmetricMatrix& squared_distances, std::span<const std::size_t> rows,
                                std::size_t f) {
  const std::size_t m = rows.size();
  const std::size_t others = m - std::min<std::size_t>(m, 1);
  const std::size_t neighbours = std::min(others, m > f + 2 ? m - f - 2 : 1);
  std::vector<double> scores;
  std::vector<double> distances;
  for (const std::size_t i : rows) {
    heartbeat::beat();
    distances.clear();
    for (const std::size_t j : rows) {
      if (j != i) distances.push_back(squared_distances(i, j));
    }
    const auto end = distances.begin() + static_cast<std::ptrdiff_t>(neighbours);
    std::partial_sort(distances.begin(), end, distances.end());
    scores.push_back(std::accumulate(distances.begin(), end, 0.0));
  }
  return scores;
}

std::vector<std::size_t> all_rows(std::size_t n) {
  std::vector<std::size_t> rows(n);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

}  // namespace souk
