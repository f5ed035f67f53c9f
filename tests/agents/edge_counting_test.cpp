// What attacks on edges are asked about, and how their scores are counted.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/serving/asked_pairs.hpp"
#include "agents/serving/edge_metrics.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "sim/base/error.hpp"
#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::edge_counting_test {
namespace {

using fixtures::parse;
using fixtures::SmallGraph;

struct Asked {
  explicit Asked(const std::string& text, std::size_t nodes = 60) : small(nodes, 4) {
    for (NodeIndex v = 0; v < nodes; ++v) (v < nodes / 2 ? train : test).push_back(v);
    labels.assign(nodes, 0);
    small.graph.train_nodes = train;
    small.graph.test_nodes = test;
    small.graph.labels = labels;
    asked = asked_pairs(parse<scenario::EdgeInference>(text), small.graph, 3, 0);
  }
  bool two_hops(NodeIndex a, NodeIndex b) const {
    for (NodeIndex v = 0; v < small.graph.nodes(); ++v) {
      if (small.joined(a, v) && small.joined(v, b)) return a != b && !small.joined(a, b);
    }
    return false;
  }
  SmallGraph small;
  std::vector<NodeIndex> train, test;
  std::vector<std::int32_t> labels;
  AskedPairs asked;
};

TEST(AskedPairs, of_a_target_are_its_neighbours_and_nodes_two_hops_away) {
  const Asked all("targets { count: 20 degree_low: 2 degree_high: 4 longest: 8 }");
  EXPECT_FALSE(all.asked.questions.empty());
  EXPECT_LE(all.asked.questions.size(), 20U);
  for (const EdgeQuestion& question : all.asked.questions) {
    const std::size_t degree = all.small.degree(question.target);
    EXPECT_GE(degree, 2U);
    EXPECT_LE(degree, 4U);
    EXPECT_LE(question.candidates.size(), 8U);
    ASSERT_GT(question.candidates.size(), degree);
    std::set<NodeIndex> different(question.candidates.begin(), question.candidates.end());
    EXPECT_EQ(different.size(), question.candidates.size());
    for (std::size_t i = 0; i < question.candidates.size(); ++i) {
      EXPECT_EQ(all.small.joined(question.target, question.candidates[i]), i < degree);
      EXPECT_TRUE(i < degree || all.two_hops(question.target, question.candidates[i]));
    }
  }
}

TEST(AskedPairs, of_a_target_with_many_neighbours_are_twice_as_many) {
  const Asked all("targets { count: 60 degree_low: 3 longest: 4 negatives: ANY }");
  for (const EdgeQuestion& question : all.asked.questions) {
    EXPECT_EQ(question.candidates.size(), 2 * all.small.degree(question.target));
  }
}

TEST(AskedPairs, of_nodes_are_all_pairs_of_those_that_qualify) {
  const Asked all("nodes { count: 10 degree_high: 3 } among: TEST_NODES");
  ASSERT_EQ(all.asked.questions.size(), 10U);
  std::set<NodeIndex> nodes;
  for (const EdgeQuestion& question : all.asked.questions) {
    nodes.insert(question.target);
    EXPECT_GE(question.target, 30U);
    EXPECT_LE(all.small.degree(question.target), 3U);
    EXPECT_EQ(question.candidates.size(), 9U);
  }
  EXPECT_EQ(nodes.size(), 10U);
}

TEST(AskedPairs, of_a_target_keep_to_the_nodes_they_are_among) {
  for (const char* negatives : {"TWO_HOP", "ANY"}) {
    const Asked all(std::string("among: TEST_NODES targets { count: 30 degree_low: 1 negatives: ") + negatives + " }");
    EXPECT_GT(all.asked.questions.size() + all.asked.left_out, 0U);
    for (const EdgeQuestion& question : all.asked.questions) {
      EXPECT_GE(question.target, 30U);
      for (const NodeIndex candidate : question.candidates) EXPECT_GE(candidate, 30U) << negatives;
    }
  }
}

TEST(AskedPairs, that_are_balanced_are_as_many_edges_as_others) {
  const Asked all("balanced { edges: 15 } among: TRAIN_NODES");
  std::size_t edges = 0, others = 0;
  for (const EdgeQuestion& question : all.asked.questions) {
    for (const NodeIndex candidate : question.candidates) {
      EXPECT_LT(candidate, 30U);
      (all.small.joined(question.target, candidate) ? edges : others) += 1;
    }
  }
  EXPECT_EQ(edges, 15U);
  EXPECT_EQ(others, 15U);
}

TEST(AskedPairs, are_told_by_the_edges_before_noise) {
  Asked all("balanced { edges: 5 }");
  // The noisy graph has no edges at all.
  const std::vector<std::uint64_t> none(61, 0);
  all.small.graph.true_edges = all.small.graph.edges;
  all.small.graph.edges = {.offsets = none, .columns = {}, .values = {}, .width = 60};
  const AskedPairs asked = asked_pairs(parse<scenario::EdgeInference>("balanced { edges: 5 }"), all.small.graph, 3, 0);
  std::size_t pairs = 0;
  for (const EdgeQuestion& question : asked.questions) pairs += question.candidates.size();
  EXPECT_EQ(pairs, 10U);
}

/// Two lists of a small graph with scores that are chosen.
struct Counted {
  std::map<std::string, double> metrics;
  explicit Counted(const EdgeCounting& counting, std::size_t nodes, const AskedPairs& asked,
                   const std::vector<std::vector<double>>& scores, const Graph& graph) {
    RoundRecord record;
    record_edge_metrics(counting, asked, scored_pairs(asked, scores, graph, counting.one_direction), record);
    for (const MetricValue& metric : record.metrics) metrics[metric.name] = metric.value;
    EXPECT_GT(nodes, 0U);
  }
};

/// A path 0 - 1 - 2 - 3 - 4 - 5.
struct Path {
  Path() {
    for (NodeIndex v = 0; v < 6; ++v) {
      if (v > 0) columns.push_back(v - 1);
      if (v < 5) columns.push_back(v + 1);
      offsets.push_back(columns.size());
    }
    graph.edges = {.offsets = offsets, .columns = columns, .values = {}, .width = 6};
    graph.labels = labels;
  }
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> columns;
  std::vector<std::int32_t> labels{0, 0, 1, 1, -1, -1};
  Graph graph;
};

TEST(EdgeMetrics, of_lists_are_counted_by_hand) {
  const Path path;
  AskedPairs asked;
  asked.questions = {{.target = 1, .candidates = {0, 2, 3, 4}}, {.target = 4, .candidates = {3, 5, 0}}};
  // List 1: edges 0 and 2; taken are 0 and 3. List 2: edges 3 and 5, of which 5 has no score; taken are 3 and one of
  // the two that tie at the end.
  const double none = no_score;
  const Counted counted({.name = "a", .times_true = 1.0, .number = {}, .resamples = 50}, 6, asked,
                        {{0.9, 0.2, 0.8, 0.1}, {0.7, none, -1.0}}, path.graph);
  EXPECT_EQ(counted.metrics.at("edges.a.pairs"), 7.0);
  EXPECT_EQ(counted.metrics.at("edges.a.pairs_scored"), 6.0);
  EXPECT_NEAR(counted.metrics.at("edges.a.list_precision"), (0.5 + 0.5) / 2.0, 1e-12);
  EXPECT_NEAR(counted.metrics.at("edges.a.list_f1"), (0.5 + 0.5) / 2.0, 1e-12);
  // Pairs of an edge and another in order: list 1: 3 of 4; list 2: 1 of 2 (a pair without a score lies lowest).
  EXPECT_NEAR(counted.metrics.at("edges.a.list_auc"), (0.75 + 0.5) / 2.0, 1e-12);
  // All together: edges .9, .2, .7, none; others .8, .1, -1.
  EXPECT_NEAR(counted.metrics.at("edges.a.auc"), (3.0 + 2.0 + 2.0 + 0.0) / 12.0, 1e-12);
  EXPECT_NEAR(counted.metrics.at("edges.a.precision"), 2.0 / 4.0, 1e-12);
  // Of one class: (1, 0), an edge, alone: no number.
  EXPECT_FALSE(counted.metrics.contains("edges.a.auc_same_class"));
  EXPECT_LE(counted.metrics.at("edges.a.auc_low"), counted.metrics.at("edges.a.auc"));
  EXPECT_GE(counted.metrics.at("edges.a.auc_high"), counted.metrics.at("edges.a.auc"));
}

TEST(EdgeMetrics, of_ties_are_what_a_random_order_gives) {
  const Path path;
  AskedPairs asked;
  asked.questions = {{.target = 1, .candidates = {0, 2, 3, 4}}};
  const Counted counted({.name = "a", .times_true = 1.0, .number = {}, .resamples = 5}, 6, asked,
                        {{0.0, 0.0, 0.0, 0.0}}, path.graph);
  EXPECT_EQ(counted.metrics.at("edges.a.auc"), 0.5);
  EXPECT_EQ(counted.metrics.at("edges.a.list_f1"), 0.5);
}

TEST(EdgeMetrics, of_both_directions_take_the_larger_score_or_the_later_nodes) {
  const Path path;
  AskedPairs asked{.kind = AskedPairs::Kind::all, .questions = {}};
  asked.questions = {
      {.target = 0, .candidates = {1, 2}}, {.target = 1, .candidates = {0, 2}}, {.target = 2, .candidates = {0, 1}}};
  const std::vector<std::vector<double>> scores{{1.0, 2.0}, {3.0, 4.0}, {0.5, no_score}};
  const auto larger = scored_pairs(asked, scores, path.graph, false),
             later = scored_pairs(asked, scores, path.graph, true);
  ASSERT_EQ(larger.size(), 3U);
  EXPECT_EQ(larger[0].score, 3.0);  // 0 and 1
  EXPECT_EQ(larger[1].score, 2.0);  // 0 and 2
  EXPECT_EQ(larger[2].score, 4.0);  // 1 and 2
  EXPECT_EQ(later[0].score, 3.0);
  EXPECT_EQ(later[1].score, 0.5);
  EXPECT_TRUE(std::isnan(later[2].score));
  EXPECT_TRUE(larger[0].edge && !larger[1].edge && larger[2].edge);
  EXPECT_TRUE(larger[0].same_class && !larger[1].same_class);
}

TEST(EdgeMetrics, estimate_the_number_of_edges_by_two_clusters) {
  EXPECT_EQ(upper_cluster({0.01, 100.0, 0.02, 90.0, 0.015, 110.0}), 3U);
  EXPECT_EQ(upper_cluster({-5.0, -5.1, -0.1, -5.2}), 1U);
  EXPECT_EQ(upper_cluster({0.0, 0.0, 3.0, no_score}), 1U);
  // Brute force over all splits of scores in order.
  std::vector<double> scores;
  Stream random = fixtures::stream(5);
  for (int i = 0; i < 40; ++i) scores.push_back(random.normal() + (i % 3 == 0 ? 4.0 : 0.0));
  std::vector<double> ordered = scores;
  std::ranges::sort(ordered, std::greater<>());
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t split = 1; split < ordered.size(); ++split) {
    const auto squares = [&](std::size_t first, std::size_t last) {
      double mean = 0.0, sum = 0.0;
      for (std::size_t i = first; i < last; ++i) mean += ordered[i] / static_cast<double>(last - first);
      for (std::size_t i = first; i < last; ++i) sum += (ordered[i] - mean) * (ordered[i] - mean);
      return sum;
    };
    const double within = squares(0, split) + squares(split, ordered.size());
    if (within < least) least = within, best = split;
  }
  EXPECT_EQ(upper_cluster(scores), best);
}

}  // namespace
}  // namespace souk::edge_counting_test
