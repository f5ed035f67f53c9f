#include "sim/data/graphs/edge_noise.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/memory.hpp"

namespace souk {

double laplace_exceeded_by(double probability) {
  return probability <= 0.5 ? -std::log(2.0 * probability) : std::log(2.0 * (1.0 - probability));
}

double laplace(Stream& random) { return laplace_exceeded_by(1.0 - random.uniform()); }

PairDraw::PairDraw(std::size_t nodes, double probability, Stream& random)
    : random_(random),
      log_of_staying_(std::log1p(-probability)),
      nodes_(nodes),
      left_(probability > 0.0 ? nodes_ * (nodes_ - 1) / 2 : 0) {}

// By inversion. Of a probability of 1 the logarithm is minus infinity, and every gap 0.
double PairDraw::draw_gap() { return std::floor(std::log(1.0 - random_.uniform()) / log_of_staying_); }

std::optional<Edge> PairDraw::next() {
  if (left_ == 0) return std::nullopt;
  if (++drawn_ % 65536 == 0) heartbeat::beat();
  const double gap = draw_gap();
  if (gap >= static_cast<double>(left_)) {
    left_ = 0;
    return std::nullopt;
  }
  left_ -= static_cast<std::uint64_t>(gap) + 1;
  place_ += static_cast<std::uint64_t>(gap);
  for (std::uint64_t pairs = nodes_ - 1 - row_; place_ >= pairs; --pairs) {
    place_ -= pairs;
    ++row_;
  }
  const std::uint64_t larger = row_ + 1 + place_++;
  return Edge{static_cast<NodeIndex>(row_), static_cast<NodeIndex>(larger)};
}

double first_share(double pairs_without_edge, double wanted) {
  const double enough = 4.0 * wanted;
  return pairs_without_edge > 2.0 * enough ? enough / pairs_without_edge : 1.0;
}

namespace {

/// A cell with its value in units of the noise: of any epsilon the scores are finite, and ties as rare.
struct NoisyCell {
  Edge pair;
  double score = 0.0;
};

/// Adds the cells without an edge whose noise is exceeded with a probability above `from`, up to `until`; those below
/// are there. Given that a cell is none of these, it is one with probability (until - from) / (1 - from). `cells`: by
/// pair, ascending.
void add_cells(std::vector<NoisyCell>& cells, std::size_t nodes, double from, double until, Stream& random) {
  std::vector<NoisyCell> merged;
  merged.reserve(cells.size() + static_cast<std::size_t>((until - from) * pairs_of(nodes)));
  PairDraw draw(nodes, (until - from) / (1.0 - from), random);
  auto next = cells.cbegin();
  while (const std::optional<Edge> pair = draw.next()) {
    while (next != cells.cend() && next->pair < *pair) merged.push_back(*next++);
    if (next != cells.cend() && next->pair == *pair) continue;
    merged.push_back({*pair, laplace_exceeded_by(from + (until - from) * (1.0 - random.uniform()))});
  }
  merged.insert(merged.end(), next, cells.cend());
  cells = std::move(merged);
}

/// Whether so many cells are above the number down to which all are known.
bool are_enough(const std::vector<NoisyCell>& cells, std::uint64_t wanted, double share) {
  const double down_to = laplace_exceeded_by(share);
  return std::cmp_greater_equal(std::ranges::count_if(cells, [&](const NoisyCell& c) { return c.score >= down_to; }),
                                wanted);
}

}  // namespace

std::vector<Edge> largest_cells(std::size_t nodes, std::span<const Edge> edges, std::uint64_t wanted, double epsilon,
                                double share, Stream& random) {
  std::vector<NoisyCell> cells;
  cells.reserve(edges.size());
  for (const Edge& edge : edges) cells.push_back({edge, epsilon + laplace(random)});
  add_cells(cells, nodes, 0.0, share, random);
  while (share < 1.0 && !are_enough(cells, wanted, share)) {
    const double more = share < 0.125 ? 4.0 * share : 1.0;
    add_cells(cells, nodes, share, more, random);
    share = more;
  }
  SOUK_EXPECT(wanted <= cells.size());
  const auto end = cells.begin() + static_cast<std::ptrdiff_t>(wanted);
  std::ranges::nth_element(cells, end, [](const NoisyCell& a, const NoisyCell& b) {
    return a.score != b.score ? a.score > b.score : a.pair < b.pair;
  });
  std::vector<Edge> largest;
  largest.reserve(wanted);
  for (auto cell = cells.begin(); cell != end; ++cell) largest.push_back(cell->pair);
  std::ranges::sort(largest);
  return largest;
}

void check_noise(const char* field, double epsilon, std::size_t nodes, double pairs, double bytes_per_pair) {
  constexpr double pairs_max = 0x1p31;  // what a stream draws, with two numbers for each and room to spare
  SOUK_REQUIRE(pairs <= pairs_max,
               "{} = {}: noise on the pairs of {} nodes would keep {:.3g} of them, and at most {:.3g} can be: take a "
               "larger epsilon or a smaller graph",
               field, epsilon, nodes, pairs, pairs_max);
  const double needed = pairs * bytes_per_pair;
  SOUK_REQUIRE(needed <= available_memory(),
               "{} = {}: noise on the pairs of {} nodes needs {}, this node has {} to give", field, epsilon, nodes,
               bytes_text(needed), bytes_text(available_memory()));
}

}  // namespace souk
