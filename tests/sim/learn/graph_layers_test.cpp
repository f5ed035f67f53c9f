// Every layer of graph networks in double: its way back and products with the Hessian, against differences.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::graph_layers_test {
namespace {

using fixtures::SmallGraph;

constexpr std::size_t inputs = 9;

/// The first layer of a network, and half the sum of squares of its answers as a function of its parameters.
class Layer {
 public:
  explicit Layer(const std::string& text)
      : architecture_(make_graph_architecture(fixtures::model(text), {.features = inputs, .classes = 4})),
        layer_(*architecture_.layers.front()),
        width_(layer_.place(inputs)),
        field_(graph_.graph, {.shift = shift_, .scale = scale_, .row_factors = factors_}) {
    for (const Slot& slot : layer_.slots("layer")) {
      std::size_t values = 1;
      for (const std::int64_t extent : slot.shape) values *= static_cast<std::size_t>(extent);
      size_ += values;
    }
  }
  std::size_t size() const { return size_; }

  template <class T>
  std::vector<T> gradient(const std::vector<T>& parameters) {
    std::vector<std::vector<T>> kept;
    std::vector<T> out(graph_.graph.nodes() * width_), d(size_);
    const LayerPass<T> pass{.field = field_,
                            .rows_in = graph_.graph.nodes(),
                            .rows_out = graph_.graph.nodes(),
                            .in = {.features = &field_.features(), .scaling = &field_.scaling(), .width = inputs},
                            .parameters = parameters.data(),
                            .out = out.data(),
                            .kept = kept};
    layer_.forward(pass);
    loss_ = 0.0;
    for (const T& value : out) loss_ += 0.5 * value_of(value) * value_of(value);
    layer_.backward(LayerReturn<T>{.pass = pass, .d_out = out.data(), .d_parameters = d.data(), .d_in = nullptr});
    return d;
  }
  double loss(const std::vector<double>& parameters) {
    gradient(parameters);
    return loss_;
  }

 private:
  SmallGraph graph_;
  std::vector<float> shift_ = fixtures::normal_values(inputs, 41), scale_ = fixtures::normal_values(inputs, 42),
                     factors_ = fixtures::normal_values(14, 43);
  GraphArchitecture architecture_;
  Convolution& layer_;
  std::size_t width_, size_ = 0;
  ReceptiveField field_;
  double loss_ = 0.0;
};

std::vector<double> normal_doubles(std::size_t size, std::uint32_t lane) {
  const std::vector<float> drawn = fixtures::normal_values(size, lane);
  return {drawn.begin(), drawn.end()};
}

std::vector<double> moved(const std::vector<double>& from, double step, const std::vector<double>& along) {
  std::vector<double> to = from;
  for (std::size_t v = 0; v < to.size(); ++v) to[v] += step * along[v];
  return to;
}

TEST(GraphLayers, in_double_have_the_gradient_of_differences) {
  for (const std::string& text : fixtures::graph_models()) {
    Layer layer(text);
    const std::vector<double> p = normal_doubles(layer.size(), 71), along = normal_doubles(layer.size(), 72);
    const std::vector<double> d = layer.gradient(p);
    double slope = 0.0;
    for (std::size_t v = 0; v < d.size(); ++v) slope += d[v] * along[v];

    const double h = 1e-6;
    const double wanted = (layer.loss(moved(p, h, along)) - layer.loss(moved(p, -h, along))) / (2.0 * h);

    EXPECT_NEAR(slope, wanted, 1e-7 * std::max(1.0, std::abs(wanted))) << text;
  }
}

TEST(GraphLayers, in_double_have_the_products_with_the_hessian_of_differences) {
  for (const std::string& text : fixtures::graph_models()) {
    Layer layer(text);
    const std::vector<double> p = normal_doubles(layer.size(), 71), along = normal_doubles(layer.size(), 72);
    std::vector<Dual<double>> dual;
    for (std::size_t v = 0; v < p.size(); ++v) dual.emplace_back(p[v], along[v]);
    const std::vector<Dual<double>> product = layer.gradient(dual);

    const double h = 1e-5;
    const std::vector<double> above = layer.gradient(moved(p, h, along)), below = layer.gradient(moved(p, -h, along));

    double error = 0.0, size = 0.0;
    for (std::size_t v = 0; v < p.size(); ++v) {
      const double wanted = (above[v] - below[v]) / (2.0 * h);
      error += (product[v].slope - wanted) * (product[v].slope - wanted);
      size += wanted * wanted;
    }
    EXPECT_LT(std::sqrt(error / size), 1e-7) << text;
  }
}

}  // namespace
}  // namespace souk::graph_layers_test
