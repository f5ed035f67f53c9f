// A graph's edges with some more.
#include "sim/data/graphs/more_edges.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace souk::more_edges_test {
namespace {

TEST(MoreEdges, are_those_of_the_graph_and_the_others_in_both_directions) {
  const std::vector<std::uint64_t> offsets{0, 2, 3, 5, 6, 6};
  const std::vector<NodeIndex> neighbours{1, 2, 0, 0, 3, 2};
  const SparseRows edges{.offsets = offsets, .columns = neighbours, .values = {}, .width = 5};
  const std::vector<Edge> more{{4, 0}, {1, 3}, {1, 2}};
  const MoreEdges both(edges, more);
  std::set<Edge> expected;
  const auto add = [&](NodeIndex a, NodeIndex b) { expected.insert({a, b}), expected.insert({b, a}); };
  for (const auto& [a, b] : std::vector<Edge>{{0, 1}, {0, 2}, {2, 3}, {4, 0}, {1, 3}, {1, 2}}) add(a, b);

  std::set<Edge> found;
  const SparseRows rows = both.rows();
  ASSERT_EQ(rows.rows(), 5U);
  for (NodeIndex v = 0; v < 5; ++v) {
    const auto row = rows.columns.subspan(rows.offsets[v], rows.offsets[v + 1] - rows.offsets[v]);
    EXPECT_TRUE(std::ranges::is_sorted(row));
    for (const NodeIndex to : row) EXPECT_TRUE(found.insert({v, to}).second);
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace souk::more_edges_test
