// Answers about a graph that changes, against the same graph written out and the whole of it computed.
#include "sim/serve/served_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/serve/serve_fixtures.hpp"

namespace souk::served_network_test {
namespace {

using fixtures::graph_models;
using fixtures::served_classes;
using fixtures::SmallService;
using fixtures::WrittenOut;

/// All answers of the written-out graph, by the network over all nodes of it.
std::vector<double> whole_answers(const SmallService& service, const std::string& model, const EditedGraph& edited) {
  const WrittenOut written(edited);
  GraphNetwork network = fixtures::graph_network(model, 9, served_classes);
  const std::vector<double> parameters(service.parameters.begin(), service.parameters.end());
  std::vector<double> logits(edited.nodes() * served_classes);
  network.outputs(std::span<const double>(parameters), ReceptiveField(written.graph, {}), edited.nodes(), logits);
  return logits;
}

/// Nodes come, go and are joined; factors are powers of two, so that features stored in single precision stay exact.
EditedGraph edited(const Graph& graph) {
  EditedGraph changed(graph);
  const NodeIndex a = changed.add({3, 1.0}), b = changed.add({7, 2.0}), c = changed.arrive({1, 0.5});
  changed.join(a, 5);
  changed.join(b, 5);
  changed.join(a, 20);
  changed.join(c, b);
  changed.join(2, 30);
  changed.remove(11);
  changed.scale(5, 2.0);
  changed.scale(a, 0.0);
  changed.scale(5, 2.0);
  return changed;
}

TEST(ServedNetwork, answers_as_the_whole_changed_graph_does) {
  for (const std::string& model : graph_models()) {
    const SmallService service(model);
    const EditedGraph changed = edited(service.small.graph);
    const std::vector<double> whole = whole_answers(service, model, changed);
    const std::vector<NodeIndex> targets{40, 5, 41, 0, 30, 19, 42};
    const std::vector<double> answers = service.logits(changed, targets);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      for (std::size_t c = 0; c < served_classes; ++c) {
        const double wanted = whole[targets[i] * served_classes + c];
        EXPECT_NEAR(answers[i * served_classes + c], wanted, 1e-12 * (1.0 + std::abs(wanted))) << model;
      }
    }
  }
}

TEST(ServedNetwork, answers_the_same_bits_in_any_company) {
  for (const std::string& model : graph_models()) {
    const SmallService service(model);
    const EditedGraph changed = edited(service.small.graph);
    const std::vector<NodeIndex> targets{40, 5, 41, 0, 30};
    const std::vector<double> together = service.logits(changed, targets);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const std::vector<double> alone = service.logits(changed, {targets[i]});
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(i * 3)))
          << model;
    }
  }
}

TEST(ServedNetwork, answers_the_first_graph_as_training_sees_it) {
  for (const bool rows : {false, true}) {
    Scaling scaling;
    scaling.rows = rows;
    if (!rows) {
      scaling.shift.assign(9, 0.25F);
      scaling.scale.assign(9, 2.0F);
    }
    const SmallService service("gcn { hidden: 6 }", 40, true, scaling);
    GraphNetwork network = fixtures::graph_network("gcn { hidden: 6 }", 9, served_classes);
    const std::vector<float> factors = rows ? factors_of_rows(service.small.graph.features) : std::vector<float>();
    const FeatureScaling as_read{.shift = scaling.shift, .scale = scaling.scale, .row_factors = factors};
    const std::vector<double> parameters(service.parameters.begin(), service.parameters.end());
    std::vector<double> wanted(40 * served_classes);
    network.outputs(std::span<const double>(parameters), ReceptiveField(service.small.graph, as_read), 40, wanted);

    EXPECT_EQ(service.logits(EditedGraph(service.small.graph), service.all_nodes), wanted);
    // A node that leaves the others as they were changes no answer far from it.
    EditedGraph more(service.small.graph);
    more.add({2, 1.0});
    EXPECT_EQ(service.logits(more, service.all_nodes), wanted);
  }
}

