#include "scenarios/graph_models.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {
namespace {

using namespace graph_parts;

/// Parameters: the first product and its bias, the second and its bias.
class GinLayer final : public ConvolutionOf<GinLayer> {
 public:
  GinLayer(std::size_t between, std::size_t outputs) : between_(between), outputs_(outputs) {}
  std::size_t place(std::size_t inputs) override {
    inputs_ = inputs;
    return outputs_;
  }
  std::vector<Slot> slots(const std::string& prefix) const override {
    return {weight_slot(prefix + ".first", inputs_, between_), bias_slot(prefix + ".first_bias", between_),
            weight_slot(prefix + ".second", between_, outputs_), bias_slot(prefix + ".second_bias", outputs_)};
  }
  void initialise(Stream& random, std::span<float> parameters) const override {
    draw_glorot(inputs_, between_, random, parameters.first(first_bias()));
    draw_glorot(between_, outputs_, random, parameters.subspan(second(), between_ * outputs_));
  }
  double forward_flops(const LayerSize& size) const override {
    return product_flops(size, inputs_, between_) + gather_flops(size, between_) +
           2.0 * size.nodes * static_cast<double>(between_ * outputs_);
  }

  // Sums of neighbours are linear: multiplied first, an edge carries as many values as lie between the products.
  template <class T>
  void run(const LayerPass<T>& pass) const {
    T* products = keep(pass.kept, 0, pass.rows_in * between_);
    T* hidden = keep(pass.kept, 1, pass.rows_out * between_);
    multiply(pass.in, pass.parameters, pass.rows_in, between_, products);
    gather(sum<T>(pass), pass.field, pass.rows_in, pass.rows_out, between_, products, hidden);
    add_bias(pass.parameters + first_bias(), pass.rows_out, between_, hidden);
    for (std::size_t v = 0; v < pass.rows_out * between_; ++v) {
      if (!(value_of(hidden[v]) > 0)) hidden[v] = T{};
    }
    multiply(NodeInput<T>{.rows = hidden, .width = between_}, pass.parameters + second(), pass.rows_out, outputs_,
             pass.out);
    add_bias(pass.parameters + second_bias(), pass.rows_out, outputs_, pass.out);
  }
  template <class T>
  void unwind(const LayerReturn<T>& back) const {
    const LayerPass<T>& pass = back.pass;
    const T* hidden = pass.kept[1].data();
    T* d_hidden = keep(pass.kept, 2, pass.rows_out * between_);
    unwind_bias(back.d_out, pass.rows_out, outputs_, back.d_parameters + second_bias());
    unwind_multiply(NodeInput<T>{.rows = hidden, .width = between_}, pass.parameters + second(), pass.rows_out,
                    outputs_, back.d_out, back.d_parameters + second(), d_hidden);
    for (std::size_t v = 0; v < pass.rows_out * between_; ++v) {
      if (!(value_of(hidden[v]) > 0)) d_hidden[v] = T{};
    }
    T* d_products = keep(pass.kept, 0, pass.rows_in * between_);
    unwind_bias(d_hidden, pass.rows_out, between_, back.d_parameters + first_bias());
    unwind_gather(sum<T>(pass), pass.field, pass.rows_in, pass.rows_out, between_, d_hidden, d_products);
    unwind_multiply(pass.in, pass.parameters, pass.rows_in, between_, d_products, back.d_parameters, back.d_in);
  }

 private:
  std::size_t first_bias() const { return inputs_ * between_; }
  std::size_t second() const { return first_bias() + between_; }
  std::size_t second_bias() const { return second() + between_ * outputs_; }

  template <class T>
  EdgeFactors<Scalar<T>> sum(const LayerPass<T>& pass) const {
    EdgeFactors<Scalar<T>> how;
    how.own.assign(pass.rows_in, Scalar<T>{1});
    return how;
  }

  std::size_t inputs_ = 0, between_, outputs_;
};

class GinFamily final : public GraphModelFamily {
 public:
  explicit GinFamily(const scenario::Gin& config) : config_(config) {}
  GraphArchitecture build(const GraphModelShape& shape) const override {
    GraphArchitecture network{
        .name = "gin", .layers = {}, .activation = activation_of(config_.activation()), .dropout = config_.dropout()};
    const std::vector<std::size_t> outputs = widths(config_.hidden(), 32, shape.classes);
    for (std::size_t l = 0; l < outputs.size(); ++l) {
      const bool last = l + 1 == outputs.size();
      network.layers.push_back(std::make_unique<GinLayer>(last && l > 0 ? outputs[l - 1] : outputs[l], outputs[l]));
    }
    return network;
  }

 private:
  scenario::Gin config_;
};

const Register<GraphModelFamily, GinFamily, scenario::Gin> register_gin_family;

}  // namespace
}  // namespace souk
