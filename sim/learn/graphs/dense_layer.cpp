#include "sim/learn/graphs/dense_layer.hpp"

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {
namespace {

using namespace graph_parts;

class DenseLayer final : public OneWeightLayer<DenseLayer> {
 public:
  using OneWeightLayer::OneWeightLayer;
  std::size_t hops() const override { return 0; }
  std::optional<LinearForm> linear_form(const ReceptiveField&, std::size_t) const override {
    return LinearForm{.edges = {}, .hops = 0};
  }
  std::optional<NormalizedForm> normalized_form() const override { return NormalizedForm{.hops = 0, .bias = bias()}; }
  double forward_flops(const LayerSize& size) const override { return product_flops(size, inputs_, outputs_); }

  template <class T>
  void run(const LayerPass<T>& pass) const {
    multiply(pass.in, pass.parameters, pass.rows_out, outputs_, pass.out);
    add_bias(pass.parameters + bias(), pass.rows_out, outputs_, pass.out);
  }
  template <class T>
  void unwind(const LayerReturn<T>& back) const {
    const LayerPass<T>& pass = back.pass;
    unwind_bias(back.d_out, pass.rows_out, outputs_, back.d_parameters + bias());
    unwind_multiply(pass.in, pass.parameters, pass.rows_out, outputs_, back.d_out, back.d_parameters, back.d_in);
  }
};

/// The same networks that rows of tables have, on the features of nodes: what a graph adds shows beside them.
class NodeMlp final : public GraphModelFamily {
 public:
  explicit NodeMlp(const scenario::Mlp& config) : hidden_(config.hidden().begin(), config.hidden().end()) {
    if (hidden_.empty()) hidden_ = {200, 200};
  }
  GraphArchitecture build(const GraphModelShape& shape) const override {
    GraphArchitecture network{.name = "mlp", .layers = {}};
    for (const std::size_t width : hidden_) network.layers.push_back(dense_layer(width));
    network.layers.push_back(dense_layer(shape.classes));
    return network;
  }

 private:
  std::vector<std::size_t> hidden_;
};

class NodeLogReg final : public GraphModelFamily {
 public:
  explicit NodeLogReg(const scenario::LogReg&) {}
  GraphArchitecture build(const GraphModelShape& shape) const override {
    GraphArchitecture network{.name = "logreg", .layers = {}};
    network.layers.push_back(dense_layer(shape.classes));
    return network;
  }
};

const Register<GraphModelFamily, NodeMlp, scenario::Mlp> registered_mlp;
const Register<GraphModelFamily, NodeLogReg, scenario::LogReg> registered_logreg;

}  // namespace

std::unique_ptr<Convolution> dense_layer(std::size_t outputs) { return std::make_unique<DenseLayer>(outputs); }

}  // namespace souk
