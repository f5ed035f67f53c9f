#include "sim/learn/graphs/gcn.hpp"

#include <cmath>

#include "scenarios/graph_models.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {

template <class S>
EdgeFactors<S> gcn_weights(GcnNormalization normalization, const ReceptiveField& field, std::size_t rows) {
  const bool loops = normalization == GcnNormalization::symmetric;
  EdgeFactors<S> how;
  how.at.resize(rows);
  if (normalization != GcnNormalization::without_self) how.own.assign(rows, S{1});
  for (std::size_t i = 0; i < rows; ++i) {
    const S degree = static_cast<S>(field.degrees()[i]) + (loops ? S{1} : S{0});
    how.at[i] = degree > S{0} ? S{1} / std::sqrt(degree) : S{0};
    if (loops) how.own[i] = S{1} / degree;
  }
  how.from = how.at;
  return how;
}

template EdgeFactors<float> gcn_weights<float>(GcnNormalization, const ReceptiveField&, std::size_t);
template EdgeFactors<double> gcn_weights<double>(GcnNormalization, const ReceptiveField&, std::size_t);

namespace {

using namespace graph_parts;

class GcnLayer final : public OneWeightLayer<GcnLayer> {
 public:
  GcnLayer(std::size_t outputs, GcnNormalization normalization)
      : OneWeightLayer(outputs), normalization_(normalization) {}
  double forward_flops(const LayerSize& size) const override {
    return product_flops(size, inputs_, outputs_) + gather_flops(size, outputs_);
  }

  std::optional<LinearForm> linear_form(const ReceptiveField& field, std::size_t rows) const override {
    return LinearForm{.edges = gcn_weights<double>(normalization_, field, rows)};
  }
  std::optional<NormalizedForm> normalized_form() const override {
    if (normalization_ != GcnNormalization::symmetric) return std::nullopt;
    return NormalizedForm{.bias = bias()};
  }

  // Multiplied first: an edge then carries outputs and not inputs.
  template <class T>
  void run(const LayerPass<T>& pass) const {
    T* products = keep(pass.kept, 0, pass.rows_in * outputs_);
    multiply(pass.in, pass.parameters, pass.rows_in, outputs_, products);
    gather(weights<T>(pass), pass.field, pass.rows_in, pass.rows_out, outputs_, products, pass.out);
    add_bias(pass.parameters + bias(), pass.rows_out, outputs_, pass.out);
  }
  template <class T>
  void unwind(const LayerReturn<T>& back) const {
    const LayerPass<T>& pass = back.pass;
    T* d_products = keep(pass.kept, 0, pass.rows_in * outputs_);
    unwind_bias(back.d_out, pass.rows_out, outputs_, back.d_parameters + bias());
    unwind_gather(weights<T>(pass), pass.field, pass.rows_in, pass.rows_out, outputs_, back.d_out, d_products);
    unwind_multiply(pass.in, pass.parameters, pass.rows_in, outputs_, d_products, back.d_parameters, back.d_in);
  }

 private:
  template <class T>
  EdgeFactors<Scalar<T>> weights(const LayerPass<T>& pass) const {
    return gcn_weights<Scalar<T>>(normalization_, pass.field, pass.rows_in);
  }

  GcnNormalization normalization_;
};

GcnNormalization normalization_of(scenario::Gcn::Normalization normalization) {
  switch (normalization) {
    case scenario::Gcn::SYMMETRIC:
      return GcnNormalization::symmetric;
    case scenario::Gcn::PLUS_IDENTITY:
      return GcnNormalization::plus_identity;
    case scenario::Gcn::WITHOUT_SELF:
      break;
  }
  return GcnNormalization::without_self;
}

class GcnFamily final : public GraphModelFamily {
 public:
  explicit GcnFamily(const scenario::Gcn& config) : config_(config) {}
  GraphArchitecture build(const GraphModelShape& shape) const override {
    return layered("gcn", config_, 16, shape.classes, [&](std::size_t width) {
      return std::make_unique<GcnLayer>(width, normalization_of(config_.normalization()));
    });
  }

 private:
  scenario::Gcn config_;
};

const Register<GraphModelFamily, GcnFamily, scenario::Gcn> register_gcn_family;

}  // namespace
}  // namespace souk
