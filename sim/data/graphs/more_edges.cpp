#include "sim/data/graphs/more_edges.hpp"

#include <algorithm>
#include <iterator>

#include "sim/base/contract.hpp"

namespace souk {

MoreEdges::MoreEdges(const SparseRows& edges, std::span<const Edge> more) : offsets_{0} {
  std::vector<Edge> both;
  for (const auto& [a, b] : more) {
    SOUK_EXPECT(a != b && a < edges.rows() && b < edges.rows());
    both.emplace_back(a, b);
    both.emplace_back(b, a);
  }
  std::ranges::sort(both);
  offsets_.reserve(edges.rows() + 1);
  neighbours_.reserve(edges.entries() + both.size());
  std::vector<NodeIndex> added;
  auto next = both.begin();
  for (NodeIndex v = 0; v < edges.rows(); ++v) {
    added.clear();
    for (; next != both.end() && next->first == v; ++next) added.push_back(next->second);
    const auto own = edges.columns.subspan(edges.offsets[v], edges.offsets[v + 1] - edges.offsets[v]);
    std::ranges::merge(own, added, std::back_inserter(neighbours_));
    offsets_.push_back(neighbours_.size());
  }
}

}  // namespace souk
