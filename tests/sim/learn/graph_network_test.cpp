// Graph networks against their formulas with full matrices, their derivatives against differences, and fields against
// the whole graph.
#include "sim/learn/graphs/graph_network.hpp"

#include <cmath>
#include <functional>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::graph_network_test {
namespace {

using fixtures::graph_models;
using fixtures::graph_network;
using fixtures::SmallGraph;
using ::testing::HasSubstr;

constexpr std::size_t classes = 4;

using Matrix = std::vector<std::vector<double>>;

Matrix zeros(std::size_t rows, std::size_t columns) { return Matrix(rows, std::vector<double>(columns)); }

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c = zeros(a.size(), b[0].size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < c[0].size(); ++j) {
      for (std::size_t l = 0; l < b.size(); ++l) c[i][j] += a[i][l] * b[l][j];
    }
  }
  return c;
}

/// A weight of these parameters, as the layout names it.
Matrix weight(const GraphNetwork& network, const std::vector<double>& parameters, const std::string& name) {
  const Slot& slot = network.layout().slot(name);
  const std::size_t columns = static_cast<std::size_t>(slot.shape.size() > 1 ? slot.shape[1] : slot.shape[0]);
  Matrix w = zeros(slot.size / columns, columns);
  for (std::size_t v = 0; v < slot.size; ++v) w[v / columns][v % columns] = parameters[slot.offset + v];
  return w;
}

void add_bias(Matrix& a, const Matrix& bias) {
  for (auto& row : a) {
    for (std::size_t c = 0; c < row.size(); ++c) row[c] += bias[0][c];
  }
}

Matrix relu(Matrix a) {
  for (auto& row : a) {
    for (double& x : row) x = std::max(x, 0.0);
  }
  return a;
}

Matrix features_of(const SmallGraph& graph) {
  Matrix x = zeros(graph.graph.nodes(), graph.graph.features.width);
  for (std::size_t v = 0; v < x.size(); ++v) {
    for (std::size_t f = 0; f < x[0].size(); ++f) x[v][f] = graph.feature(v, f);
  }
  return x;
}

/// [nodes, nodes] by a weight of joined nodes and one of a node itself.
Matrix adjacency(const SmallGraph& graph, const std::function<double(std::size_t, std::size_t)>& joined,
                 const std::function<double(std::size_t)>& itself) {
  Matrix a = zeros(graph.graph.nodes(), graph.graph.nodes());
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a.size(); ++j) {
      if (graph.joined(i, j)) a[i][j] = joined(i, j);
    }
    a[i][i] = itself(i);
  }
  return a;
}

Matrix symmetric(const SmallGraph& graph) {
  const auto d = [&graph](std::size_t v) { return static_cast<double>(graph.degree(v)) + 1.0; };
  return adjacency(
      graph, [d](std::size_t i, std::size_t j) { return 1.0 / std::sqrt(d(i) * d(j)); },
      [d](std::size_t i) { return 1.0 / d(i); });
}

std::vector<double> parameters_of(const GraphNetwork& network, std::uint32_t lane = 5) {
  const std::vector<float> drawn = fixtures::normal_values(network.layout().dimension(), lane);
  std::vector<double> values(drawn.begin(), drawn.end());
  for (double& value : values) value *= 0.5;
  return values;
}

std::vector<double> answers(GraphNetwork& network, const Graph& graph, const std::vector<double>& parameters,
                            const FeatureScaling& scaling = {}) {
  std::vector<double> logits(graph.nodes() * classes);
  network.outputs(std::span<const double>(parameters), ReceptiveField(graph, scaling), graph.nodes(), logits);
  return logits;
}

void expect_near(const std::vector<double>& found, const Matrix& wanted, double tolerance) {
  for (std::size_t v = 0; v < found.size(); ++v) {
    EXPECT_NEAR(found[v], wanted[v / classes][v % classes], tolerance) << "value " << v;
  }
}

