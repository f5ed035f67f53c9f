#include "scenarios/graph_models.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/graphs/gcn.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {
namespace {

using namespace graph_parts;

class SgcLayer final : public OneWeightLayer<SgcLayer> {
 public:
  SgcLayer(std::size_t outputs, std::size_t hops) : OneWeightLayer(outputs), hops_(hops) {}
  std::size_t hops() const override { return hops_; }
  std::optional<LinearForm> linear_form(const ReceptiveField& field, std::size_t rows) const override {
    return LinearForm{.edges = gcn_weights<double>(GcnNormalization::symmetric, field, rows), .hops = hops_};
  }
  std::optional<NormalizedForm> normalized_form() const override {
    return NormalizedForm{.hops = hops_, .bias = bias()};
  }
  double forward_flops(const LayerSize& size) const override {
    return product_flops(size, inputs_, outputs_) + static_cast<double>(hops_) * gather_flops(size, outputs_);
  }

  template <class T>
  void run(const LayerPass<T>& pass) const {
    T* values = keep(pass.kept, 0, pass.rows_in * outputs_);
    T* next = keep(pass.kept, 1, pass.rows_in * outputs_);
    multiply(pass.in, pass.parameters, pass.rows_in, outputs_, values);
    const auto how = weights<T>(pass);
    for (std::size_t hop = 1; hop <= hops_; ++hop) {
      T* out = hop == hops_ ? pass.out : next;
      gather(how, pass.field, rows_at(pass, hop - 1), rows_at(pass, hop), outputs_, values, out);
      next = values;
      values = out;
    }
    add_bias(pass.parameters + bias(), pass.rows_out, outputs_, pass.out);
  }
  template <class T>
  void unwind(const LayerReturn<T>& back) const {
    const LayerPass<T>& pass = back.pass;
    unwind_bias(back.d_out, pass.rows_out, outputs_, back.d_parameters + bias());
    const auto how = weights<T>(pass);
    const T* d_values = back.d_out;
    T* d_next = keep(pass.kept, 0, pass.rows_in * outputs_);
    T* other = keep(pass.kept, 1, pass.rows_in * outputs_);
    for (std::size_t hop = hops_; hop > 0; --hop) {
      unwind_gather(how, pass.field, rows_at(pass, hop - 1), rows_at(pass, hop), outputs_, d_values, d_next);
      d_values = d_next;
      std::swap(d_next, other);
    }
    unwind_multiply(pass.in, pass.parameters, pass.rows_in, outputs_, d_values, back.d_parameters, back.d_in);
  }

 private:
  /// Nodes whose values after so many hops are needed for the layer's answers.
  template <class T>
  std::size_t rows_at(const LayerPass<T>& pass, std::size_t hop) const {
    if (hop == 0) return pass.rows_in;
    return hop == hops_ ? pass.rows_out : std::max(pass.rows_out, pass.field.reach(hops_ - hop));
  }
  template <class T>
  EdgeFactors<Scalar<T>> weights(const LayerPass<T>& pass) const {
    return gcn_weights<Scalar<T>>(GcnNormalization::symmetric, pass.field, pass.rows_in);
  }

  std::size_t hops_;
};

class SgcFamily final : public GraphModelFamily {
 public:
  explicit SgcFamily(const scenario::Sgc& config) : hops_(config.hops()) {}
  GraphArchitecture build(const GraphModelShape& shape) const override {
    GraphArchitecture network{.name = "sgc", .layers = {}};
    network.layers.push_back(std::make_unique<SgcLayer>(shape.classes, hops_));
    return network;
  }

 private:
  std::size_t hops_;
};

const Register<GraphModelFamily, SgcFamily, scenario::Sgc> register_sgc_family;

}  // namespace
}  // namespace souk
