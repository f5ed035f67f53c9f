// Nodes as a task: what it trains, tells and sees.
#include "sim/learn/tasks/node_classification.hpp"

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/learn/tasks/class_tally.hpp"
#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::node_classification_test {
namespace {

using fixtures::parse;
using fixtures::SmallGraph;

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
    for (NodeIndex v = 0; v < 30; ++v) node_labels.push_back(static_cast<std::int32_t>(v / 2 % 3));
    graph.labels = node_labels;
    graph.validation_nodes = validation_nodes;
    for (std::size_t s = 0; s < 2; ++s) {
      const DatasetShape shape{
          .samples = 15, .sample_shape = {12, 1, 1}, .class_names = {"a", "b", "c"}, .graph = true};
      data[s] = Dataset(shape, {.u8 = {}, .f32 = {}, .labels = labels[s], .groups = {}}, {});
    }
    made = make_task(parse<scenario::Task>(task), data[0], data[1], "cpu", graph);
    parameters = fixtures::normal_values(made->layout().dimension(), 3);
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
  std::vector<NodeIndex> train_nodes, test_nodes, validation_nodes{1, 7, 13, 21};
  std::vector<std::int32_t> labels[2], node_labels;
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

/// Parameters after local training from those of the fixture.
std::vector<float> trained(const std::string& model, const std::string& training) {
  Nodes nodes("model { " + model + " } training { batch_size: 0 learning_rate: 0.05 " + training + " }");
  std::vector<float> update(nodes.parameters.size());
  const auto all = nodes.all();
  nodes.made->train(nodes.parameters, all, {}, {.seed = 1, .agent = {0}, .round = {1}, .rounds = 1}, update);
  for (std::size_t v = 0; v < update.size(); ++v) update[v] += nodes.parameters[v];
  return update;
}

/// Mean loss on the validation nodes, which are test nodes of the fixture.
double validation_loss(const std::string& model, const std::vector<float>& parameters) {
  Nodes nodes("model { " + model + " }");
  nodes.parameters = parameters;
  const std::vector<SampleIndex> units{0, 3, 6, 10};
  return nodes.made->scores(nodes.tally(Split::test, units)).loss;
}

TEST(EarlyStopping, leaves_the_parameters_of_the_least_validation_loss) {
  const std::string model = "gcn { hidden: 5 dropout: 0 }";
  std::vector<std::vector<float>> after;
  std::vector<double> losses;
  for (int passes = 1; passes <= 40; ++passes) {
    after.push_back(trained(model, "local_epochs: " + std::to_string(passes)));
    losses.push_back(validation_loss(model, after.back()));
  }
  for (const std::size_t patience : {1U, 3U, 50U}) {
    // The rule by hand: the first loss after which so many are no less.
    std::size_t best = 0;
    for (std::size_t last = 1; last < losses.size() && last - best <= patience; ++last) {
      if (losses[last] < losses[best]) best = last;
    }
    const std::vector<float> stopped =
        trained(model, "local_epochs: 40 early_stopping { patience: " + std::to_string(patience) + " }");
    EXPECT_EQ(stopped, after[best]) << "patience " << patience;
  }
}

TEST(LayerWeightDecay, that_is_the_same_for_all_layers_is_the_optimizers) {
  const std::string model = "gcn { hidden: 5 dropout: 0 }";
  const std::vector<float> of_layers = trained(model, "sgd {} layer_weight_decay: [0.1, 0.1]");
  const std::vector<float> of_all = trained(model, "sgd { weight_decay: 0.1 }"), none = trained(model, "sgd {}");
  ASSERT_NE(of_all, none);
  for (std::size_t v = 0; v < of_all.size(); ++v) EXPECT_NEAR(of_layers[v], of_all[v], 1e-6);
}

TEST(LayerWeightDecay, leaves_layers_alone_that_have_none) {
  const std::string model = "gcn { hidden: 5 dropout: 0 }";
  const std::vector<float> first = trained(model, "layer_weight_decay: [0.1, 0]"), none = trained(model, "");
  const std::size_t second_layer = 12 * 5 + 5;
  bool moved = false;
  for (std::size_t v = 0; v < none.size(); ++v) {
    EXPECT_TRUE(v < second_layer || first[v] == none[v]);
    moved = moved || first[v] != none[v];
  }
  EXPECT_TRUE(moved);
}

TEST(SampledNeighbours, that_are_all_of_them_give_the_mean_of_all) {
  // What a layer of sage computes is a mean over what was drawn.
  const std::string model = "sage { hidden: 5 dropout: 0 }";
  const std::vector<float> all = trained(model, "sgd {}");
  const std::vector<float> sampled = trained(model, "sgd {} sampled_neighbours: [100, 100]");
  for (std::size_t v = 0; v < all.size(); ++v) EXPECT_NEAR(sampled[v], all[v], 1e-6);
  EXPECT_NE(trained(model, "sgd {} sampled_neighbours: [1, 1]"), all);
  EXPECT_EQ(trained(model, "sgd {} sampled_neighbours: [1, 1]"), trained(model, "sgd {} sampled_neighbours: [1, 1]"));
}

TEST(SampledNeighbours, bound_what_a_batch_reads) {
  const SmallGraph small(200, 5);
  Stream draws = fixtures::stream(3);
  const std::vector<NodeIndex> targets{4, 90, 150};
  const std::vector<std::uint32_t> counts{2, 1};
  const ReceptiveField field(small.graph, {}, targets, counts, draws);
  EXPECT_EQ(field.reach(0), 3U);
  EXPECT_LE(field.reach(1), 3U + 3 * 2);
  EXPECT_LE(field.reach(2), field.reach(1) + (field.reach(1) - 3));
  const SparseRows& edges = field.edges();
  for (std::size_t v = 0; v < edges.rows(); ++v) {
    EXPECT_EQ(field.degrees()[v], edges.offsets[v + 1] - edges.offsets[v]);
    for (std::uint64_t e = edges.offsets[v]; e < edges.offsets[v + 1]; ++e) {
      const std::uint32_t other = edges.columns[e];
      const auto back = edges.columns.subspan(edges.offsets[other], edges.offsets[other + 1] - edges.offsets[other]);
      EXPECT_NE(std::ranges::find(back, v), back.end());
    }
  }
}

TEST(NodeClassification, refuses_training_that_it_cannot_do) {
  const auto refusal = [](const std::string& training) -> std::string {
    try {
      Nodes nodes("model { gcn { hidden: 5 } } training { " + training + " }");
    } catch (const InputError& error) {
      return error.what();
    }
    return {};
  };
  EXPECT_THAT(refusal("sampled_neighbours: 3"), ::testing::HasSubstr("names 1 numbers, and gcn reads nodes up to 2"));
  EXPECT_THAT(refusal("layer_weight_decay: 3"), ::testing::HasSubstr("names 1 numbers, and the network has 2 layers"));
  EXPECT_THAT(refusal("layer_weight_decay: [1, 1] adam { weight_decay: 1 }"), ::testing::HasSubstr("instead of"));
  EXPECT_THAT(refusal("early_stopping {} local_steps: 3"), ::testing::HasSubstr("early_stopping: ends passes"));
}

TEST(NodeClassification, tells_f1_of_every_class) {
  // Loss; then of each of three classes: correct, samples, predicted, loss.
  const std::vector<double> sums{9.0, 3, 1, 0, 4, 4, 0, 5, 3, 0, 0, 0, 0};
  const std::vector<TaskMetric> metrics = f1_metrics(sums, 3);
  ASSERT_EQ(metrics.size(), 4U);
  EXPECT_EQ(metrics[1].value, 2.0 * 3 / (4 + 5));
  EXPECT_EQ(metrics[2].value, 2.0 * 1 / (4 + 3));
  EXPECT_TRUE(std::isnan(metrics[3].value));
  EXPECT_EQ(metrics[0].name, "macro_f1");
  EXPECT_NEAR(metrics[0].value, (6.0 / 9.0 + 2.0 / 7.0) / 2.0, 1e-15);
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
}  // namespace souk::node_classification_test
