#include "attacks/fang_trim_values.hpp"

#include <algorithm>
#include <limits>

#include "attacks/uniform_values.hpp"
#include "attacks/update_tools.hpp"

namespace souk {
namespace {

/// Columns looked at together: what is kept of them stays in the first cache.
constexpr std::size_t block = 512;

}  // namespace

Intervals beyond_extremes(const ColumnMatrix& known, double b) {
  const auto factor = static_cast<float>(b);
  Intervals intervals{ColumnVector(known), ColumnVector(known)};
  const std::span<float> low = intervals.low.values(), high = intervals.high.values();
  std::vector<double> sums(block);
  for (std::size_t first = 0; first < low.size(); first += block) {
    const std::size_t end = std::min(first + block, low.size());
    std::ranges::fill(sums, 0.0);
    std::ranges::fill(low.subspan(first, end - first), std::numeric_limits<float>::infinity());
    std::ranges::fill(high.subspan(first, end - first), -std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < known.rows(); ++i) {
      const std::span<const float> row = known.row(i);
      for (std::size_t c = first; c < end; ++c) {
        sums[c - first] += static_cast<double>(row[c]);
        low[c] = std::min(low[c], row[c]);
        high[c] = std::max(high[c], row[c]);
      }
    }
    for (std::size_t c = first; c < end; ++c) {
      if (sums[c - first] > 0.0) {
        high[c] = low[c];
        low[c] = low[c] > 0.0F ? low[c] / factor : low[c] * factor;
      } else {
        low[c] = high[c];
        high[c] = high[c] > 0.0F ? high[c] * factor : high[c] / factor;
      }
    }
  }
  return intervals;
}

Intervals beyond_deviations(const ColumnMatrix& known) {
  const Spread spread = spread_of(known);
  Intervals intervals{ColumnVector(known), ColumnVector(known)};
  for (std::size_t c = 0; c < spread.mean.values().size(); ++c) {
    const float mean = spread.mean.values()[c], deviation = spread.deviation.values()[c];
    intervals.low.values()[c] = mean + (mean > 0.0F ? -4.0F : 3.0F) * deviation;
    intervals.high.values()[c] = mean + (mean > 0.0F ? -3.0F : 4.0F) * deviation;
  }
  return intervals;
}

ColumnMatrix draw_between(const PublicRound& round, std::span<const AgentId> members, const ColumnMatrix& like,
                          const Intervals& intervals) {
  ColumnMatrixBuilder drawn(round.comm, members.size(), like.dimension());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::span<float> row = drawn.row(i);
    fill_uniform(round, members[i], 0, like, row);
    for (std::size_t c = 0; c < row.size(); ++c) {
      const float low = intervals.low.values()[c];
      row[c] = low + row[c] * (intervals.high.values()[c] - low);
    }
  }
  return std::move(drawn).finish();
}

}  // namespace souk
