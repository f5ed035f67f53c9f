// Derivatives of the loss by weights of edges, against differences of the loss of a dense network with weighted edges.
#include "sim/learn/graphs/edge_slopes.hpp"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::edge_slopes_test {
namespace {

using fixtures::SmallGraph;
using Matrix = std::vector<std::vector<double>>;

constexpr std::size_t features = 9, classes = 3;

/// The network by its formula, over a dense matrix of weighted edges: nothing of it is the library's.
class DenseNetwork {
 public:
  DenseNetwork(const std::string& model, const GraphNetwork& network, const std::vector<float>& parameters)
      : network_(network), parameters_(parameters), elu_(model.find("ELU") != std::string::npos) {}

  /// Mean cross-entropy of these nodes.
  double loss(const Matrix& edges, const Matrix& inputs, const std::vector<NodeIndex>& nodes,
              const std::vector<std::int32_t>& labels) const {
    Matrix values = inputs;
    for (std::size_t l = 0; l < network_.widths().size(); ++l) {
      values = layer(edges, values, l);
      const bool last = l + 1 == network_.widths().size();
      for (auto& row : values) {
        for (double& x : row) {
          if (!last && x < 0) x = elu_ ? std::exp(x) - 1 : 0.0;
        }
      }
    }
    double sum = 0.0;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      double all = 0.0;
      for (const double x : values[nodes[i]]) all += std::exp(x);
      sum += std::log(all) - values[nodes[i]][static_cast<std::size_t>(labels[i])];
    }
    return sum / static_cast<double>(nodes.size());
  }

 private:
  Matrix layer(const Matrix& edges, const Matrix& in, std::size_t l) const {
    const std::size_t n = in.size(), inputs = in[0].size(), outputs = network_.widths()[l];
    const float* weight = parameters_.data() + network_.offsets()[l];
    Matrix out(n, std::vector<double>(outputs));
    for (std::size_t v = 0; v < n; ++v) {
      for (std::size_t i = 0; i < inputs; ++i) {
        for (std::size_t o = 0; o < outputs; ++o) out[v][o] += in[v][i] * static_cast<double>(weight[i * outputs + o]);
      }
    }
    for (std::size_t hop = 0; hop < network_.architecture().layers[l]->hops(); ++hop) out = spread(edges, out);
    for (auto& row : out) {
      for (std::size_t o = 0; o < outputs; ++o) row[o] += static_cast<double>(weight[inputs * outputs + o]);
    }
    return out;
  }
  static Matrix spread(const Matrix& edges, const Matrix& in) {
    const std::size_t n = in.size();
    std::vector<double> root(n);
    for (std::size_t v = 0; v < n; ++v) {
      double degree = 1.0;
      for (const double x : edges[v]) degree += x;
      root[v] = 1.0 / std::sqrt(degree);
    }
    Matrix out(n, std::vector<double>(in[0].size()));
    for (std::size_t v = 0; v < n; ++v) {
      for (std::size_t w = 0; w < n; ++w) {
        const double weight = root[v] * root[w] * (edges[v][w] + (v == w ? 1.0 : 0.0));
        for (std::size_t c = 0; c < in[0].size(); ++c) out[v][c] += weight * in[w][c];
      }
    }
    return out;
  }

  const GraphNetwork& network_;
  const std::vector<float>& parameters_;
  bool elu_;
};

/// Compares all pairs of the nodes that are not joined; returns how many there are.
std::size_t compare(const std::string& model, bool alone) {
  const std::size_t n = 14;
  const SmallGraph small(n, features);
  const GraphNetwork network = fixtures::graph_network(model, features, classes);
  std::vector<float> parameters = fixtures::normal_values(network.layout().dimension(), 5);
  const std::vector<NodeIndex> nodes{0, 2, 3, 5, 8, 9, 12, 13};
  const std::vector<std::int32_t> labels{0, 1, 2, 0, 2, 1, 1, 0};
  const auto is_seen = [&](std::size_t v) { return !alone || std::ranges::find(nodes, v) != nodes.end(); };
  Matrix edges(n, std::vector<double>(n)), inputs(n, std::vector<double>(features));
  for (std::size_t v = 0; v < n; ++v) {
    for (std::size_t w = 0; w < n; ++w) edges[v][w] = small.joined(v, w) && is_seen(v) && is_seen(w) ? 1.0 : 0.0;
    for (std::size_t f = 0; f < features; ++f) inputs[v][f] = small.feature(v, f);
  }
  const ReceptiveField field(small.graph, FeatureScaling(), nodes, network.hops(),
                             alone ? std::span<const NodeIndex>(nodes) : std::span<const NodeIndex>());
  const EdgeSlopes slopes(network, *make_objective({}, true), parameters, field, nodes, labels);
  const DenseNetwork dense(model, network, parameters);
  std::size_t pairs = 0;
  for (const NodeIndex a : nodes) {
    for (const NodeIndex b : nodes) {
      if (a >= b || edges[a][b] > 0.0) continue;
      const auto loss = [&](double weight) {
        Matrix edited = edges;
        edited[a][b] = edited[b][a] = weight;
        return dense.loss(edited, inputs, nodes, labels);
      };
      const double step = 1e-5, expected = (loss(step) - loss(-step)) / (2.0 * step);
      // Derivatives by logits are single.
      EXPECT_NEAR(slopes.of(a, b), expected, 1e-6 + 1e-5 * std::abs(expected)) << model << " " << a << " " << b;
      EXPECT_EQ(slopes.of(a, b), slopes.of(b, a));
      ++pairs;
    }
  }
  return pairs;
}

TEST(EdgeSlopes, are_differences_of_the_loss) {
  for (const char* model : {"gcn { hidden: 6 }", "gcn { hidden: [6, 5] activation: ELU }", "sgc { hops: 1 }",
                            "sgc { hops: 3 }", "gcn { hidden: [7, 6, 5] }"}) {
    EXPECT_GT(compare(model, false), 10U);
    EXPECT_GT(compare(model, true), 10U);
  }
}

TEST(EdgeSlopes, exist_for_one_way_of_weighing_neighbours) {
  for (const std::string& model : fixtures::graph_models()) {
    const bool symmetric = model == "gcn { hidden: 6 }" || model.starts_with("sgc") || model.starts_with("mlp") ||
                           model.starts_with("logreg");
    EXPECT_EQ(EdgeSlopes::has(fixtures::graph_network(model, features, classes).architecture()), symmetric) << model;
  }
}

}  // namespace
}  // namespace souk::edge_slopes_test