TEST(Gcn, is_its_formula_with_full_matrices) {
  const SmallGraph graph;
  const auto d = [&graph](std::size_t v) { return static_cast<double>(graph.degree(v)); };
  const auto root = [d](std::size_t i, std::size_t j) { return 1.0 / std::sqrt(d(i) * d(j)); };
  const std::vector<std::pair<std::string, Matrix>> kinds{
      {"SYMMETRIC", symmetric(graph)},
      {"PLUS_IDENTITY", adjacency(graph, root, [](std::size_t) { return 1.0; })},
      {"WITHOUT_SELF", adjacency(graph, root, [](std::size_t) { return 0.0; })}};
  for (const auto& [name, a] : kinds) {
    GraphNetwork network = graph_network("gcn { hidden: 6 normalization: " + name + " }", 9, classes);
    const std::vector<double> p = parameters_of(network);
    Matrix hidden = product(a, product(features_of(graph), weight(network, p, "layer1.weight")));
    add_bias(hidden, weight(network, p, "layer1.bias"));
    Matrix wanted = product(a, product(relu(hidden), weight(network, p, "layer2.weight")));
    add_bias(wanted, weight(network, p, "layer2.bias"));

    expect_near(answers(network, graph.graph, p), wanted, 1e-12);
  }
}

TEST(Sgc, averages_as_often_as_it_has_hops) {
  const SmallGraph graph(14, 9, false);
  GraphNetwork network = graph_network("sgc { hops: 3 }", 9, classes);
  const std::vector<double> p = parameters_of(network);
  const Matrix a = symmetric(graph);
  Matrix wanted = product(product(a, product(a, product(a, features_of(graph)))), weight(network, p, "layer1.weight"));
  add_bias(wanted, weight(network, p, "layer1.bias"));

  expect_near(answers(network, graph.graph, p), wanted, 1e-12);
}

TEST(Sage, takes_the_mean_of_the_neighbours_and_the_node_itself) {
  const SmallGraph graph;
  GraphNetwork network = graph_network("sage { hidden: 6 }", 9, classes);
  const std::vector<double> p = parameters_of(network);
  const Matrix mean = adjacency(
      graph, [&](std::size_t i, std::size_t) { return 1.0 / static_cast<double>(graph.degree(i)); },
      [](std::size_t) { return 0.0; });
  const auto layer = [&](const Matrix& in, const std::string& name) {
    Matrix out = product(product(mean, in), weight(network, p, name + ".neighbours"));
    const Matrix own = product(in, weight(network, p, name + ".self"));
    for (std::size_t i = 0; i < out.size(); ++i) {
      for (std::size_t c = 0; c < out[i].size(); ++c) out[i][c] += own[i][c];
    }
    add_bias(out, weight(network, p, name + ".bias"));
    return out;
  };

  expect_near(answers(network, graph.graph, p), layer(relu(layer(features_of(graph), "layer1")), "layer2"), 1e-12);
}

TEST(Gin, sums_neighbours_before_two_products) {
  const SmallGraph graph;
  GraphNetwork network = graph_network("gin { hidden: 6 }", 9, classes);
  const std::vector<double> p = parameters_of(network);
  const Matrix sum = adjacency(
      graph, [](std::size_t, std::size_t) { return 1.0; }, [](std::size_t) { return 1.0; });
  const auto layer = [&](const Matrix& in, const std::string& name) {
    Matrix hidden = product(product(sum, in), weight(network, p, name + ".first"));
    add_bias(hidden, weight(network, p, name + ".first_bias"));
    Matrix out = product(relu(hidden), weight(network, p, name + ".second"));
    add_bias(out, weight(network, p, name + ".second_bias"));
    return out;
  };

  expect_near(answers(network, graph.graph, p), layer(relu(layer(features_of(graph), "layer1")), "layer2"), 1e-12);
}

/// One layer of attention with the heads side by side.
std::vector<Matrix> attention_heads(const SmallGraph& graph, const GraphNetwork& network, const std::vector<double>& p,
                                    const Matrix& in, const std::string& name, std::size_t heads) {
  const Matrix z = product(in, weight(network, p, name + ".weight"));
  const Matrix source = weight(network, p, name + ".source"), target = weight(network, p, name + ".target");
  const std::size_t width = source[0].size();
  std::vector<Matrix> all;
  for (std::size_t h = 0; h < heads; ++h) {
    Matrix out = zeros(in.size(), width);
    const auto score = [&](std::size_t i, std::size_t j) {
      double e = 0.0;
      for (std::size_t c = 0; c < width; ++c) {
        e += z[j][h * width + c] * source[h][c] + z[i][h * width + c] * target[h][c];
      }
      return std::exp(e > 0.0 ? e : 0.2 * e);
    };
    for (std::size_t i = 0; i < in.size(); ++i) {
      double total = 0.0;
      for (std::size_t j = 0; j < in.size(); ++j) total += i == j || graph.joined(i, j) ? score(i, j) : 0.0;
      for (std::size_t j = 0; j < in.size(); ++j) {
        if (i != j && !graph.joined(i, j)) continue;
        for (std::size_t c = 0; c < width; ++c) out[i][c] += score(i, j) / total * z[j][h * width + c];
      }
    }
    all.push_back(out);
  }
  return all;
}

