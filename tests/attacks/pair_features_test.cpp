#include "attacks/pair_features.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attacks/known_pairs.hpp"
#include "attacks/pair_classifier.hpp"
#include "attacks/reference_network.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::pair_features_test {
namespace {

using ::testing::ElementsAre;

Stream draws() { return Stream(5, StreamKey{Purpose::inference_attack, nobody, {}}); }

bool is_joined(const Graph& graph, NodeIndex a, NodeIndex b) {
  const SparseRows& edges = graph.edges;
  return std::ranges::binary_search(edges.columns.subspan(edges.offsets[a], edges.offsets[a + 1] - edges.offsets[a]),
                                    b);
}

TEST(PairFeatures, combine_answers) {
  std::vector<double> pair;
  append_combinations(std::vector<double>{0.25, 0.75}, std::vector<double>{0.5, 0.5}, pair);
  EXPECT_THAT(pair, ElementsAre(0.375, 0.625, 0.125, 0.375, 0.25, 0.25, 0.0625, 0.0625));
}

TEST(PairFeatures, mark_distances_that_are_not_defined) {
  std::vector<double> pair;
  append_distances(std::vector<double>{1, 0}, std::vector<double>{0.5, 0.5}, 0, pair);
  ASSERT_EQ(pair.size(), 8U);
  for (int kind = 0; kind < 8; ++kind)
    EXPECT_EQ(std::isnan(pair[static_cast<std::size_t>(kind)]), kind == scenario::CORRELATION);
}

TEST(PairFeatures, have_the_entropy_of_what_is_above_zero) {
  EXPECT_NEAR(entropy(std::vector<double>{0.5, 0.5}), -std::log(0.5 + 1e-5), 1e-12);
  EXPECT_NEAR(entropy(std::vector<double>{2, -7, 2}), -std::log(0.5 + 1e-5), 1e-12);
  EXPECT_EQ(entropy(std::vector<double>{-1, 0}), 0.0);
}

TEST(PairFeatures, know_sparse_rows) {
  const fixtures::SmallGraph small(14, 9);
  for (NodeIndex a = 0; a < 14; ++a) {
    for (NodeIndex b = 0; b < 14; ++b) {
      std::vector<double> of_a, of_b;
      for (std::size_t f = 0; f < 9; ++f) {
        of_a.push_back(small.feature(a, f));
        of_b.push_back(small.feature(b, f));
      }
      std::vector<double> full, sparse;
      append_distances(of_a, of_b, 0, full);
      const PairedRows rows(small.graph.features, a, b);
      append_distances(rows.a, rows.b, rows.zeros, sparse);
      for (std::size_t k = 0; k < full.size(); ++k) {
        ASSERT_EQ(std::isnan(full[k]), std::isnan(sparse[k]));
        EXPECT_NEAR(std::isnan(full[k]) ? 0.0 : full[k], std::isnan(full[k]) ? 0.0 : sparse[k], 1e-12);
      }
    }
  }
}

TEST(RunningScale, leaves_out_what_is_not_defined) {
  RunningScale scale;
  for (const double x : {1.0, undefined_feature, 3.0}) scale.add(x);
  EXPECT_DOUBLE_EQ(scale.standardised(3.0), 1.0);
  EXPECT_DOUBLE_EQ(scale.standardised(4.0), 2.0);
  EXPECT_EQ(scale.standardised(undefined_feature), 0.0);
  RunningScale constant;
  constant.add(0.1);
  constant.add(0.1);
  EXPECT_EQ(constant.standardised(7.0), 0.0);
}

TEST(KnownPairs, are_none_that_is_asked_about) {
  const fixtures::SmallGraph small(40, 9);
  std::vector<EdgeQuestion> questions;
  for (NodeIndex v = 0; v < 10; ++v)
    questions.push_back({.target = v, .candidates = {30, 11, static_cast<NodeIndex>(v + 1)}});
  Stream random = draws();
  const KnownPairs known = known_pairs(small.graph, 0.4, questions, random);
  const std::size_t edges = small.graph.edges.entries() / 2;
  EXPECT_EQ(known.edges.size(), static_cast<std::size_t>(std::ceil(0.4 * static_cast<double>(edges))));
  EXPECT_EQ(known.others.size(), known.edges.size());
  std::set<NodePair> all(known.edges.begin(), known.edges.end());
  all.insert(known.others.begin(), known.others.end());
  EXPECT_EQ(all.size(), 2 * known.edges.size());
  for (const auto& [a, b] : known.edges) EXPECT_TRUE(a < b && is_joined(small.graph, a, b));
  for (const auto& [a, b] : known.others) EXPECT_TRUE(a < b && !is_joined(small.graph, a, b));
  for (const EdgeQuestion& question : questions) {
    for (const NodeIndex candidate : question.candidates) {
      EXPECT_FALSE(all.contains({std::min(question.target, candidate), std::max(question.target, candidate)}));
    }
  }
}

TEST(KnownPairs, are_what_is_left_where_most_is_asked_about) {
  const fixtures::SmallGraph small(14, 9);
  std::vector<EdgeQuestion> questions;
  for (NodeIndex a = 0; a < 12; ++a) {
    questions.push_back({.target = a, .candidates = {}});
    for (NodeIndex b = 0; b < 12; ++b) {
      if (a != b) questions.back().candidates.push_back(b);
    }
  }
  Stream random = draws();
  const KnownPairs known = known_pairs(small.graph, 0.99, questions, random);
  EXPECT_EQ(known.edges.size(), small.degree(12) + small.degree(13) - (small.joined(12, 13) ? 1U : 0U));
  EXPECT_EQ(known.others.size(), known.edges.size());
  for (const auto& [a, b] : known.others) EXPECT_TRUE(b >= 12 && !small.joined(a, b));
}

/// Answers of two kinds: nodes below 20, and the others.
ReadAnswers answers_of_two_kinds(std::size_t nodes) {
  ReadAnswers answers{.nodes = {}, .width = 3, .values = {}};
  Stream random = draws();
  for (NodeIndex v = 0; v < nodes; ++v) {
    answers.nodes.push_back(v);
    const double more = 0.1 * random.uniform();
    for (const double x :
         v < 20 ? std::vector<double>{0.6 + more, 0.3 - more, 0.1} : std::vector<double>{0.1, 0.4 - more, 0.5 + more}) {
      answers.values.push_back(x);
    }
  }
  return answers;
}

TEST(PairClassifier, learns_which_pairs_are_alike_and_scores_both_directions_the_same) {
  const ReadAnswers answers = answers_of_two_kinds(40);
  KnownPairs known;
  for (NodeIndex v = 0; v < 15; ++v) {
    known.edges.push_back({v, static_cast<NodeIndex>(v + 1)});
    known.edges.push_back({v + 20U, v + 22U});
    known.others.push_back({v, v + 21U});
    known.others.push_back({v, v + 23U});
  }
  const PairDescription pairs({.answers = answers});
  const std::vector<Lesson> lessons{{pairs, known}};
  PairClassifier classifier(lessons, 11);
  for (NodeIndex a = 0; a < 40; ++a) {
    for (NodeIndex b = 0; b < a; ++b) EXPECT_EQ(classifier.score(pairs.of(a, b)), classifier.score(pairs.of(b, a)));
  }
  EXPECT_GT(classifier.score(pairs.of(3, 18)), classifier.score(pairs.of(3, 38)));
  EXPECT_GT(classifier.score(pairs.of(25, 39)), classifier.score(pairs.of(19, 20)));
  PairClassifier same(lessons, 11);
  EXPECT_EQ(same.score(pairs.of(3, 18)), classifier.score(pairs.of(3, 18)));
}

/// The numbers of a pair by hand: answers (a, 1 - a) and (b, 1 - b).
TEST(PairDescription, of_any_graph_has_distances_and_entropies_alone) {
  const double a = 0.75, b = 0.5, c = 0.9, d = 0.2;
  const ReadAnswers answers{.nodes = {0, 1}, .width = 2, .values = {a, 1 - a, b, 1 - b}};
  const ReadAnswers reference{.nodes = {0, 1}, .width = 2, .values = {c, 1 - c, d, 1 - d}};
  const fixtures::SmallGraph small(14, 9);
  const auto entropy_of = [](double p) { return -p * std::log(p + 1e-5) - (1 - p) * std::log(1 - p + 1e-5); };
  const auto expect_part = [&](std::span<const double> part, double p, double q) {
    const double apart = std::abs(p - q);
    EXPECT_NEAR(part[scenario::EUCLIDEAN], apart * std::sqrt(2.0), 1e-12);
    EXPECT_NEAR(part[scenario::CITYBLOCK], 2.0 * apart, 1e-12);
    EXPECT_NEAR(part[scenario::CHEBYSHEV], apart, 1e-12);
    EXPECT_NEAR(part[scenario::SQEUCLIDEAN], 2.0 * apart * apart, 1e-12);
    EXPECT_NEAR(part[scenario::BRAYCURTIS], apart, 1e-12);
    const double hp = entropy_of(p), hq = entropy_of(q);
    EXPECT_NEAR(part[8], (hp + hq) / 2.0, 1e-12);
    EXPECT_NEAR(part[9], hp * hq, 1e-12);
    EXPECT_NEAR(part[10], std::abs(hp - hq), 1e-12);
    EXPECT_NEAR(part[11], (hp - hq) * (hp - hq), 1e-12);
  };
  const PairSources least{.answers = answers, .of_any_graph = true};
  const std::vector<double> alone = PairDescription(least).of(0, 1);
  ASSERT_EQ(alone.size(), 12U);
  EXPECT_EQ(description_size(least), 12U);
  expect_part(alone, a, b);

  const PairSources most{
      .answers = answers, .features = &small.graph.features, .reference = &reference, .of_any_graph = true};
  const std::vector<double> with_features = PairDescription(most).of(0, 1);
  ASSERT_EQ(with_features.size(), 32U);
  EXPECT_EQ(description_size(most), 32U);
  expect_part(with_features, a, b);
  expect_part(std::span(with_features).subspan(12), c, d);
  EXPECT_EQ(with_features[24 + scenario::CITYBLOCK], feature_distance(scenario::CITYBLOCK, small.graph.features, 0, 1));
  EXPECT_EQ(PairDescription({.answers = answers, .features = &small.graph.features}).of(0, 1).size(), 8U + 12U + 8U);
}

TEST(ReferenceNetwork, answers_what_features_tell) {
  const fixtures::SmallGraph small(40, 12, false);
  ReadAnswers answers{.nodes = {}, .width = 2, .values = {}};
  for (NodeIndex v = 0; v < 40; ++v) {
    const bool first = small.feature(v, 3) > 0.0;
    answers.nodes.push_back(v);
    answers.values.insert(answers.values.end(), {first ? 0.9 : 0.2, first ? 0.1 : 0.8});
  }
  const ReadAnswers reference = reference_answers(answers, small.graph.features, 3);
  ASSERT_EQ(reference.values.size(), 80U);
  std::size_t right = 0;
  for (NodeIndex v = 0; v < 40; ++v) {
    EXPECT_NEAR(reference.of(v)[0] + reference.of(v)[1], 1.0, 1e-12);
    right += (reference.of(v)[0] > 0.5) == (small.feature(v, 3) > 0.0) ? 1U : 0U;
  }
  EXPECT_GT(right, 35U);
}

}  // namespace
}  // namespace souk::pair_features_test
