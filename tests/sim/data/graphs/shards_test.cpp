// GraphEraser's shards, against its pseudo-code written down again without any economy.
#include "sim/data/graphs/shards.hpp"

#include <algorithm>
#include <deque>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/partition.pb.h"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/partitioner.hpp"
#include "tests/sim/data/support.hpp"

namespace souk::shards_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;
using Matrix = std::vector<std::vector<bool>>;

/// A symmetric matrix, by rows.
class Edges {
 public:
  explicit Edges(const Matrix& adjacent) {
    for (std::uint32_t v = 0; v < adjacent.size(); ++v) {
      for (std::uint32_t u = 0; u < adjacent.size(); ++u) {
        if (adjacent[v][u]) columns_.push_back(u);
      }
      offsets_.push_back(columns_.size());
    }
  }
  SparseRows rows() const {
    return {.offsets = offsets_, .columns = columns_, .values = {}, .width = offsets_.size() - 1};
  }

 private:
  std::vector<std::uint64_t> offsets_{0};
  std::vector<std::uint32_t> columns_;
};

void join(Matrix& adjacent, std::size_t a, std::size_t b) { adjacent[a][b] = adjacent[b][a] = true; }

/// Two cliques of so many nodes, joined by an edge; nodes of the first have the even numbers.
Matrix two_cliques(std::size_t size) {
  Matrix adjacent(2 * size, std::vector<bool>(2 * size));
  for (std::size_t a = 0; a < 2 * size; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (a % 2 == b % 2) join(adjacent, a, b);
    }
  }
  join(adjacent, 0, 1);
  return adjacent;
}

Matrix random_graph(std::size_t nodes, std::uint32_t in_ten, Stream& random) {
  Matrix adjacent(nodes, std::vector<bool>(nodes));
  for (std::size_t a = 0; a < nodes; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (random.below(10) < in_ten) join(adjacent, a, b);
    }
  }
  return adjacent;
}

Stream stream_of(std::uint32_t trial) { return {trial, StreamKey{Purpose::partition, nobody, RoundIndex{0}}}; }

/// The pseudo-code over a dense matrix, sizes counted anew each time.
std::vector<std::uint32_t> propagation_again(const Matrix& adjacent, std::uint32_t k, std::size_t capacity,
                                             std::size_t passes, Stream random) {
  const auto n = static_cast<std::uint32_t>(adjacent.size());
  std::vector<std::uint32_t> order(n), shard(n);
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  for (std::uint32_t i = 0; i < n; ++i) shard[order[i]] = i % k;
  const auto size = [&](std::uint32_t s) { return static_cast<std::size_t>(std::ranges::count(shard, s)); };
  for (std::size_t pass = 0; pass < passes; ++pass) {
    const std::vector<std::uint32_t> old = shard;
    std::vector<std::uint32_t> to(n), there(n);
    for (std::uint32_t v = 0; v < n; ++v) {
      std::vector<std::uint32_t> counts(k), best;
      for (std::uint32_t u = 0; u < n; ++u) counts[old[u]] += adjacent[v][u] ? 1U : 0U;
      there[v] = std::ranges::max(counts);
      for (std::uint32_t s = 0; s < k; ++s) {
        if (counts[s] == there[v]) best.push_back(s);
      }
      to[v] =
          there[v] == 0 ? old[v] : best[best.size() == 1 ? 0 : random.below(static_cast<std::uint32_t>(best.size()))];
    }
    std::vector<std::deque<std::uint32_t>> waiting(k);
    for (std::uint32_t count = n; count-- > 0;) {
      for (std::uint32_t v = 0; v < n; ++v) {
        if (there[v] != count || to[v] == old[v]) continue;
        if (size(to[v]) >= capacity) {
          waiting[to[v]].push_back(v);
          continue;
        }
        std::uint32_t left = old[v];
        shard[v] = to[v];
        while (!waiting[left].empty()) {
          const std::uint32_t u = waiting[left].front();
          waiting[left].pop_front();
          shard[u] = left;
          left = old[u];
        }
      }
    }
    if (shard == old) break;
  }
  return shard;
}