TEST(Gat, weighs_neighbours_by_a_soft_max_of_scores) {
  const SmallGraph graph;
  GraphNetwork network = graph_network("gat { hidden: 3 heads: 2 output_heads: 3 }", 9, classes);
  const std::vector<double> p = parameters_of(network);
  const std::vector<Matrix> first = attention_heads(graph, network, p, features_of(graph), "layer1", 2);
  Matrix hidden = zeros(graph.graph.nodes(), 6);
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    for (std::size_t c = 0; c < 6; ++c) hidden[i][c] = first[c / 3][i][c % 3];
  }
  add_bias(hidden, weight(network, p, "layer1.bias"));
  for (auto& row : hidden) {
    for (double& x : row) x = x > 0.0 ? x : std::exp(x) - 1.0;
  }
  Matrix wanted = zeros(graph.graph.nodes(), classes);
  for (const Matrix& head : attention_heads(graph, network, p, hidden, "layer2", 3)) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      for (std::size_t c = 0; c < classes; ++c) wanted[i][c] += head[i][c] / 3.0;
    }
  }
  add_bias(wanted, weight(network, p, "layer2.bias"));

  expect_near(answers(network, graph.graph, p), wanted, 1e-12);
}

TEST(GraphNetwork, reads_scaled_features_without_filling_in_zeros) {
  const SmallGraph graph;
  GraphNetwork network = graph_network("logreg {}", 9, classes);
  const std::vector<double> p = parameters_of(network);
  const std::vector<float> shift = fixtures::normal_values(9, 31), factors = fixtures::normal_values(14, 33);
  std::vector<float> scale = fixtures::normal_values(9, 32);
  Matrix x = features_of(graph);
  for (std::size_t v = 0; v < x.size(); ++v) {
    for (std::size_t f = 0; f < 9; ++f) {
      x[v][f] =
          (x[v][f] - static_cast<double>(shift[f])) * static_cast<double>(scale[f]) * static_cast<double>(factors[v]);
    }
  }
  Matrix wanted = product(x, weight(network, p, "layer1.weight"));
  add_bias(wanted, weight(network, p, "layer1.bias"));

  expect_near(answers(network, graph.graph, p, {.shift = shift, .scale = scale, .row_factors = factors}), wanted, 1e-6);
}

/// Mean cross-entropy of the first nodes, in double.
double loss(GraphNetwork& network, const ReceptiveField& field, std::span<const std::int32_t> labels,
            const std::vector<double>& parameters) {
  std::vector<double> logits(labels.size() * classes);
  network.outputs(std::span<const double>(parameters), field, labels.size(), logits);
  double sum = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    double total = 0.0;
    for (std::size_t c = 0; c < classes; ++c) total += std::exp(logits[i * classes + c]);
    sum += std::log(total) - logits[i * classes + static_cast<std::size_t>(labels[i])];
  }
  return sum / static_cast<double>(labels.size());
}

/// Scaled columns and rows: the longest way back.
struct Scaled {
  std::vector<float> shift = fixtures::normal_values(9, 41), scale = fixtures::normal_values(9, 42),
                     factors = fixtures::normal_values(14, 43);
  FeatureScaling scaling() const { return {.shift = shift, .scale = scale, .row_factors = factors}; }
};

TEST(GraphNetwork, gradient_is_that_of_differences) {
  const SmallGraph graph;
  const Scaled scaled;
  const std::vector<NodeIndex> targets{3, 0, 13, 7, 8};
  const std::vector<std::int32_t> labels{0, 3, 1, 2, 2};
  for (const std::string& text : graph_models()) {
    GraphNetwork network = graph_network(text, 9, classes);
    const ReceptiveField field(graph.graph, scaled.scaling(), targets, network.hops());
    const std::vector<double> p = parameters_of(network);
    const std::vector<float> single(p.begin(), p.end());
    std::vector<float> gradient(p.size());

    const double mean = network.gradient(single, field, labels, gradient);

    EXPECT_NEAR(mean, loss(network, field, labels, p), 1e-5) << text;
    for (std::size_t v = 0; v < p.size(); ++v) {
      std::vector<double> above = p, below = p;
      above[v] += 1e-5;
      below[v] -= 1e-5;
      const double slope = (loss(network, field, labels, above) - loss(network, field, labels, below)) / 2e-5;
      EXPECT_NEAR(gradient[v], slope, 1e-4 * std::max(1.0, std::abs(slope))) << text << " parameter " << v;
    }
  }
}

