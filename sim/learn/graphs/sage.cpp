#include "scenarios/graph_models.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {
namespace {

using namespace graph_parts;

/// Parameters: of the neighbours' mean, of the node itself, bias.
class SageLayer final : public ConvolutionOf<SageLayer> {
 public:
  explicit SageLayer(std::size_t outputs) : outputs_(outputs) {}
  std::size_t place(std::size_t inputs) override {
    inputs_ = inputs;
    return outputs_;
  }
  std::vector<Slot> slots(const std::string& prefix) const override {
    return {weight_slot(prefix + ".neighbours", inputs_, outputs_), weight_slot(prefix + ".self", inputs_, outputs_),
            bias_slot(prefix + ".bias", outputs_)};
  }
  void initialise(Stream& random, std::span<float> parameters) const override {
    const std::size_t size = inputs_ * outputs_;
    draw_glorot(inputs_, outputs_, random, parameters.first(size));
    draw_glorot(inputs_, outputs_, random, parameters.subspan(size, size));
  }
  double forward_flops(const LayerSize& size) const override {
    return 2.0 * product_flops(size, inputs_, outputs_) + gather_flops(size, outputs_);
  }
  std::optional<LinearForm> linear_form(const ReceptiveField& field, std::size_t rows) const override {
    return LinearForm{.edges = mean<double>(field, rows), .own_weight = inputs_ * outputs_};
  }

  template <class T>
  void run(const LayerPass<T>& pass) const {
    const std::size_t size = inputs_ * outputs_;
    T* products = keep(pass.kept, 0, pass.rows_in * outputs_);
    T* own = keep(pass.kept, 1, pass.rows_out * outputs_);
    multiply(pass.in, pass.parameters, pass.rows_in, outputs_, products);
    gather(mean<Scalar<T>>(pass.field, pass.rows_in), pass.field, pass.rows_in, pass.rows_out, outputs_, products,
           pass.out);
    multiply(pass.in, pass.parameters + size, pass.rows_out, outputs_, own);
    for (std::size_t v = 0; v < pass.rows_out * outputs_; ++v) pass.out[v] += own[v];
    add_bias(pass.parameters + 2 * size, pass.rows_out, outputs_, pass.out);
  }
  template <class T>
  void unwind(const LayerReturn<T>& back) const {
    const LayerPass<T>& pass = back.pass;
    const std::size_t size = inputs_ * outputs_;
    T* d_products = keep(pass.kept, 0, pass.rows_in * outputs_);
    unwind_bias(back.d_out, pass.rows_out, outputs_, back.d_parameters + 2 * size);
    unwind_gather(mean<Scalar<T>>(pass.field, pass.rows_in), pass.field, pass.rows_in, pass.rows_out, outputs_,
                  back.d_out, d_products);
    unwind_multiply(pass.in, pass.parameters, pass.rows_in, outputs_, d_products, back.d_parameters, back.d_in);
    T* d_own = back.d_in == nullptr ? nullptr : keep(pass.kept, 2, pass.rows_out * inputs_);
    unwind_multiply(pass.in, pass.parameters + size, pass.rows_out, outputs_, back.d_out, back.d_parameters + size,
                    d_own);
    for (std::size_t v = 0; d_own != nullptr && v < pass.rows_out * inputs_; ++v) back.d_in[v] += d_own[v];
  }

 private:
  template <class S>
  static EdgeFactors<S> mean(const ReceptiveField& field, std::size_t rows) {
    EdgeFactors<S> how;
    how.at.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const auto degree = static_cast<S>(field.degrees()[i]);
      how.at[i] = degree > S{0} ? S{1} / degree : S{0};
    }
    return how;
  }

  std::size_t inputs_ = 0, outputs_;
};

class SageFamily final : public GraphModelFamily {
 public:
  explicit SageFamily(const scenario::Sage& config) : config_(config) {}
  GraphArchitecture build(const GraphModelShape& shape) const override {
    return layered("sage", config_, 64, shape.classes,
                   [](std::size_t width) { return std::make_unique<SageLayer>(width); });
  }

 private:
  scenario::Sage config_;
};

const Register<GraphModelFamily, SageFamily, scenario::Sage> register_sage_family;

}  // namespace
}  // namespace souk