TEST(Shards, have_the_capacity_of_graph_eraser) {
  EXPECT_EQ(shard_capacity(2437, 20, 0.005), 134U);  // 121.85 + .005 * 2315.15 = 133.4
  EXPECT_EQ(shard_capacity(10, 2, 0.0), 5U);
  EXPECT_EQ(shard_capacity(11, 2, 0.0), 6U);
  EXPECT_EQ(shard_capacity(7, 1, 0.5), 7U);
}

TEST(Shards, see_the_edges_between_their_nodes_alone) {
  const Edges edges(two_cliques(3));  // 0 2 4 and 1 3 5, and 0 1
  const std::vector<NodeIndex> nodes{1, 0, 4};
  const InducedEdges induced(edges.rows(), nodes);
  EXPECT_THAT(induced.rows().offsets, ElementsAre(0, 1, 3, 4));
  // The neighbours of a node are in the order in which the whole graph has them.
  EXPECT_THAT(induced.rows().columns, ElementsAre(1, 0, 2, 1));
}

TEST(Blpa, is_its_pseudo_code) {
  for (std::uint32_t trial = 0; trial < 20; ++trial) {
    Stream random = stream_of(1000 + trial);
    const Matrix adjacent = random_graph(24, 1 + trial % 3, random);
    const std::uint32_t k = 2 + trial % 4;
    const std::size_t capacity = shard_capacity(24, k, 0.02);
    Stream first = stream_of(trial);
    const auto shards = balanced_label_propagation(Edges(adjacent).rows(), k, capacity, 50, first);
    EXPECT_EQ(shards, propagation_again(adjacent, k, capacity, 50, stream_of(trial))) << trial;
  }
}

TEST(Blpa, never_exceeds_the_capacity) {
  for (std::uint32_t trial = 0; trial < 50; ++trial) {
    Stream random = stream_of(trial);
    const Matrix adjacent = random_graph(40, 1 + trial % 5, random);
    const std::uint32_t k = 2 + trial % 6;
    const std::size_t capacity = shard_capacity(40, k, 0.005);
    for (const std::size_t passes : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
      const auto shards = balanced_label_propagation(Edges(adjacent).rows(), k, capacity, passes, random);
      for (std::uint32_t s = 0; s < k; ++s) EXPECT_THAT(std::ranges::count(shards, s), Le(capacity));
    }
  }
}

TEST(Blpa, puts_two_cliques_that_an_edge_joins_in_two_shards) {
  const Edges edges(two_cliques(8));
  std::size_t found = 0;
  for (std::uint32_t trial = 0; trial < 20; ++trial) {
    Stream random = stream_of(trial);
    const auto shards = balanced_label_propagation(edges.rows(), 2, 10, 100, random);
    bool apart = shards[0] != shards[1];
    for (std::size_t v = 2; v < shards.size(); ++v) apart = apart && shards[v] == shards[v % 2];
    found += apart ? 1U : 0U;
  }
  EXPECT_GE(found, 15U);  // labels may also settle where both cliques are cut
}