TEST(GraphNetwork, product_with_the_hessian_is_that_of_differences_and_symmetric) {
  const SmallGraph graph;
  const Scaled scaled;
  const std::vector<NodeIndex> targets{3, 0, 13, 7, 8};
  const std::vector<std::int32_t> labels{0, 3, 1, 2, 2};
  for (const std::string& text : graph_models()) {
    GraphNetwork network = graph_network(text, 9, classes);
    const ReceptiveField field(graph.graph, scaled.scaling(), targets, network.hops());
    const std::vector<double> p = parameters_of(network);
    const std::vector<float> single(p.begin(), p.end());
    const std::vector<float> v = fixtures::normal_values(p.size(), 51), u = fixtures::normal_values(p.size(), 52);
    std::vector<float> hv(p.size()), hu(p.size());

    network.hessian_vector(single, field, labels, v, hv);
    network.hessian_vector(single, field, labels, u, hu);

    // uT H v as the mixed second difference of the loss.
    const auto at = [&](double along_u, double along_v) {
      std::vector<double> moved = p;
      for (std::size_t i = 0; i < p.size(); ++i) {
        moved[i] += along_u * static_cast<double>(u[i]) + along_v * static_cast<double>(v[i]);
      }
      return loss(network, field, labels, moved);
    };
    const double h = 1e-5;  // so small that no unit passes its kink
    const double mixed = (at(h, h) - at(h, -h) - at(-h, h) + at(-h, -h)) / (4.0 * h * h);
    const double uhv = std::inner_product(u.begin(), u.end(), hv.begin(), 0.0);
    const double vhu = std::inner_product(v.begin(), v.end(), hu.begin(), 0.0);
    const double size = std::max(1.0, fixtures::norm(u) * fixtures::norm(hv));
    EXPECT_NEAR(uhv, mixed, 2e-4 * size) << text;
    EXPECT_NEAR(uhv, vhu, 1e-5 * size) << text;
  }
}

TEST(GraphNetwork, a_field_has_the_bits_of_the_whole_graph) {
  const SmallGraph graph(60, 20, true);
  const std::vector<NodeIndex> targets{59, 4, 31, 17};
  for (const std::string& text : graph_models()) {
    GraphNetwork network = graph_network(text, 20, classes);
    const std::vector<double> p = parameters_of(network);
    const std::vector<float> single(p.begin(), p.end());
    std::vector<float> of_all(60 * classes), of_field(targets.size() * classes);
    network.outputs(std::span<const float>(single), ReceptiveField(graph.graph, {}), 60, of_all);

    network.outputs(std::span<const float>(single), ReceptiveField(graph.graph, {}, targets, network.hops()),
                    targets.size(), of_field);

    for (std::size_t i = 0; i < targets.size(); ++i) {
      for (std::size_t c = 0; c < classes; ++c) {
        EXPECT_EQ(of_field[i * classes + c], of_all[targets[i] * classes + c]) << text;
      }
    }
  }
}

