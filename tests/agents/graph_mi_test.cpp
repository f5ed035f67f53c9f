// What the inversion of a small trained graph network finds out.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/support/simulated.hpp"

namespace souk::graph_mi_test {
namespace {

using ::testing::HasSubstr;

std::string inverted(const std::string& attack, const std::string& model = "gcn {}",
                     const std::string& data = "nodes: 300 edges: 900 classes: 3 features: 60") {
  return "rounds: 4 training_rounds: 3 task { data { communities { custom { " + data + " } } scaling: ROWS } model { " +
         model +
         " } training { local_epochs: 20 batch_size: 0 learning_rate: 0.02 adam {} } } participants { clients: 1 "
         "everyone: true } aggregator { mean {} } service { principals { rights: [KNOW_FEATURES, KNOW_MODEL] } attacks "
         "{ "
         "balanced { edges: 150 } resamples: 20 graph_mi { " +
         attack + " } } } ";
}

double auc(const Simulated& run) { return run.records.back().metric("edges.graph_mi.auc").value(); }

TEST(GraphInversion, finds_edges_from_the_network_and_the_features) {
  for (const char* model : {"gcn {}", "gcn { hidden: [16, 16] }", "sgc {}"}) {
    const double found = auc(simulate(inverted("", model)));
    RecordProperty(model[0] == 's'                 ? "sgc"
                   : std::string(model).size() > 6 ? "gcn of three layers"
                                                   : "gcn",
                   std::to_string(found));
    EXPECT_GT(found, 0.6) << model;
  }
}

TEST(GraphInversion, finds_edges_with_a_tenth_of_the_classes) {
  EXPECT_GT(auc(simulate(inverted("labels: 0.1"))), 0.6);
}

TEST(GraphInversion, gives_the_same_numbers_on_any_number_of_ranks) {
  const std::string text = inverted("labels: 0.5 rate: 50");
  const Simulated one = simulate(text), three = simulate(text, 3), resumed = simulate(text, 2, 3);
  ASSERT_EQ(one.records.back().pairs.size(), 300U);
  for (std::size_t p = 0; p < 300; ++p) {
    EXPECT_EQ(one.records.back().pairs[p].score, three.records.back().pairs[p].score);
    EXPECT_EQ(one.records.back().pairs[p].score, resumed.records.back().pairs[p].score);
  }
}

TEST(GraphInversion, asks_the_service_for_nothing) {
  for (const RoundRecord& record : simulate(inverted("steps: 5")).records) EXPECT_TRUE(record.requests.empty());
}

TEST(GraphInversion, refuses_what_it_cannot_invert_before_the_first_round) {
  for (const char* model : {"sage {}", "gat {}", "gin {}"}) {
    EXPECT_THAT(refusal_of(inverted("", model)), HasSubstr("service.attacks[0]: graph_mi: inverts layers that weigh"))
        << model;
    EXPECT_THAT(refusal_of(inverted("", model)),
                HasSubstr(std::string("the network ") + std::string(model).substr(0, 3)));
  }
  EXPECT_THAT(refusal_of(inverted("", "gcn { normalization: PLUS_IDENTITY }")),
              HasSubstr("the network gcn has others"));
  EXPECT_THAT(refusal_of(inverted("", "gcn {}", "nodes: 3001 edges: 4000 classes: 3 features: 40")),
              HasSubstr("graph_mi: takes graphs of up to 3000 nodes, and this one has 3001"));
}

}  // namespace
}  // namespace souk::graph_mi_test
