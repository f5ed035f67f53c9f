// What link stealing finds out about a graph network that was trained on a small graph with communities.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/support/simulated.hpp"

namespace souk::link_stealing_test {
namespace {

using ::testing::HasSubstr;

const std::string all_rights = "principals { rights: [READ_ANY, KNOW_FEATURES, KNOW_EDGES, KNOW_DESIGN] } ";

/// Another graph of the same kind, or one with more classes and features.
const std::string shadow =
    "shadow { data { communities { custom { nodes: 300 edges: 900 classes: 3 features: 60 } } scaling: ROWS } "
    "passes: 60 } ";
const std::string other_shadow =
    "shadow { data { communities { custom { nodes: 200 edges: 700 classes: 5 features: 90 } } scaling: ROWS } "
    "passes: 60 } ";

/// A trained network of two layers, and an attack on balanced pairs.
std::string stolen(const std::string& attack, const std::string& more = "",
                   const std::string& pairs = "balanced { edges: 150 }") {
  return "rounds: 4 training_rounds: 3 task { data { communities { custom { nodes: 300 edges: 900 classes: 3 features: "
         "60 } } "
         "scaling: ROWS } model { gcn {} } training { local_epochs: 20 batch_size: 0 learning_rate: 0.02 adam {} } } "
         "participants { clients: 1 everyone: true } aggregator { mean {} } service { " +
         more + all_rights + "attacks { " + pairs + " resamples: 20 link_stealing { " + attack + " } } } ";
}

double metric(const Simulated& run, const std::string& name) {
  return run.records.back().metric("edges.link_stealing." + name).value();
}

double auc(const std::string& attack) { return metric(simulate(stolen(attack)), "auc"); }

TEST(LinkStealing, tells_neighbours_by_their_answers) { EXPECT_GT(auc(""), 0.7); }

TEST(LinkStealing, tells_more_to_who_knows_more) {
  const double nothing = auc(""), features = auc("features: true");
  const double edges = auc("known_edges: 0.5"), both = auc("features: true known_edges: 0.5");
  RecordProperty("auc", std::to_string(nothing) + " " + std::to_string(features) + " " + std::to_string(edges) + " " +
                            std::to_string(both));
  EXPECT_GT(edges, nothing + 0.01);
  EXPECT_GT(both, nothing + 0.01);
  EXPECT_GT(features, 0.7);
}

// 150 edges and as many others: an area of 0.5 has a standard error of 0.033. Measured: 0.80 to 0.81 with the same kind
// of shadow, 0.79 to 0.80 with the other.
TEST(LinkStealing, learns_from_a_shadow_graph_alone) {
  for (const char* seed : {"seed: 1 ", "seed: 2 ", "seed: 3 "}) {
    const double same = metric(simulate(seed + stolen(shadow)), "auc");
    const double other = metric(simulate(seed + stolen(other_shadow)), "auc");
    RecordProperty("auc", std::to_string(same) + " " + std::to_string(other));
    EXPECT_GT(same, 0.7) << seed;
    EXPECT_LT(same, 1.0) << seed;
    EXPECT_GT(other, 0.65) << seed;
  }
}

TEST(LinkStealing, combines_a_shadow_graph_with_what_else_it_knows) {
  const double alone = auc(shadow), features = auc(shadow + "features: true");
  const double edges = auc(shadow + "known_edges: 0.5"), all = auc(shadow + "features: true known_edges: 0.5");
  RecordProperty("auc", std::to_string(alone) + " " + std::to_string(features) + " " + std::to_string(edges) + " " +
                            std::to_string(all));
  for (const double area : {alone, features, edges, all}) EXPECT_GT(area, 0.7);
  EXPECT_NE(alone, features);
  EXPECT_NE(alone, edges);
  EXPECT_NE(features, all);
}

TEST(LinkStealing, with_the_served_graph_as_its_shadow_learns_what_it_is_asked) {
  // The same generator and seed, and so the same graph, of which it then knows every edge.
  const std::string twin = shadow.substr(0, shadow.rfind('}')) + "seed: 1 } ";
  EXPECT_NE(auc(twin), auc(shadow));
  EXPECT_GT(auc(twin), 0.7);
}

TEST(LinkStealing, goes_on_with_its_shadow_graph_where_it_was_interrupted) {
  std::string text = stolen(shadow + "known_edges: 0.3");
  text.replace(text.find("rounds: 4 training_rounds: 3"), 28, "rounds: 5 training_rounds: 2");
  const Simulated whole = simulate(text);
  for (const std::uint32_t round : {2U, 3U, 4U}) {
    const Simulated resumed = simulate(text, 2, round);
    EXPECT_EQ(resumed.state, whole.state) << round;
    EXPECT_EQ(metric(resumed, "auc"), metric(whole, "auc")) << round;
  }
}

TEST(LinkStealing, is_refused_with_a_shadow_that_is_no_graph_or_does_not_fit) {
  EXPECT_THAT(refusal_of(stolen("shadow {}")),
              HasSubstr("service.attacks[0]: link_stealing.shadow.data: its samples are no nodes of a graph"));
  EXPECT_THAT(refusal_of(stolen("shadow { data { communities { custom { nodes: 10 edges: 5 classes: 6 } } } }")),
              HasSubstr("link_stealing.shadow.data.communities: 10 nodes for 6 classes"));
  EXPECT_THAT(refusal_of(stolen("shadow { data { communities {} scaling: UNIT } }")),
              HasSubstr("link_stealing.shadow.data.scaling = UNIT"));
}

TEST(LinkStealing, is_refused_a_distance_that_nobody_asks_for) {
  EXPECT_THAT(refusal_of(stolen("distance: COSINE known_edges: 0.3")),
              HasSubstr("service.attacks[0]: link_stealing.distance = COSINE: where known_edges is given"));
  EXPECT_THAT(refusal_of(stolen("distance: COSINE " + shadow)), HasSubstr("where shadow is given"));
  EXPECT_EQ(refusal_of(stolen("distance: COSINE features: true")), "");
}

TEST(LinkStealing, has_a_score_for_every_pair_and_the_same_in_both_directions) {
  for (const char* attack : {"", "features: true", "known_edges: 0.3", "features: true known_edges: 0.3"}) {
    const Simulated run = simulate(stolen(attack, "", "nodes { count: 40 }"));
    EXPECT_EQ(metric(run, "pairs_scored"), 40.0 * 39.0 / 2.0) << attack;
  }
}

TEST(LinkStealing, gives_the_same_numbers_on_any_number_of_ranks) {
  const std::vector<std::string> attacks{"features: true", "known_edges: 0.3", "features: true known_edges: 0.3",
                                         shadow + "features: true", other_shadow + "known_edges: 0.3"};
  for (const std::string& attack : attacks) {
    const Simulated one = simulate(stolen(attack)), three = simulate(stolen(attack), 3);
    ASSERT_EQ(one.records.back().pairs.size(), three.records.back().pairs.size());
    for (std::size_t p = 0; p < one.records.back().pairs.size(); ++p) {
      EXPECT_EQ(one.records.back().pairs[p].score, three.records.back().pairs[p].score) << attack;
    }
  }
}

TEST(LinkStealing, works_with_answers_of_any_form) {
  for (const char* form : {"LOGITS", "LABEL"}) {
    for (const std::string& attack :
         {std::string(), std::string("features: true"), std::string("known_edges: 0.5"), shadow}) {
      const Simulated run = simulate(stolen(attack, std::string("answers { form: ") + form + " } "));
      EXPECT_GT(metric(run, "auc"), 0.6) << form << " " << attack;
    }
  }
}

TEST(LinkStealing, needs_to_know_what_it_works_with) {
  const auto with_rights = [](const std::string& rights, const std::string& attack) {
    std::string text = stolen(attack);
    return text.replace(text.find(all_rights), all_rights.size(), "principals { rights: [" + rights + "] } ");
  };
  EXPECT_EQ(refusal_of(with_rights("READ_ANY", "")), "");
  EXPECT_THAT(refusal_of(with_rights("READ_OWN", "")), HasSubstr("needs the right READ_ANY"));
  EXPECT_THAT(refusal_of(with_rights("READ_ANY, KNOW_EDGES", "features: true")),
              HasSubstr("needs the right KNOW_FEATURES"));
  EXPECT_THAT(refusal_of(with_rights("READ_ANY, KNOW_FEATURES", "known_edges: 0.1")),
              HasSubstr("needs the right KNOW_EDGES"));
  EXPECT_THAT(refusal_of(with_rights("READ_ANY, KNOW_FEATURES, KNOW_EDGES, KNOW_MODEL", shadow)),
              HasSubstr("needs the right KNOW_DESIGN"));
}

TEST(LinkStealing, is_refused_where_nothing_is_left_to_be_known) {
  EXPECT_THAT(refusal_of(stolen("known_edges: 0.5", "", "nodes { count: 300 }")),
              HasSubstr("service.attacks[0]: link_stealing.known_edges = 0.5: all edges are asked about"));
}

}  // namespace
}  // namespace souk::link_stealing_test
