#include "attacks/graph_inversion.hpp"

#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::graph_inversion_test {
namespace {

constexpr std::size_t features = 9, classes = 3;

/// A network over the nodes of a small graph, whose classes are known but for some.
template <class T>
struct Inverted {
  explicit Inverted(const std::string& model, const FeatureScaling& reads = {}, std::size_t nodes = 11,
                    InversionWeights weights = {.norm = 0.3, .smoothness = 0.7})
      : small(nodes, features), scaling(reads), network(fixtures::graph_network(model, features, classes)) {
    parameters = fixtures::normal_values(network.layout().dimension(), 3);
    for (std::size_t v = 0; v < nodes; ++v) known.push_back(v % 4 == 3 ? -1 : static_cast<std::int32_t>(v % classes));
    loss.emplace(InvertedNetwork{.network = network,
                                 .parameters = parameters,
                                 .features = small.graph.features,
                                 .scaling = scaling,
                                 .classes = known},
                 weights);
  }
  std::size_t nodes() const { return known.size(); }

  fixtures::SmallGraph small;
  FeatureScaling scaling;
  GraphNetwork network;
  std::vector<float> parameters;
  std::vector<std::int32_t> known;
  std::optional<InversionLoss<T>> loss;
};

/// Weights in (0, 1) below the diagonal, and no numbers above it.
std::vector<double> some_weights(std::size_t n) {
  Stream random = fixtures::stream(21);
  std::vector<double> graph(n * n, std::nan(""));
  for (std::size_t i = 0; i < n; ++i) {
    graph[i * n + i] = 0.0;
    for (std::size_t j = 0; j < i; ++j) graph[i * n + j] = 0.05 + 0.9 * random.uniform();
  }
  return graph;
}

template <class Check>
void check_derivatives(Inverted<double>& inverted, std::vector<double> graph, bool smooth, Check check) {
  const std::size_t n = inverted.nodes();
  std::vector<double> derivatives(n * n), ignored(n * n);
  inverted.loss->evaluate(graph, smooth, derivatives);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      double& x = graph[i * n + j];
      const double before = x, step = 1e-6;
      x = before + step;
      const double above = inverted.loss->evaluate(graph, smooth, ignored);
      x = before - step;
      const double below = inverted.loss->evaluate(graph, smooth, ignored);
      x = before;
      check(derivatives[i * n + j], (above - below) / (2.0 * step));
    }
  }
}

TEST(InversionLoss, has_the_derivatives_of_its_value) {
  for (const char* model : {"gcn { hidden: 6 }", "gcn { hidden: 6 hidden: 5 activation: ELU }", "sgc { hops: 3 }"}) {
    for (const bool smooth : {false, true}) {
      Inverted<double> inverted(model);
      double largest = 0.0;
      check_derivatives(inverted, some_weights(inverted.nodes()), smooth, [&](double derivative, double difference) {
        EXPECT_NEAR(derivative, difference, 1e-7 * (1.0 + std::abs(difference))) << model;
        largest = std::max(largest, std::abs(derivative));
      });
      EXPECT_GT(largest, 1e-2) << model;
    }
  }
}

TEST(InversionLoss, of_a_network_that_sees_no_edges_is_that_of_the_weights_alone) {
  Inverted<double> inverted("mlp { hidden: 6 }", {}, 11, {.norm = 0.0, .smoothness = 0.0});
  const std::size_t n = inverted.nodes();
  std::vector<double> derivatives(n * n, 1.0);
  inverted.loss->evaluate(some_weights(n), true, derivatives);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(derivatives[i * n + j], 0.0);
  }
}

TEST(InversionLoss, of_the_true_graph_is_that_of_the_network) {
  const std::vector<float> shift{1, 2, 0, -1, 0.5F, 0, 0, 1, 0}, scale{1, 0.5F, 2, 1, 1, 1, 3, 1, 1};
  const std::vector<float> rows(14, 0.5F);
  for (const FeatureScaling& scaling :
       {FeatureScaling{}, FeatureScaling{.shift = shift, .scale = scale, .row_factors = rows}}) {
    for (const char* model : {"gcn { hidden: 6 }", "gcn { hidden: 6 hidden: 5 }", "sgc { hops: 2 }", "logreg {}"}) {
      Inverted<double> inverted(model, scaling, 14, {});
      const std::size_t n = inverted.nodes();
      std::vector<double> graph(n * n), derivatives(n * n), logits(n * classes);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < i; ++j) graph[i * n + j] = inverted.small.joined(i, j) ? 1.0 : 0.0;
      }
      const std::vector<double> parameters(inverted.parameters.begin(), inverted.parameters.end());
      const ReceptiveField field(inverted.small.graph, scaling);
      inverted.network.outputs(parameters, field, n, logits);
      double expected = 0.0, known = 0.0;
      for (std::size_t v = 0; v < n; ++v) {
        if (inverted.known[v] < 0) continue;
        double sum = 0.0;
        for (std::size_t c = 0; c < classes; ++c) sum += std::exp(logits[v * classes + c]);
        expected += std::log(sum) - logits[v * classes + static_cast<std::size_t>(inverted.known[v])];
        known += 1.0;
      }
      EXPECT_NEAR(inverted.loss->evaluate(graph, false, derivatives), expected / known, 1e-6) << model;
    }
  }
}

