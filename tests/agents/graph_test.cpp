// Federations that classify the nodes of a graph, from end to end.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/cast/shared_data.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/learn/tasks/node_classification.hpp"
#include "tests/support/last_accuracy.hpp"
#include "tests/support/simulated.hpp"

namespace souk::graph_test {
namespace {

using ::testing::HasSubstr;

const std::string graph =
    "data { communities { custom { nodes: 400 edges: 1600 classes: 3 features: 60 } } scaling: ROWS } ";

std::string federation(const std::string& model, const std::string& more = "", const std::string& data = graph) {
  return "rounds: 3 task { " + data + "model { " + model +
         " } training { local_epochs: 2 batch_size: 0 learning_rate: 0.02 adam {} } } participants { clients: 6 "
         "everyone: true } root { samples: 20 always: true } evaluation { every: 3 } " +
         more;
}

std::string refusal(const std::string& text) {
  try {
    last_accuracy(text);
  } catch (const InputError& error) {
    return error.what();
  } catch (const PhaseError& error) {
    return error.what();
  }
  return {};
}

TEST(GraphRuns, give_the_same_bits_on_any_number_of_ranks) {
  for (const char* model : {"gcn { hidden: 8 }", "sage { hidden: 8 }", "gat { hidden: 4 heads: 2 }",
                            "gin { hidden: 8 }", "sgc {}", "mlp { hidden: 8 }"}) {
    const std::string text = federation(model, "aggregator { fltrust {} } attacks { fraction: 0.3 sign_flip {} } ");
    const std::string expected = simulate(text, 1).hash;
    EXPECT_EQ(simulate(text, 3).hash, expected) << model;
    EXPECT_EQ(simulate(text, 4).hash, expected) << model;
  }
}

TEST(GraphRuns, learn_more_from_a_graph_than_from_its_nodes) {
  const std::string data =
      "data { communities { custom { nodes: 1500 edges: 6000 signal: 0.15 } graph { per_class { "
      "validation: 100 test: 800 } } } scaling: ROWS } ";
  const auto accuracy = [&](const std::string& model) {
    return last_accuracy("rounds: 1 task { " + data + "model { " + model +
                         " } training { local_epochs: 100 batch_size: 0 learning_rate: 0.02 adam { weight_decay: "
                         "0.0005 } } } participants { clients: 1 everyone: true } aggregator { mean {} } ");
  };

  // Four classes; 80 nodes to learn from.
  EXPECT_GT(accuracy("gcn {}"), accuracy("mlp { hidden: 16 }") + 0.1);
}

TEST(GraphRuns, depend_on_what_clients_see) {
  const std::string own =
      "data { communities { custom { nodes: 400 edges: 1600 classes: 3 features: 60 } graph { sight: "
      "OWN_NODES } } scaling: ROWS } ";
  const std::string whole = federation("gcn { hidden: 8 }"), alone = federation("gcn { hidden: 8 }", "", own);

  EXPECT_NE(simulate(whole, 1).hash, simulate(alone, 1).hash);
  EXPECT_EQ(simulate(alone, 3).hash, simulate(alone, 1).hash);
}

TEST(GraphRuns, labels_of_nodes_are_flipped) {
  const std::string flips = "attacks { fraction: 0.5 label_flip {} } ";
  const std::string text = federation("gcn { hidden: 8 }", flips);

  EXPECT_EQ(simulate(text, 3).hash, simulate(text, 1).hash);
  EXPECT_NE(simulate(text, 1).hash, simulate(federation("gcn { hidden: 8 }"), 1).hash);
  // Where all flip, test nodes are taken for the class that the attack wants: the last for the first and so on.
  const std::string all = "rounds: 3 task { " + graph +
                          "model { gcn { hidden: 16 } } training { local_epochs: 20 batch_size: 0 learning_rate: 0.02 "
                          "adam {} } } participants { clients: 4 everyone: true } attacks { fraction: 1 label_flip { "
                          "source: 0 target: 1 } } ";
  EXPECT_GT(last_metric(all, "asr"), 0.7);
}

TEST(GraphRuns, deal_communities) {
  const std::string text = federation("gcn { hidden: 8 }", "partition { louvain {} } ");
  EXPECT_EQ(simulate(text, 3).hash, simulate(text, 1).hash);
}

TEST(GraphRuns, mini_batches_are_bounded_by_their_fields) {
  const std::string text = "rounds: 2 task { " + graph +
                           "model { gcn { hidden: 8 dropout: 0 } } training { batch_size: 16 learning_rate: 0.05 } } "
                           "participants { clients: 4 everyone: true } ";
  EXPECT_EQ(simulate(text, 3).hash, simulate(text, 1).hash);
}

TEST(GraphRuns, refuse_by_name_what_nodes_do_not_have) {
  EXPECT_THAT(refusal(federation("lenet5 {}")), HasSubstr("task.model.lenet5"));
  EXPECT_THAT(refusal(federation("gcn {}", "aggregator { deepsight {} } ")), HasSubstr("aggregator.deepsight"));
  EXPECT_THAT(refusal(federation("gcn {}", "attacks { fraction: 0.5 badnets {} } ")), HasSubstr("attacks[0].badnets"));
  EXPECT_THAT(refusal(federation("gcn {}", "", "data { communities {} scaling: UNIT } ")),
              HasSubstr("task.data.scaling = UNIT"));
  EXPECT_THAT(refusal(federation("gcn {}", "", "data { glyphs {} } ")), HasSubstr("task.model.gcn"));
  EXPECT_THAT(refusal(federation("mlp {}", "", "data { glyphs {} scaling: ROWS } ")),
              HasSubstr("task.data.scaling = ROWS"));
}

TEST(SharedGraphs, are_the_same_on_every_rank) {
  const auto resolved = resolve_scenario({.file_name = "test", .text = federation("gcn {}"), .overrides = {}});
  std::string expected;
  for (const int ranks : {1, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      const SharedData data = load_shared_data(comm, resolved.scenario->task().data(), 1);
      comm.barrier();
      EXPECT_EQ(data.graph.nodes(), 400U);
      EXPECT_EQ(data.graph.edges.entries(), 3200U);
      EXPECT_EQ(data.train.size(), data.graph.train_nodes.size());
      for (std::size_t i = 0; i + 1 < data.graph.train_nodes.size(); ++i) {
        EXPECT_LT(data.graph.train_nodes[i], data.graph.train_nodes[i + 1]);
      }
      const std::string hash = content_hash(data);
      if (comm.rank() == 0) {
        if (expected.empty()) expected = hash;
        EXPECT_EQ(hash, expected);
      }
      comm.barrier();
    });
  }
}

TEST(SharedGraphs, keep_the_true_edges_beside_the_noisy_ones) {
  const auto data_of = [](const std::string& privacy) {
    const std::string text =
        "task { data { communities { custom { nodes: 400 edges: 1600 } graph { " + privacy + " } } } }";
    return resolve_scenario({.file_name = "test", .text = text, .overrides = {}}).scenario->task().data();
  };
  std::string expected;
  for (const int ranks : {1, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      const SharedData plain = load_shared_data(comm, data_of(""), 1);
      const SharedData noisy = load_shared_data(comm, data_of("edge_rand { epsilon: 5 }"), 1);
      EXPECT_EQ(&plain.graph.secret_edges(), &plain.graph.edges);
      EXPECT_EQ(plain.graph.true_edges.rows(), 0U);
      EXPECT_NE(noisy.graph.edges.entries(), 3200U);
      EXPECT_TRUE(std::ranges::equal(noisy.graph.secret_edges().offsets, plain.graph.edges.offsets));
      EXPECT_TRUE(std::ranges::equal(noisy.graph.secret_edges().columns, plain.graph.edges.columns));
      const std::string hash = content_hash(noisy);
      EXPECT_NE(hash, content_hash(plain));
      if (comm.rank() == 0) {
        if (expected.empty()) expected = hash;
        EXPECT_EQ(hash, expected);
      }
      comm.barrier();
    });
  }
}

}  // namespace
}  // namespace souk::graph_test