/// How far answers move per unit of change, with the change of one node's features done in full.
TEST(ServedNetwork, spreads_a_change_of_features_as_the_whole_graph_does) {
  constexpr double delta = 1.0 / 16384.0;  // near 1e-4, and exact beside 1
  for (const std::string& model : graph_models()) {
    const SmallService service(model);
    const EditedGraph before(service.small.graph);
    const std::vector<double> whole_before = whole_answers(service, model, before);
    const std::vector<double> own_before = service.logits(before, service.all_nodes);
    for (const NodeIndex node : {0U, 13U, 39U}) {
      EditedGraph after(service.small.graph);
      after.scale(node, 1.0 + delta);
      // Written out in single precision, where the change is exact as long as few digits are lost: in double by hand.
      const std::vector<double> own_after = service.logits(after, service.all_nodes);
      EditedGraph rewired = after;  // an unrelated node makes it compute fields
      rewired.add({0, 1.0});
      const std::vector<double> by_fields = service.logits(rewired, service.all_nodes);
      for (std::size_t v = 0; v < own_after.size(); ++v) {
        const double found = (own_after[v] - own_before[v]) / delta;
        const double wanted = (by_fields[v] - whole_before[v]) / delta;
        EXPECT_NEAR(found, wanted, 1e-10 * std::max(1.0, std::abs(wanted)) + 1e-10) << model << " node " << node;
        // Where the change does not reach, nothing moves.
        EXPECT_TRUE(by_fields[v] != whole_before[v] || own_after[v] == own_before[v]) << model;
      }
    }
  }
}

TEST(ServedNetwork, gives_added_nodes_the_mean_and_the_median) {
  const SmallService service("logreg {}");
  const SmallService zeros("logreg {}");
  EditedGraph graph(service.small.graph);
  const NodeIndex mean = graph.add(service.network->extra(ExtraInput::mean));
  const NodeIndex zero = graph.add(service.network->extra(ExtraInput::zero));
  const std::vector<double> found = service.logits(graph, {mean, zero});
  const std::vector<double> all = service.logits(EditedGraph(service.small.graph), service.all_nodes);
  // logreg is affine: the answer to the mean is the mean of the answers.
  for (std::size_t c = 0; c < served_classes; ++c) {
    double sum = 0.0;
    for (std::size_t v = 0; v < 40; ++v) sum += all[v * served_classes + c];
    EXPECT_NEAR(found[c], sum / 40.0, 1e-12);
    EXPECT_NEAR(found[served_classes + c], static_cast<double>(service.parameters[9 * served_classes + c]), 1e-12);
  }
}

TEST(ServedNetwork, finds_the_typical_node) {
  const SmallService service("logreg {}");
  std::vector<double> mean(9);
  for (std::size_t f = 0; f < 9; ++f) {
    for (std::size_t v = 0; v < 40; ++v) mean[f] += service.small.feature(v, f) / 40.0;
  }
  NodeIndex nearest = 0;
  double least = 1e300;
  for (NodeIndex v = 0; v < 40; ++v) {
    double distance = 0.0;
    for (std::size_t f = 0; f < 9; ++f) {
      const double apart = service.small.feature(v, f) - mean[f];
      distance += apart * apart;
    }
    if (distance < least) least = distance, nearest = v;
  }
  EXPECT_EQ(service.network->typical(), nearest);
}

TEST(ServedNetwork, in_single_precision_answers_as_in_double_up_to_rounding) {
  for (const std::string& model : graph_models()) {
    const SmallService in_double(model), in_single(model, 40, false);
    const EditedGraph changed = edited(in_double.small.graph);
    EditedGraph same = edited(in_single.small.graph);
    const std::vector<NodeIndex> targets{40, 5, 0};
    const std::vector<double> exact = in_double.logits(changed, targets), single = in_single.logits(same, targets);
    for (std::size_t v = 0; v < exact.size(); ++v) {
      EXPECT_NEAR(single[v], exact[v], 1e-4 * (1.0 + std::abs(exact[v]))) << model;
    }
  }
}

}  // namespace
}  // namespace souk::served_network_test