/// Points on a line, assigned by going through all pairs again and again for the nearest that is left.
std::vector<std::uint32_t> means_again(const std::vector<float>& points, std::uint32_t k, std::size_t capacity,
                                       std::size_t passes, Stream random) {
  const auto n = static_cast<std::uint32_t>(points.size());
  std::vector<std::uint32_t> order(n), shard;
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  std::vector<double> centres;
  for (std::uint32_t s = 0; s < k; ++s) centres.push_back(static_cast<double>(points[order[s]]));
  for (std::size_t pass = 0; pass < passes; ++pass) {
    shard.assign(n, k);
    for (std::uint32_t step = 0; step < n; ++step) {
      double nearest = 1e300;
      std::uint32_t point = 0, where = 0;
      for (std::uint32_t i = 0; i < n; ++i) {
        for (std::uint32_t s = 0; s < k; ++s) {
          const double d = static_cast<double>(points[i]) - centres[s];
          if (shard[i] != k || std::cmp_equal(std::ranges::count(shard, s), capacity) || d * d >= nearest) continue;
          nearest = d * d;
          point = i;
          where = s;
        }
      }
      shard[point] = where;
    }
    const std::vector<double> before = centres;
    for (std::uint32_t s = 0; s < k; ++s) {
      double sum = 0.0, count = 0.0;
      for (std::uint32_t i = 0; i < n; ++i) {
        if (shard[i] != s) continue;
        sum += static_cast<double>(points[i]);
        count += 1.0;
      }
      if (count > 0.0) centres[s] = sum / count;
    }
    if (centres == before) break;
  }
  return shard;
}

TEST(Bekm, assigns_the_nearest_pairs_first_and_no_more_than_there_is_room_for) {
  for (std::uint32_t trial = 0; trial < 20; ++trial) {
    Stream random = stream_of(500 + trial);
    std::vector<float> points;
    for (int i = 0; i < 17; ++i) points.push_back(random.uniform_float());
    const std::uint32_t k = 2 + trial % 4;
    const std::size_t capacity = shard_capacity(17, k, 0.03);
    Stream first = stream_of(trial);
    const auto shards = balanced_means(points, 1, k, capacity, 20, first);
    EXPECT_EQ(shards, means_again(points, k, capacity, 20, stream_of(trial))) << trial;
    for (std::uint32_t s = 0; s < k; ++s) EXPECT_THAT(std::ranges::count(shards, s), Le(capacity));
  }
}

/// What a deal makes of the nodes of a graph, all of which are samples.
struct NodeDeal {
  explicit NodeDeal(const Matrix& adjacent) : edges(adjacent), rows(edges.rows()) {
    for (std::uint32_t v = 0; v < adjacent.size(); ++v) {
      nodes.push_back(v);
      columns.push_back(v % 2);  // a feature of each clique
      offsets.push_back(columns.size());
    }
    features = {.offsets = offsets, .columns = columns, .values = {}, .width = 2};
  }
  Deal deal(const scenario::Partition& partition) const {
    const std::vector<std::int32_t> labels(nodes.size(), 0);
    return deal_samples(partition,
                        {.labels = labels,
                         .groups = {},
                         .classes = 1,
                         .agents = 2,
                         .edges = &rows,
                         .features = &features,
                         .nodes = nodes},
                        3)
        .deal;
  }
  Edges edges;
  SparseRows rows, features;
  std::vector<NodeIndex> nodes;
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> columns;
};

TEST(Shards, are_dealt_to_clients) {
  const NodeDeal cliques(two_cliques(6));
  scenario::Partition partition;
  for (const bool blpa : {true, false}) {
    if (blpa) {
      partition.mutable_blpa()->set_slack(0.3);
    } else {
      partition.mutable_bekm();
    }
    const Deal deal = cliques.deal(partition);
    for (const std::size_t client : {0U, 1U}) {
      ASSERT_EQ(deal.of(client).size(), 6U) << blpa;
      for (const SampleIndex s : deal.of(client)) EXPECT_EQ(s % 2, deal.of(client)[0] % 2) << blpa;
    }
  }
}

TEST(Shards, are_refused_where_there_is_no_graph) {
  const std::vector<std::int32_t> labels(9, 0);
  const DealInput input{.labels = labels, .groups = {}, .classes = 1, .agents = 2};
  scenario::Partition partition;
  partition.mutable_blpa();
  EXPECT_THAT(test::input_error([&] { deal_samples(partition, input, 1); }), HasSubstr("partition.blpa"));
  partition.mutable_bekm();
  EXPECT_THAT(test::input_error([&] { deal_samples(partition, input, 1); }), HasSubstr("partition.bekm"));
}

}  // namespace
}  // namespace souk::shards_test