TEST(GraphNetwork, a_field_within_some_nodes_has_the_bits_of_a_graph_of_them) {
  const SmallGraph graph(60, 20, true);
  // The nodes with even numbers, and the graph that they are.
  std::vector<NodeIndex> within;
  std::vector<std::uint64_t> edge_offsets{0}, feature_offsets{0};
  std::vector<std::uint32_t> neighbours, columns;
  std::vector<float> values;
  for (std::uint32_t v = 0; v < 60; v += 2) {
    within.push_back(v);
    for (std::size_t e = graph.edge_offsets[v]; e < graph.edge_offsets[v + 1]; ++e) {
      if (graph.neighbours[e] % 2 == 0) neighbours.push_back(graph.neighbours[e] / 2);
    }
    for (std::size_t e = graph.feature_offsets[v]; e < graph.feature_offsets[v + 1]; ++e) {
      columns.push_back(graph.columns[e]);
      values.push_back(graph.values[e]);
    }
    edge_offsets.push_back(neighbours.size());
    feature_offsets.push_back(columns.size());
  }
  const Graph half{.edges = {.offsets = edge_offsets, .columns = neighbours, .values = {}, .width = 30},
                   .features = {.offsets = feature_offsets, .columns = columns, .values = values, .width = 20},
                   .train_nodes = {},
                   .test_nodes = {}};
  const std::vector<NodeIndex> targets{58, 4, 30};
  for (const std::string& text : graph_models()) {
    GraphNetwork network = graph_network(text, 20, classes);
    const std::vector<double> p = parameters_of(network);
    const std::vector<float> single(p.begin(), p.end());
    std::vector<float> of_half(30 * classes), of_field(targets.size() * classes);
    network.outputs(std::span<const float>(single), ReceptiveField(half, {}), 30, of_half);

    network.outputs(std::span<const float>(single), ReceptiveField(graph.graph, {}, targets, network.hops(), within),
                    targets.size(), of_field);

    for (std::size_t i = 0; i < targets.size(); ++i) {
      for (std::size_t c = 0; c < classes; ++c) {
        EXPECT_EQ(of_field[i * classes + c], of_half[targets[i] / 2 * classes + c]) << text;
      }
    }
  }
}

TEST(GraphNetwork, drops_only_where_it_is_told_and_by_the_stream) {
  const SmallGraph graph(60, 20, false);
  std::vector<std::int32_t> labels(60);
  for (std::size_t i = 0; i < 60; ++i) labels[i] = static_cast<std::int32_t>(i % classes);
  for (const char* text : {"gcn { hidden: 6 dropout: 0.5 }", "gat { hidden: 3 heads: 2 dropout: 0.6 }"}) {
    GraphNetwork network = graph_network(text, 20, classes);
    const std::vector<double> p = parameters_of(network);
    const std::vector<float> single(p.begin(), p.end());
    const ReceptiveField field(graph.graph, {});
    const auto gradient = [&](std::optional<std::uint32_t> lane) {
      std::vector<float> values(p.size());
      Stream random = fixtures::stream(lane.value_or(0));
      network.gradient(single, field, labels, values, lane ? &random : nullptr);
      return values;
    };

    EXPECT_EQ(gradient(std::nullopt), gradient(std::nullopt));
    EXPECT_EQ(gradient(1), gradient(1)) << text;
    EXPECT_NE(gradient(1), gradient(2)) << text;
    EXPECT_NE(gradient(1), gradient(std::nullopt)) << text;
  }
}

TEST(GraphNetwork, scales_up_what_is_kept) {
  const SmallGraph graph(60, 20, false);
  std::vector<std::int32_t> labels(60);
  for (std::size_t i = 0; i < 60; ++i) labels[i] = static_cast<std::int32_t>(i % classes);
  GraphNetwork network = graph_network("gcn { hidden: 6 dropout: 0.2 }", 20, classes);
  const std::vector<double> p = parameters_of(network);
  const std::vector<float> single(p.begin(), p.end());
  const ReceptiveField field(graph.graph, {});
  std::vector<float> whole(p.size()), one(p.size());
  network.gradient(single, field, labels, whole);
  // Of one draw, the part along the gradient without any: kept values that were not scaled up would leave .8 of
  // features and of hidden values each.
  constexpr std::uint32_t draws = 1000;
  double along = 0.0, square = 0.0;
  for (const float value : whole) square += static_cast<double>(value) * static_cast<double>(value);
  for (std::uint32_t lane = 0; lane < draws; ++lane) {
    Stream random = fixtures::stream(lane + 1);
    network.gradient(single, field, labels, one, &random);
    along += std::inner_product(one.begin(), one.end(), whole.begin(), 0.0) / draws;
  }

  EXPECT_NEAR(along / square, 1.0, 0.25);
}

TEST(GraphNetwork, refuses_networks_of_rows_by_name) {
  try {
    make_graph_architecture(fixtures::model("lenet5 {}"), {.features = 9, .classes = 4});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("task.model.lenet5"));
    EXPECT_THAT(error.what(), HasSubstr("nodes of a graph"));
  }
  try {
    make_architecture(fixtures::model("gcn {}"), fixtures::shape(1, 28, 28, 10));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("task.model.gcn"));
  }
}

}  // namespace
}  // namespace souk::graph_network_test