TEST(InversionLoss, knows_the_smoothness_of_features) {
  // With weight 1, less the loss of the classes: tr(X^T E (D - A) E X), written out.
  Inverted<double> with("gcn { hidden: 6 }", {}, 11, {.norm = 0.0, .smoothness = 1.0});
  const std::size_t n = with.nodes();
  const std::vector<double> graph = some_weights(n);
  std::vector<double> derivatives(n * n), degrees(n);
  const auto weight = [&](std::size_t i, std::size_t j) { return i > j ? graph[i * n + j] : graph[j * n + i]; };
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) degrees[i] += i == j ? 0.0 : weight(i, j);
  }
  double expected = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double inner = 0.0;
      for (std::size_t f = 0; f < features; ++f) inner += with.small.feature(i, f) * with.small.feature(j, f);
      const double laplacian = i == j ? degrees[i] : -weight(i, j);
      expected += laplacian * inner / std::sqrt((degrees[i] + 1e-3) * (degrees[j] + 1e-3));
    }
  }
  const double smooth = with.loss->evaluate(graph, true, derivatives);
  EXPECT_NEAR(smooth - with.loss->evaluate(graph, false, derivatives), expected, 1e-9 * std::abs(expected));
}

TEST(InversionLoss, in_single_precision_is_the_same_up_to_rounding) {
  Inverted<double> exact("gcn { hidden: 6 }");
  Inverted<float> single("gcn { hidden: 6 }");
  const std::size_t n = exact.nodes();
  const std::vector<double> graph = some_weights(n);
  const std::vector<float> rounded(graph.begin(), graph.end());
  std::vector<double> derivatives(n * n);
  std::vector<float> single_derivatives(n * n);
  const double loss = exact.loss->evaluate(graph, true, derivatives);
  EXPECT_NEAR(single.loss->evaluate(rounded, true, single_derivatives), loss, 1e-4 * std::abs(loss));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NEAR(static_cast<double>(single_derivatives[i * n + j]), derivatives[i * n + j], 1e-3);
    }
  }
}

TEST(InversionLoss, embeds_nodes_by_their_last_hidden_values) {
  for (const auto& [model, width] : {std::pair{"gcn { hidden: 6 hidden: 5 }", 5U}, {"sgc {}", 3U}, {"logreg {}", 3U}}) {
    Inverted<double> inverted(model);
    const std::vector<double> rows = inverted.loss->embeddings(some_weights(inverted.nodes()));
    EXPECT_EQ(inverted.loss->embedding_width(), width);
    ASSERT_EQ(rows.size(), inverted.nodes() * width);
    for (std::size_t v = 0; v < inverted.nodes(); ++v) {
      double squares = 0.0;
      for (std::size_t c = 0; c < width; ++c) squares += rows[v * width + c] * rows[v * width + c];
      EXPECT_TRUE(squares == 0.0 || std::abs(squares - 1.0) < 1e-12) << model;
    }
  }
}

double sum_of(const std::vector<double>& graph, std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += std::accumulate(&graph[i * n], &graph[i * n] + i, 0.0);
  return sum;
}

TEST(ProjectGraph, clips_where_that_is_enough) {
  std::vector<double> graph{0, 9, 9, 1.5, 0, 9, -0.5, 0.25, 0};
  project_graph(std::span(graph), 3, 10.0);
  EXPECT_EQ(graph, (std::vector<double>{0, 9, 9, 1, 0, 9, 0, 0.25, 0}));
}

TEST(ProjectGraph, takes_the_same_from_all_where_the_sum_is_too_large) {
  // 1 + 0.75 + 0.5 less 0.25 each of what is not clipped: 1.25 less 0.25, 0.75, 0.5, and -1, make 1 + 0.5 + 0.25.
  std::vector<double> graph{0, 9, 9, 9, 1.25, 0, 9, 9, 0.75, 0.5, 0, 9, -1, 0, 0, 0};
  project_graph(std::span(graph), 4, 1.75);
  const std::vector<double> expected{0, 9, 9, 9, 1, 0, 9, 9, 0.5, 0.25, 0, 9, 0, 0, 0, 0};
  for (std::size_t i = 0; i < graph.size(); ++i) EXPECT_NEAR(graph[i], expected[i], 1e-12) << i;
}

TEST(ProjectGraph, finds_the_nearest) {
  const std::size_t n = 30;
  Stream random = fixtures::stream(22);
  std::vector<double> before(n * n), graph;
  for (double& x : before) x = 3.0 * random.uniform() - 1.0;
  graph = before;
  project_graph(std::span(graph), n, 60.0);
  EXPECT_NEAR(sum_of(graph, n), 60.0, 1e-9);
  // Any other that is allowed lies on the far side: (before - nearest) . (other - nearest) <= 0.
  for (int trial = 0; trial < 20; ++trial) {
    double product = 0.0, sum = 0.0;
    std::vector<double> other(n * n);
    for (double& x : other) x = random.uniform();
    sum = sum_of(other, n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double allowed = other[i * n + j] * std::min(1.0, 60.0 / sum);
        product += (before[i * n + j] - graph[i * n + j]) * (allowed - graph[i * n + j]);
      }
    }
    EXPECT_LE(product, 1e-9);
  }
}

}  // namespace
}  // namespace souk::graph_inversion_test
