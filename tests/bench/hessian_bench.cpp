// What a product with the Hessian costs in gradients of the same batch: chains by our kernels and by LibTorch's double
// backward pass, other networks by LibTorch, graph networks in dual numbers. Processor time, medians of gradients and
// products that take turns. One core: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 build/bench/hessian_bench

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <cblas.h>
#include <google/protobuf/text_format.h>

#include "scenarios/learning.pb.h"
#include "sim/base/random.hpp"
#include "sim/data/graphs/graph.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/chain_network.hpp"
#include "sim/learn/graphs/graph_network.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/torch_network.hpp"
#include "tests/bench/in_turns.hpp"

namespace souk {
namespace {

constexpr std::size_t samples = 32;

Stream stream(std::uint16_t lane) { return Stream(1, StreamKey{Purpose::dataset, nobody, RoundIndex{0}, lane}); }

std::vector<float> random_values(std::size_t size, std::uint16_t lane) {
  Stream random = stream(lane);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

scenario::Model model_of(const std::string& name) {
  scenario::Model model;
  google::protobuf::TextFormat::ParseFromString(name + " {}", &model);
  return model;
}

/// By which network products are, and of what: the gradient is that of make_network.
struct ProductKind {
  bool by_torch = false;
  bool of_everything = false;  ///< of the gradients in the inputs and in soft labels as well
};

void compare_rows(benchmark::State& state, const std::string& name, const ModelShape& shape, ProductKind kind) {
  const auto network = make_network(model_of(name), shape, "cpu");
  const auto torch =
      make_torch_network(make_architecture(model_of(name), shape), "cpu", make_objective({}, shape.classes > 0));
  Network& second_order = kind.by_torch ? *torch : *network;
  std::vector<float> parameters(network->layout().dimension()), gradient(network->layout().trainable());
  Stream random = stream(1);
  network->initialise(random, parameters);
  auto features = random_values(samples * shape.inputs(), 2);
  if (shape.vocabulary > 0) {
    for (float& token : features)
      token = static_cast<float>(random.below(static_cast<std::uint32_t>(shape.vocabulary)));
  }
  std::vector<std::int32_t> labels(samples);
  for (std::size_t i = 0; i < samples; ++i) labels[i] = static_cast<std::int32_t>(i) % shape.classes;
  const Batch batch{.features = features, .labels = labels, .samples = samples};
  const auto direction = random_values(gradient.size(), 3);
  auto product = gradient, of_features = features;
  std::vector<float> of_shares(samples * shape.outputs());
  DirectionalGradients asked{.trainable = product};
  if (kind.of_everything) asked = {.trainable = product, .features = of_features, .shares = of_shares};
  compare(
      state, [&] { network->gradient(parameters, batch, gradient); },
      [&] { second_order.directional(parameters, batch, direction, asked); });
}

/// As large as Cora: 2,708 nodes, 5,278 edges, 1,433 features of which a node has 18.
struct Citations {
  static constexpr std::size_t nodes = 2708, links = 5278, features = 1433, features_of_node = 18, classes = 7;

  Citations() {
    Stream random = stream(4);
    const auto draw = [&](std::size_t below) { return random.below(static_cast<std::uint32_t>(below)); };
    std::set<std::pair<NodeIndex, NodeIndex>> edges;
    while (edges.size() < 2 * links) {
      const NodeIndex a = draw(nodes), b = draw(nodes);
      if (a == b) continue;
      edges.insert({a, b});
      edges.insert({b, a});
    }
    for (const auto& [a, b] : edges) {
      while (edge_offsets.size() <= a) edge_offsets.push_back(neighbours.size());
      neighbours.push_back(b);
    }
    while (edge_offsets.size() <= nodes) edge_offsets.push_back(neighbours.size());
    for (std::size_t v = 0; v < nodes; ++v) {
      feature_offsets.push_back(columns.size());
      std::set<std::uint32_t> words;
      while (words.size() < features_of_node) words.insert(draw(features));
      columns.insert(columns.end(), words.begin(), words.end());
      labels.push_back(static_cast<std::int32_t>(draw(classes)));
    }
    feature_offsets.push_back(columns.size());
  }
  Graph graph() const {
    return {.edges = {.offsets = edge_offsets, .columns = neighbours, .values = {}, .width = nodes},
            .features = {.offsets = feature_offsets, .columns = columns, .values = {}, .width = features},
            .train_nodes = {},
            .test_nodes = {}};
  }
  std::vector<std::uint64_t> edge_offsets, feature_offsets;
  std::vector<NodeIndex> neighbours;
  std::vector<std::uint32_t> columns;
  std::vector<std::int32_t> labels;
};

void compare_graph(benchmark::State& state, const std::string& name) {
  const Citations citations;
  const Graph graph = citations.graph();
  const GraphModelShape shape{.features = Citations::features, .classes = Citations::classes};
  GraphNetwork network(make_graph_architecture(model_of(name), shape), shape, make_objective({}, true));
  const ReceptiveField all(graph, {});
  std::vector<float> parameters(network.layout().dimension()), gradient(network.layout().trainable());
  Stream random = stream(1);
  network.initialise(random, parameters);
  const auto direction = random_values(gradient.size(), 3);
  auto product = gradient;
  compare(
      state, [&] { network.gradient(parameters, all, citations.labels, gradient); },
      [&] { network.hessian_vector(parameters, all, citations.labels, direction, product); });
}

void register_all() {
  const auto add = [](const std::string& name, const std::function<void(benchmark::State&)>& run) {
    benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMillisecond);
  };
  const ModelShape grey{.input = {1, 28, 28}, .classes = 10}, colour{.input = {3, 32, 32}, .classes = 10};
  const ModelShape texts{.input = {64, 1, 1}, .classes = 4, .vocabulary = 10000};
  const std::vector<std::pair<std::string, ModelShape>> rows{
      {"logreg", grey}, {"mlp", grey},         {"lenet5", grey},     {"cnn_small", grey},
      {"cnn", grey},    {"cnn_cifar", colour}, {"resnet20", colour}, {"text_cnn", texts}};
  for (const auto& [name, shape] : rows) {
    const bool chain = is_chain(make_architecture(model_of(name), shape));
    const auto add_rows = [&](const char* kind_name, ProductKind kind) {
      add(name + kind_name, [=](benchmark::State& state) { compare_rows(state, name, shape, kind); });
    };
    if (chain) add_rows("/ours", {});
    add_rows("/torch", {.by_torch = true});
    if (shape.vocabulary > 0) continue;  // nobody moves words a little
    if (chain) add_rows("/ours_everything", {.of_everything = true});
    add_rows("/torch_everything", {.by_torch = true, .of_everything = true});
  }
  for (const std::string name : {"gcn", "sage", "gat", "gin", "sgc"}) {
    add(name + "/dual", [=](benchmark::State& state) { compare_graph(state, name); });
  }
}

}  // namespace
}  // namespace souk

int main(int argc, char** argv) {
  openblas_set_num_threads(1);
  souk::register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
