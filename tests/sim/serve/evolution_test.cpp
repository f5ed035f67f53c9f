// What happens to a graph between two looks at it.
#include "sim/serve/evolution.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/serve/serve_fixtures.hpp"

namespace souk::evolution_test {
namespace {

using fixtures::parse;
using fixtures::SmallGraph;

struct History {
  explicit History(const std::string& text) : config(parse<scenario::Evolution>(text)), evolution(config, 8) {}
  EditedGraph after(const Graph& graph, std::uint32_t ticks, const HistoryPlace& place) const {
    EditedGraph now(graph);
    for (std::uint32_t tick = 1; tick <= ticks; ++tick) evolution.advance(now, tick, place);
    return now;
  }
  scenario::Evolution config;
  Evolution evolution;
};

/// Neighbours and sources of all nodes.
std::vector<double> state(const EditedGraph& graph) {
  std::vector<double> all;
  for (NodeIndex v = 0; v < graph.nodes(); ++v) {
    for (const NodeIndex n : graph.neighbours(v)) all.push_back(n);
    all.push_back(-1.0);
    all.push_back(graph.source(v).row);
    all.push_back(graph.source(v).factor);
  }
  return all;
}

TEST(Evolution, drifts_within_its_range) {
  const SmallGraph small(200, 5);
  const EditedGraph graph = History("drift: 0.2").after(small.graph, 1, {0, 1, 0});
  double least = 2.0, most = 0.0;
  for (NodeIndex v = 0; v < 200; ++v) {
    least = std::min(least, graph.source(v).factor);
    most = std::max(most, graph.source(v).factor);
  }
  EXPECT_GE(least, 0.8);
  EXPECT_LE(most, 1.2);
  EXPECT_LT(least, 0.83);  // of 200 uniform draws
  EXPECT_GT(most, 1.17);
}

/// What arrives is what the estimate of memory counts: exactly, or in the mean over centres.
TEST(Evolution, expects_as_many_nodes_as_arrive) {
  const SmallGraph small(200, 5);
  const double of_node = History("arrivals: 0.05").evolution.bytes(small.graph, 1) / 10.0;
  EXPECT_EQ(History("").evolution.bytes(small.graph, 9), 0.0);
  EXPECT_NEAR(History("arrivals: 0.1").evolution.bytes(small.graph, 7), 7.0 * 20.0 * of_node, 1e-6);
  const History growing("local_growth: 0.4 centre: AT_TARGET");
  double arrived = 0.0;
  for (NodeIndex centre = 0; centre < 199; ++centre) {
    arrived += static_cast<double>(growing.after(small.graph, 6, {centre, 1, 0}).nodes() - 200) / 199.0;
  }
  const double expected = growing.evolution.bytes(small.graph, 6) / of_node;
  EXPECT_GT(expected, arrived / 2.0);
  EXPECT_LT(expected, arrived * 3.0);
}

TEST(Evolution, drifts_on_from_tick_to_tick) {
  const SmallGraph small(20, 5);
  const History history("drift: 0.2");
  const EditedGraph one = history.after(small.graph, 1, {0, 1, 0}), two = history.after(small.graph, 2, {0, 1, 0});
  for (NodeIndex v = 0; v < 20; ++v) EXPECT_NE(one.source(v).factor, two.source(v).factor);
}

TEST(Evolution, brings_and_takes_the_share_it_says) {
  const SmallGraph small(200, 5);
  const EditedGraph graph = History("arrivals: 0.1 departures: 0.05").after(small.graph, 3, {0, 1, 0});
  EXPECT_EQ(graph.nodes(), 260U);
  EXPECT_EQ(graph.gone(), 30U);
  for (NodeIndex v = 0; v < graph.nodes(); ++v) {
    EXPECT_TRUE(!graph.is_gone(v) || graph.neighbours(v).empty());
    for (const NodeIndex n : graph.neighbours(v)) {
      EXPECT_FALSE(graph.is_gone(n));
      EXPECT_TRUE(graph.joined(n, v));
    }
  }
}

TEST(Evolution, grows_within_two_hops_of_its_centre) {
  const SmallGraph small(200, 5);
  const HistoryPlace place{.target = 10, .candidate = 90, .probe = 10};
  for (const auto& [centre, node] : {std::pair{"AT_TARGET", 10U}, std::pair{"AT_CANDIDATE", 90U}}) {
    const EditedGraph before(small.graph);
    const EditedGraph graph = History(std::string("local_growth: 1 centre: ") + centre).after(small.graph, 1, place);
    const std::vector<NodeIndex> near = within_two_hops(before, node, false);
    const std::size_t grown = graph.nodes() - 200;
    EXPECT_GE(grown, near.size() / 2);
    EXPECT_LE(grown, near.size());
    for (NodeIndex v = 200; v < graph.nodes(); ++v) {
      ASSERT_EQ(graph.neighbours(v).size(), 1U);
      EXPECT_TRUE(std::ranges::binary_search(near, graph.neighbours(v)[0]));
    }
  }
}

/// The history does not turn on what attackers do.
TEST(Evolution, is_the_same_whatever_somebody_adds) {
  const SmallGraph small(100, 5);
  const History history("drift: 0.1 arrivals: 0.05 departures: 0.02 local_growth: 0.5 centre: AT_TARGET");
  EditedGraph without(small.graph), with(small.graph);
  const NodeIndex own = with.add({3, 1.0});
  with.join(own, 10);
  with.join(own, 50);  // a short way out of the target's neighbourhood
  for (std::uint32_t tick = 1; tick <= 3; ++tick) {
    history.evolution.advance(without, tick, {10, 20, 10});
    history.evolution.advance(with, tick, {10, 20, own});
  }
  ASSERT_EQ(with.nodes(), without.nodes() + 1);
  EXPECT_EQ(with.source(own).factor, 1.0);
  const auto name = [&](NodeIndex v) { return v > 100 ? v - 1 : v; };  // beside the one that was added
  for (NodeIndex v = 0; v < with.nodes(); ++v) {
    if (v == own) continue;
    std::vector<NodeIndex> neighbours;
    for (const NodeIndex n : with.neighbours(v)) {
      if (n != own) neighbours.push_back(name(n));
    }
    const auto wanted = without.neighbours(name(v));
    EXPECT_TRUE(std::ranges::equal(neighbours, wanted)) << v;
    EXPECT_EQ(with.source(v).factor, without.source(name(v)).factor);
  }
}

TEST(Evolution, is_shared_by_all_pairs_or_each_ones_own) {
  const SmallGraph small(100, 5);
  const std::string some = "drift: 0.1 arrivals: 0.05 ";
  const HistoryPlace first{10, 20, 10}, second{11, 21, 11};
  EXPECT_EQ(state(History(some).after(small.graph, 2, first)), state(History(some).after(small.graph, 2, second)));
  const std::string own = some + "per_pair: true";
  EXPECT_NE(state(History(own).after(small.graph, 2, first)), state(History(own).after(small.graph, 2, second)));
  EXPECT_EQ(state(History(own).after(small.graph, 2, first)), state(History(own).after(small.graph, 2, first)));
}

}  // namespace
}  // namespace souk::evolution_test
