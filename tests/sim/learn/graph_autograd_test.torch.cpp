// Gradients of graph networks beside LibTorch's, on full matrices.
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "tests/sim/learn/graph_fixtures.hpp"

namespace souk::graph_autograd_test {
namespace {

using fixtures::graph_network;
using fixtures::SmallGraph;

constexpr std::size_t features = 9, classes = 4;

/// Parameters by name, as LibTorch sees them.
class Named {
 public:
  Named(const GraphNetwork& network, std::vector<float>& values) : layout_(network.layout()) {
    for (const Slot& slot : layout_.slots()) {
      at::Tensor tensor = at::from_blob(values.data() + slot.offset, slot.shape, at::kFloat).clone();
      tensors_.push_back(tensor.set_requires_grad(true));
    }
  }
  const at::Tensor& operator[](const std::string& name) const {
    for (std::size_t s = 0; s < tensors_.size(); ++s) {
      if (layout_.slots()[s].name == name) return tensors_[s];
    }
    throw std::runtime_error("no parameter " + name);
  }
  std::vector<float> gradients() const {
    std::vector<float> all(layout_.dimension());
    for (std::size_t s = 0; s < tensors_.size(); ++s) {
      const at::Tensor gradient = tensors_[s].grad().contiguous();
      std::copy_n(gradient.data_ptr<float>(), gradient.numel(),
                  all.begin() + static_cast<std::ptrdiff_t>(layout_.slots()[s].offset));
    }
    return all;
  }

 private:
  const ParameterLayout& layout_;
  std::vector<at::Tensor> tensors_;
};

struct Matrices {
  explicit Matrices(const SmallGraph& graph) {
    const auto n = static_cast<std::int64_t>(graph.graph.nodes());
    joined = at::zeros({n, n});
    x = at::zeros({n, static_cast<std::int64_t>(features)});
    for (std::size_t i = 0; i < graph.graph.nodes(); ++i) {
      for (std::size_t j = 0; j < graph.graph.nodes(); ++j) {
        if (graph.joined(i, j)) joined.data_ptr<float>()[i * graph.graph.nodes() + j] = 1.0F;
      }
      for (std::size_t f = 0; f < features; ++f)
        x.data_ptr<float>()[i * features + f] = static_cast<float>(graph.feature(i, f));
    }
    itself = at::zeros({n, n});
    itself.fill_diagonal_(1.0);
    const at::Tensor loops = joined + itself;
    const at::Tensor root = loops.sum(1).rsqrt();
    symmetric = root.unsqueeze(1) * loops * root.unsqueeze(0);
    mean = joined / joined.sum(1).clamp_min(1.0).unsqueeze(1);
  }
  at::Tensor joined, itself, symmetric, mean, x;
};

at::Tensor attention(const Matrices& m, const Named& p, const at::Tensor& in, const std::string& layer, bool averaged) {
  const at::Tensor source = p[layer + ".source"], target = p[layer + ".target"];
  const std::int64_t heads = source.size(0), width = source.size(1);
  const at::Tensor z = in.matmul(p[layer + ".weight"]).reshape({-1, heads, width});
  std::vector<at::Tensor> outs;
  for (std::int64_t h = 0; h < heads; ++h) {
    const at::Tensor of_head = z.select(1, h);
    const at::Tensor score = of_head.matmul(target[h]).unsqueeze(1) + of_head.matmul(source[h]).unsqueeze(0);
    const at::Tensor barred = (1.0 - m.joined - m.itself) * -1e30;
    outs.push_back(at::softmax(at::leaky_relu(score, 0.2) + barred, 1).matmul(of_head));
  }
  at::Tensor out = outs[0];
  if (averaged) {
    for (std::size_t h = 1; h < outs.size(); ++h) out = out + outs[h];
    out = out / static_cast<double>(heads);
  } else {
    out = at::cat(outs, 1);
  }
  return out + p[layer + ".bias"];
}

using Forward = std::function<at::Tensor(const Matrices&, const Named&)>;

const std::vector<std::pair<std::string, Forward>>& networks() {
  static const std::vector<std::pair<std::string, Forward>> all{
      {"gcn { hidden: 6 }",
       [](const Matrices& m, const Named& p) {
         const at::Tensor h = at::relu(m.symmetric.matmul(m.x.matmul(p["layer1.weight"])) + p["layer1.bias"]);
         return m.symmetric.matmul(h.matmul(p["layer2.weight"])) + p["layer2.bias"];
       }},
      {"sage { hidden: 6 }",
       [](const Matrices& m, const Named& p) {
         const auto layer = [&](const at::Tensor& in, const std::string& l) {
           return m.mean.matmul(in).matmul(p[l + ".neighbours"]) + in.matmul(p[l + ".self"]) + p[l + ".bias"];
         };
         return layer(at::relu(layer(m.x, "layer1")), "layer2");
       }},
      {"gin { hidden: 6 }",
       [](const Matrices& m, const Named& p) {
         const auto layer = [&](const at::Tensor& in, const std::string& l) {
           const at::Tensor h =
               at::relu((m.joined + m.itself).matmul(in).matmul(p[l + ".first"]) + p[l + ".first_bias"]);
           return h.matmul(p[l + ".second"]) + p[l + ".second_bias"];
         };
         return layer(at::relu(layer(m.x, "layer1")), "layer2");
       }},
      {"gat { hidden: 3 heads: 2 output_heads: 3 }",
       [](const Matrices& m, const Named& p) {
         return attention(m, p, at::elu(attention(m, p, m.x, "layer1", false)), "layer2", true);
       }},
  };
  return all;
}

TEST(GraphNetwork, has_the_gradient_of_autograd) {
  const SmallGraph graph;
  const Matrices matrices(graph);
  std::vector<std::int32_t> labels;
  std::vector<std::int64_t> wide;
  for (std::size_t i = 0; i < graph.graph.nodes(); ++i) {
    labels.push_back(static_cast<std::int32_t>(i * 5 % classes));
    wide.push_back(labels.back());
  }
  const at::Tensor targets = at::from_blob(wide.data(), {static_cast<std::int64_t>(wide.size())}, at::kLong).clone();
  for (const auto& [text, forward] : networks()) {
    GraphNetwork network = graph_network(text, features, classes);
    std::vector<float> parameters = fixtures::normal_values(network.layout().dimension(), 61);
    const Named named(network, parameters);
    const at::Tensor loss = at::cross_entropy_loss(forward(matrices, named), targets);
    loss.backward();
    std::vector<float> gradient(parameters.size());

    const double mean = network.gradient(parameters, ReceptiveField(graph.graph, {}), labels, gradient);

    EXPECT_NEAR(mean, loss.item<double>(), 1e-5) << text;
    EXPECT_LT(fixtures::relative_distance(gradient, named.gradients()), 1e-4) << text;
  }
}

}  // namespace
}  // namespace souk::graph_autograd_test
