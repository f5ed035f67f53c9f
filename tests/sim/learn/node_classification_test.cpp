// Nodes as a task: what it trains, tells and sees.
#include "sim/learn/tasks/node_classification.hpp"

#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk {
namespace {

using testing::parse;
using testing::SmallGraph;

/// A small graph of which the even nodes are for training and the odd ones for testing, in three classes.
struct Nodes {
  explicit Nodes(const std::string& task, bool own_nodes = false) : small(30, 12, true) {
    for (NodeIndex v = 0; v < 30; ++v) {
      (v % 2 == 0 ? train_nodes : test_nodes).push_back(v);
      labels[v % 2].push_back(static_cast<std::int32_t>(v / 2 % 3));
    }
    graph = small.graph;
    graph.train_nodes = train_nodes;
    graph.test_nodes = test_nodes;
    graph.own_nodes = own_nodes;
    for (std::size_t s = 0; s < 2; ++s) {
      const DatasetShape shape{
          .samples = 15, .sample_shape = {12, 1, 1}, .class_names = {"a", "b", "c"}, .graph = true};
      data[s] = Dataset(shape, {.u8 = {}, .f32 = {}, .labels = labels[s], .groups = {}}, {});
    }
    made = make_task(parse<scenario::Task>(task), data[0], data[1], "cpu", graph);
    parameters = testing::normal_values(made->layout().dimension(), 3);
  }
  std::vector<SampleIndex> all() const {
    std::vector<SampleIndex> units(15);
    std::iota(units.begin(), units.end(), SampleIndex{0});
    return units;
  }
  std::vector<double> tally(Split split, UnitSet which) {
    std::vector<double> sums(made->tally_size());
    made->tally(parameters, split, which, sums);
    return sums;
  }

  SmallGraph small;
  std::vector<NodeIndex> train_nodes, test_nodes;
  std::vector<std::int32_t> labels[2];
  Graph graph;
  Dataset data[2];
  std::unique_ptr<Task> made;
  std::vector<float> parameters;
};

TEST(NodeClassification, tallies_of_parts_add_up_to_that_of_all) {
  Nodes nodes("model { gcn { hidden: 5 } }");
  const auto all = nodes.all();
  std::vector<double> sums = nodes.tally(Split::test, std::span(all).first(4));
  const std::vector<double> rest = nodes.tally(Split::test, std::span(all).subspan(4));
  for (std::size_t v = 0; v < sums.size(); ++v) sums[v] += rest[v];

  const std::vector<double> whole = nodes.tally(Split::test, all);

  for (std::size_t v = 0; v < sums.size(); ++v) EXPECT_NEAR(sums[v], whole[v], 1e-12);
  const Scores scores = nodes.made->scores(whole);
  EXPECT_GE(scores.quality, 0.0);
  EXPECT_LE(scores.quality, 1.0);
  EXPECT_EQ(scores.loss_of_class.size(), 3U);
}

TEST(NodeClassification, answers_for_the_parameters_it_is_asked_about) {
  Nodes nodes("model { gcn { hidden: 5 } }");
  const auto all = nodes.all();
  const std::vector<double> first = nodes.tally(Split::test, all);
  const std::vector<float> kept = nodes.parameters;
  for (float& value : nodes.parameters) value = -value;

  EXPECT_NE(nodes.tally(Split::test, all), first);
  nodes.parameters = kept;
  EXPECT_EQ(nodes.tally(Split::test, all), first);
}

TEST(NodeClassification, loss_is_the_mean_that_its_gradient_is_of) {
  Nodes nodes("model { sage { hidden: 5 } }");
  const auto all = nodes.all();
  std::vector<float> gradient(nodes.parameters.size());

  const double loss = nodes.made->gradient(nodes.parameters, all, gradient);

  EXPECT_NEAR(loss, nodes.made->scores(nodes.tally(Split::train, all)).loss, 1e-5);
}

TEST(NodeClassification, one_full_step_without_dropout_goes_down_the_gradient) {
  Nodes nodes("model { gcn { hidden: 5 dropout: 0 } } training { batch_size: 0 learning_rate: 0.25 sgd {} }");
  const auto all = nodes.all();
  std::vector<float> gradient(nodes.parameters.size()), update(nodes.parameters.size());
  nodes.made->gradient(nodes.parameters, all, gradient);

  nodes.made->train(nodes.parameters, all, {}, {.agent = AgentId{1}, .round = RoundIndex{1}}, update);

  for (std::size_t v = 0; v < update.size(); ++v) EXPECT_NEAR(update[v], -0.25F * gradient[v], 1e-6F);
}

TEST(NodeClassification, who_sees_its_own_nodes_alone_is_not_moved_by_others) {
  const std::string task =
      "model { gcn { hidden: 5 dropout: 0 } } training { batch_size: 0 learning_rate: 0.25 sgd {} }";
  const std::vector<SampleIndex> mine{0, 1, 2, 3};
  const auto update_with = [&](bool own, bool others_change) {
    Nodes nodes(task, own);
    if (others_change) {
      for (std::size_t e = nodes.small.feature_offsets[8]; e < nodes.small.values.size(); ++e)
        nodes.small.values[e] = 9.0F;
    }
    std::vector<float> update(nodes.parameters.size());
    nodes.made->train(nodes.parameters, mine, {}, {.agent = AgentId{1}, .round = RoundIndex{1}}, update);
    return update;
  };

  EXPECT_EQ(update_with(true, false), update_with(true, true));
  EXPECT_NE(update_with(false, false),
            update_with(false, true));  // node 6 is joined to node 7, whose features stay, and on
}

TEST(NodeClassification, does_not_run_on_other_devices) {
  try {
    Nodes nodes("model { gcn {} }");
    make_task(parse<scenario::Task>("model { gcn {} }"), nodes.data[0], nodes.data[1], "cuda", nodes.graph);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--device cuda"));
  }
}

}  // namespace
}  // namespace souk
