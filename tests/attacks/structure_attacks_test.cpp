// Which edges attacks on structure choose.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "attacks/attack.hpp"
#include "attacks/structure/own_pairs.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/graphs/more_edges.hpp"
#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::structure_attacks_test {
namespace {

using fixtures::parse;
using fixtures::SmallGraph;

/// A ring with chords of 30 nodes in three classes, of which a member has the first 18.
struct Member {
  Member() : small(30, 9) {
    for (NodeIndex v = 0; v < 30; ++v) {
      labels.push_back(static_cast<std::int32_t>(v / 2 % 3));
      if (v < 18) own.push_back(v);
    }
    graph = small.graph;
    graph.labels = labels;
  }
  /// Pairs of own nodes without an edge, by looking at all.
  std::set<Edge> pairs(bool any_classes) const {
    std::set<Edge> pairs;
    for (const NodeIndex a : own) {
      for (const NodeIndex b : own) {
        if (a < b && !small.joined(a, b) && (any_classes || labels[a] != labels[b])) pairs.insert({a, b});
      }
    }
    return pairs;
  }
  std::size_t edges(bool alone) const {
    std::size_t edges = 0;
    for (NodeIndex a = 0; a < 30; ++a) {
      for (NodeIndex b = a + 1; b < 30; ++b) {
        const bool counted = alone ? b < 18 : a < 18;
        edges += counted && small.joined(a, b) ? 1 : 0;
      }
    }
    return edges;
  }
  StructureView view(std::uint32_t round) const {
    return {.graph = graph,
            .own = own,
            .seed = 3,
            .member = {2},
            .round = {round},
            .slopes = [this](std::span<const Edge> more) { return slopes(more); }};
  }
  EdgeSlopes slopes(std::span<const Edge> more) const {
    const GraphNetwork network = fixtures::graph_network("gcn { hidden: 6 }", 9, 3);
    const std::vector<float> parameters = fixtures::normal_values(network.layout().dimension(), 8);
    const MoreEdges edges(graph.edges, more);
    Graph seen = graph;
    seen.edges = edges.rows();
    const ReceptiveField field(seen, FeatureScaling(), own, network.hops());
    return {network, *make_objective({}, true), parameters, field, own, std::span(labels).first(own.size())};
  }

  SmallGraph small;
  std::vector<std::int32_t> labels;
  std::vector<NodeIndex> own;
  Graph graph;
};

std::unique_ptr<StructureAttack> attack(const std::string& text) {
  return make_structure_attack(parse<scenario::Attack>(text));
}

TEST(OwnPairs, are_those_that_may_become_edges) {
  const Member member;
  for (const auto joins : {scenario::DIFFERENT_CLASSES, scenario::ANY_CLASSES}) {
    const std::set<Edge> expected = member.pairs(joins == scenario::ANY_CLASSES);
    const OwnPairs pairs(member.graph, member.own, joins);
    EXPECT_EQ(pairs.count(), expected.size());
    for (const std::size_t count : {std::size_t{1}, std::size_t{7}, expected.size() / 2, expected.size() + 5}) {
      Stream draws(4, StreamKey{Purpose::data_attack, nobody, {}});
      const std::vector<Edge> drawn = pairs.draw(count, draws);
      const std::set<Edge> found(drawn.begin(), drawn.end());
      EXPECT_EQ(drawn.size(), std::min(count, expected.size()));
      EXPECT_EQ(found.size(), drawn.size());
      EXPECT_TRUE(std::ranges::includes(expected, found));
    }
  }
}

TEST(StructureAttacks, insert_as_many_edges_as_their_budget_says_between_own_nodes) {
  Member member;
  for (const std::string& name : PluginRegistry<StructureAttack>::instance().names()) {
    for (const bool alone : {false, true}) {
      member.graph.own_nodes = alone;
      for (const double share : {0.01, 0.3, 0.5, 2.0, 100.0}) {
        for (const bool any : {false, true}) {
          const auto made = attack(name + " { share: " + std::to_string(share) +
                                   " joins: " + (any ? "ANY_CLASSES" : "DIFFERENT_CLASSES") + " }");
          const std::set<Edge> possible = member.pairs(any);
          const auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(member.edges(alone))));
          const std::size_t budget = std::min(wanted, possible.size());
          EXPECT_EQ(made->budget(member.graph, member.own), budget) << name << " " << share;
          const std::vector<Edge> chosen = made->choose(member.view(1));
          const std::set<Edge> found(chosen.begin(), chosen.end());
          EXPECT_EQ(chosen.size(), budget) << name << " " << share;
          EXPECT_EQ(found.size(), budget) << name << " " << share;
          EXPECT_TRUE(std::ranges::includes(possible, found)) << name << " " << share;
        }
      }
    }
  }
}

TEST(RandomEdges, stay_the_same_from_round_to_round) {
  const Member member;
  const auto made = attack("random_edges {}");
  EXPECT_EQ(made->choose(member.view(1)), made->choose(member.view(7)));
}

TEST(GradientEdges, are_the_steepest_one_after_the_other) {
  const Member member;
  const std::vector<Edge> chosen = attack("gradient_edges { share: 0.2 at_once: 1 }")->choose(member.view(1));
  ASSERT_GT(chosen.size(), 3U);
  std::set<Edge> left = member.pairs(false);
  std::vector<Edge> inserted;
  for (const Edge& edge : chosen) {
    const EdgeSlopes slopes = member.slopes(inserted);
    double steepest = -std::numeric_limits<double>::infinity();
    for (const auto& [a, b] : left) steepest = std::max(steepest, slopes.of(a, b));
    EXPECT_EQ(slopes.of(edge.first, edge.second), steepest);
    left.erase(edge);
    inserted.push_back(edge);
  }
}

TEST(GradientEdges, raise_the_loss_more_than_random_ones) {
  const Member member;
  const auto loss = [&](const std::vector<Edge>& more) {
    GraphNetwork network = fixtures::graph_network("gcn { hidden: 6 }", 9, 3);
    const std::vector<float> parameters = fixtures::normal_values(network.layout().dimension(), 8);
    const MoreEdges edges(member.graph.edges, more);
    Graph seen = member.graph;
    seen.edges = edges.rows();
    const ReceptiveField field(seen, FeatureScaling(), member.own, network.hops());
    std::vector<float> gradient(network.layout().trainable());
    return network.gradient(parameters, field, std::span(member.labels).first(member.own.size()), gradient);
  };
  const double clean = loss({}), random = loss(attack("random_edges { share: 0.3 }")->choose(member.view(1)));
  const double steepest = loss(attack("gradient_edges { share: 0.3 at_once: 1 }")->choose(member.view(1)));
  EXPECT_GT(steepest, clean);
  EXPECT_GT(steepest, random);
}

TEST(GradientEdges, of_which_many_are_chosen_at_once_follow_one_set_of_derivatives) {
  const Member member;
  const std::vector<Edge> chosen = attack("gradient_edges { share: 0.4 at_once: 1000 }")->choose(member.view(1));
  const EdgeSlopes slopes = member.slopes({});
  std::vector<double> all, taken;
  for (const auto& [a, b] : member.pairs(false)) all.push_back(slopes.of(a, b));
  for (const auto& [a, b] : chosen) taken.push_back(slopes.of(a, b));
  std::ranges::sort(all, std::greater());
  all.resize(taken.size());
  EXPECT_EQ(taken, all);
}

}  // namespace
}  // namespace souk::structure_attacks_test
