// Communities of graphs, against what is known of them and against every other way to cut a small graph.
#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/partition.pb.h"
#include "sim/base/random.hpp"
#include "sim/data/graphs/communities_of.hpp"
#include "sim/data/partitioner.hpp"
#include "tests/sim/data/support.hpp"

namespace souk::louvain_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Edges {
 public:
  Edges(std::size_t nodes, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> all;
    for (const auto& [a, b] : pairs) {
      all.insert({a, b});
      all.insert({b, a});
    }
    offsets_.push_back(0);
    for (std::uint32_t v = 0; v < nodes; ++v) {
      for (const auto& [a, b] : all) {
        if (a == v) columns_.push_back(b);
      }
      offsets_.push_back(columns_.size());
    }
  }
  SparseRows rows() const {
    return {.offsets = offsets_, .columns = columns_, .values = {}, .width = offsets_.size() - 1};
  }

 private:
  std::vector<std::uint64_t> offsets_;
  std::vector<std::uint32_t> columns_;
};

/// So many cliques of so many nodes in a ring, each joined to the next by one edge.
Edges ring_of_cliques(std::uint32_t cliques, std::uint32_t size) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (std::uint32_t c = 0; c < cliques; ++c) {
    for (std::uint32_t a = 0; a < size; ++a) {
      for (std::uint32_t b = 0; b < a; ++b) pairs.emplace_back(c * size + a, c * size + b);
    }
    pairs.emplace_back(c * size, ((c + 1) % cliques) * size + 1);
  }
  return {std::size_t{cliques} * size, pairs};
}

TEST(Louvain, finds_cliques) {
  const Edges edges = ring_of_cliques(4, 5);

  const auto community = louvain_communities(edges.rows(), 1.0);

  for (std::size_t v = 0; v < 20; ++v) EXPECT_EQ(community[v], v / 5);
}

// Ring of 4 cliques of 5: 44 edges; each has 20 ends of its own edges inside and 22 in all.
TEST(Louvain, modularity_is_its_definition) {
  const Edges edges = ring_of_cliques(4, 5);

  EXPECT_NEAR(modularity(edges.rows(), louvain_communities(edges.rows(), 1.0), 1.0), 4.0 * (20.0 / 88.0 - 0.0625),
              1e-12);
  EXPECT_NEAR(modularity(edges.rows(), std::vector<std::uint32_t>(20, 0), 1.0), 0.0, 1e-12);
}

/// The most modularity of any partition of the nodes, by trying all (restricted growth strings).
double best_modularity(const SparseRows& edges, std::vector<std::uint32_t>& community, std::size_t at,
                       std::uint32_t used) {
  if (at == community.size()) return modularity(edges, community, 1.0);
  double best = -1.0;
  for (std::uint32_t c = 0; c <= used; ++c) {
    community[at] = c;
    best = std::max(best, best_modularity(edges, community, at + 1, std::max(used, c + 1)));
  }
  return best;
}

TEST(Louvain, is_near_the_best_of_all_partitions_of_small_graphs) {
  for (std::uint32_t trial = 0; trial < 12; ++trial) {
    Stream random(trial, StreamKey{Purpose::dataset, nobody, RoundIndex{0}});
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (std::uint32_t a = 0; a < 8; ++a) {
      for (std::uint32_t b = 0; b < a; ++b) {
        if (random.below(10) < ((a < 4) == (b < 4) ? 8U : 2U)) pairs.emplace_back(a, b);
      }
    }
    const Edges edges(8, pairs);
    std::vector<std::uint32_t> all(8);
    const double best = best_modularity(edges.rows(), all, 0, 0);

    const double found = modularity(edges.rows(), louvain_communities(edges.rows(), 1.0), 1.0);

    EXPECT_LE(found, best + 1e-12);
    EXPECT_GE(found, 0.9 * best) << "trial " << trial;  // a greedy method: near, not equal
  }
}

TEST(Louvain, leaves_nodes_without_edges_alone) {
  const Edges edges(5, {{0, 1}});

  EXPECT_THAT(louvain_communities(edges.rows(), 1.0), ElementsAre(0, 0, 1, 2, 3));
}

TEST(Louvain, deals_whole_communities_the_largest_first) {
  const Edges edges = ring_of_cliques(3, 4);
  const SparseRows rows = edges.rows();
  // Of the first clique all nodes are samples, of the others three and two.
  const std::vector<NodeIndex> nodes{0, 1, 2, 3, 4, 5, 6, 8, 9};
  const std::vector<std::int32_t> labels(9, 0);
  scenario::Partition partition;
  partition.mutable_louvain();
  partition.set_min_samples(0);
  const DealInput input{.labels = labels, .groups = {}, .classes = 1, .agents = 2, .edges = &rows, .nodes = nodes};

  const RepairedDeal dealt = deal_samples(partition, input, 1);

  EXPECT_THAT(dealt.deal.of(0), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(dealt.deal.of(1), ElementsAre(4, 5, 6, 7, 8));
}

TEST(Louvain, is_refused_where_there_is_no_graph) {
  const std::vector<std::int32_t> labels(9, 0);
  scenario::Partition partition;
  partition.mutable_louvain();
  const DealInput input{.labels = labels, .groups = {}, .classes = 1, .agents = 2};

  EXPECT_THAT(test::input_error([&] { deal_samples(partition, input, 1); }), HasSubstr("partition.louvain"));
}

}  // namespace
}  // namespace souk::louvain_test
