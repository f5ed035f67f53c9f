#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/learn/graphs/convolution.hpp"
#include "sim/learn/graphs/graph_kernels.hpp"
#include "sim/learn/graphs/known_products.hpp"

namespace souk::scenario {
enum GraphActivation : int;
}

/// What graph layers are made of. Weights are [inputs, outputs].
namespace souk::graph_parts {

/// The number with index `which` of what a layer keeps, with so many values.
template <class T>
T* keep(std::vector<std::vector<T>>& kept, std::size_t which, std::size_t size) {
  if (kept.size() <= which) kept.resize(which + 1);
  kept[which].resize(size);
  return kept[which].data();
}

template <class T>
Scalar<T>* as_scalars(T* values) {
  return reinterpret_cast<Scalar<T>*>(values);
}
template <class T>
const Scalar<T>* as_scalars(const T* values) {
  return reinterpret_cast<const Scalar<T>*>(values);
}

/// row_factors of scaled features, from row `first` on, as numbers of this kind.
template <class T>
std::vector<Scalar<T>> row_factors(const NodeInput<T>& in, std::size_t rows, std::size_t first = 0) {
  if (in.scaling->row_factors.empty()) return {};
  const auto factors = in.scaling->row_factors.subspan(first, rows);
  return std::vector<Scalar<T>>(factors.begin(), factors.end());
}

/// out [rows, outputs] = features of `in`, from row `first` on, times weight.
template <class T>
void multiply_features(const NodeInput<T>& in, const FeatureWeight<T>& weight, std::size_t first, std::size_t rows,
                       T* out) {
  const std::size_t outputs = weight.outputs();
  const std::vector<Scalar<T>> factors = row_factors(in, rows, first);
  SparseRows part = *in.features;
  part.offsets = part.offsets.subspan(first, rows + 1);
  kernels::multiply_sparse({.matrix = part,
                            .rows = rows,
                            .columns = static_cast<std::uint32_t>(in.width),
                            .width = outputs * scalars<T>,
                            .in = as_scalars(weight.of_stored()),
                            .out = as_scalars(out),
                            .row_factors = factors.empty() ? nullptr : factors.data(),
                            .values = in.feature_values});
  if (weight.shifted().empty()) return;
  for (std::size_t i = 0; i < rows; ++i) {
    const T factor{factors.empty() ? Scalar<T>{1} : factors[i]};
    for (std::size_t o = 0; o < outputs; ++o) out[i * outputs + o] -= factor * weight.shifted()[o];
  }
}

/// out [rows, outputs] = the first rows of `in` times weight. Features are sparse and stay so.
template <class T>
void multiply(const NodeInput<T>& in, const T* weight, std::size_t rows, std::size_t outputs, T* out) {
  if (in.rows != nullptr) {
    kernels::multiply_dense(rows, in.width, outputs, in.rows, weight, out);
    return;
  }
  if (in.known != nullptr) {
    const T* products = in.known->of(weight, outputs, std::span(in.sources, rows));
    for (std::size_t i = 0; i < rows; ++i) {
      const T factor{static_cast<Scalar<T>>(in.sources[i].factor)};
      const T* row = products + in.sources[i].row * outputs;
      for (std::size_t o = 0; o < outputs; ++o) out[i * outputs + o] = factor * row[o];
    }
    return;
  }
  multiply_features(in, FeatureWeight<T>(*in.scaling, weight, in.width, outputs), 0, rows, out);
}

}  // namespace souk::graph_parts

namespace souk {

template <class T>
const T* KnownProducts<T>::of(const T* weight, std::size_t outputs, std::span<const NodeSource> sources) {
  Products& products = products_of(weight, outputs);
  // Rows one behind the other are formed together.
  for (std::size_t i = 0; i < sources.size();) {
    const std::size_t first = sources[i++].row;
    if (products.is_there[first] != 0) continue;
    std::size_t end = first + 1;
    for (; i < sources.size() && sources[i].row == end && products.is_there[end] == 0; ++i) ++end;
    graph_parts::multiply_features(all_, products.weight, first, end - first, products.rows.get() + first * outputs);
    std::fill_n(products.is_there.begin() + static_cast<std::ptrdiff_t>(first), end - first, std::uint8_t{1});
  }
  return products.rows.get();
}

template <class T>
typename KnownProducts<T>::Products& KnownProducts<T>::products_of(const T* weight, std::size_t outputs) {
  for (Products& products : products_) {
    if (products.weight.given() == weight) return products;
  }
  const std::size_t count = more_.size() / all_.width;
  Products& products =
      products_.emplace_back(Products{.weight = FeatureWeight<T>(*all_.scaling, weight, all_.width, outputs),
                                      .rows = std::make_unique_for_overwrite<T[]>((nodes_ + count) * outputs),
                                      .is_there = std::vector<std::uint8_t>(nodes_ + count)});
  if (count == 0) return products;
  const NodeInput<T> more{.rows = more_.data(), .width = all_.width};
  graph_parts::multiply(more, weight, count, outputs, products.rows.get() + nodes_ * outputs);
  std::fill_n(products.is_there.begin() + static_cast<std::ptrdiff_t>(nodes_), count, std::uint8_t{1});
  return products;
}

}  // namespace souk

namespace souk::graph_parts {

/// The way back of multiply: adds to d_weight, and writes d_in [rows, inputs] if it is not null.
template <class T>
void unwind_multiply(const NodeInput<T>& in, const T* weight, std::size_t rows, std::size_t outputs, const T* d_out,
                     T* d_weight, T* d_in) {
  if (in.rows != nullptr) {
    kernels::add_transposed_dense(rows, in.width, outputs, in.rows, d_out, d_weight);
    if (d_in == nullptr) return;
    std::vector<T> transposed(in.width * outputs);
    for (std::size_t f = 0; f < in.width; ++f) {
      for (std::size_t o = 0; o < outputs; ++o) transposed[o * in.width + f] = weight[f * outputs + o];
    }
    kernels::multiply_dense(rows, outputs, in.width, d_out, transposed.data(), d_in);
    return;
  }
  SOUK_EXPECT(d_in == nullptr && in.known == nullptr);
  const FeatureScaling& scaling = *in.scaling;
  const bool columns = !scaling.scale.empty();
  std::vector<T> gathered(columns ? in.width * outputs : 0);
  const std::vector<Scalar<T>> factors = row_factors(in, rows);
  kernels::add_transposed_sparse({.matrix = *in.features,
                                  .rows = rows,
                                  .columns = static_cast<std::uint32_t>(in.width),
                                  .width = outputs * scalars<T>,
                                  .in = as_scalars(d_out),
                                  .out = as_scalars(columns ? gathered.data() : d_weight),
                                  .row_factors = factors.empty() ? nullptr : factors.data(),
                                  .values = in.feature_values});
  if (!columns) return;
  std::vector<T> sums(outputs);
  for (std::size_t i = 0; i < rows; ++i) {
    const T factor{factors.empty() ? Scalar<T>{1} : factors[i]};
    for (std::size_t o = 0; o < outputs; ++o) sums[o] += factor * d_out[i * outputs + o];
  }
  for (std::size_t f = 0; f < in.width; ++f) {
    const T scale{static_cast<Scalar<T>>(scaling.scale[f])}, shift{static_cast<Scalar<T>>(scaling.shift[f])};
    for (std::size_t o = 0; o < outputs; ++o) {
      d_weight[f * outputs + o] += scale * (gathered[f * outputs + o] - shift * sums[o]);
    }
  }
}

template <class T>
void add_bias(const T* bias, std::size_t rows, std::size_t width, T* out) {
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t c = 0; c < width; ++c) out[i * width + c] += bias[c];
  }
}

template <class T>
void unwind_bias(const T* d_out, std::size_t rows, std::size_t width, T* d_bias) {
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t c = 0; c < width; ++c) d_bias[c] += d_out[i * width + c];
  }
}

template <class S>
const S* data_of(const std::vector<S>& values) {
  return values.empty() ? nullptr : values.data();
}

template <class T>
void gather(const EdgeFactors<Scalar<T>>& how, const ReceptiveField& field, std::size_t rows_in, std::size_t rows_out,
            std::size_t width, const T* in, T* out) {
  kernels::multiply_sparse({.matrix = field.edges(),
                            .rows = rows_out,
                            .columns = static_cast<std::uint32_t>(rows_in),
                            .width = width * scalars<T>,
                            .in = as_scalars(in),
                            .out = as_scalars(out),
                            .row_factors = data_of(how.at),
                            .column_factors = data_of(how.from),
                            .own_factors = data_of(how.own)});
}

/// The way back: edges go both ways, so that the transpose has the same rows and the factors change places.
template <class T>
void unwind_gather(const EdgeFactors<Scalar<T>>& how, const ReceptiveField& field, std::size_t rows_in,
                   std::size_t rows_out, std::size_t width, const T* d_out, T* d_in) {
  kernels::multiply_sparse({.matrix = field.edges(),
                            .rows = rows_in,
                            .columns = static_cast<std::uint32_t>(rows_out),
                            .width = width * scalars<T>,
                            .in = as_scalars(d_out),
                            .out = as_scalars(d_in),
                            .row_factors = data_of(how.from),
                            .column_factors = data_of(how.at),
                            .own_factors = data_of(how.own)});
}

/// Glorot and Bengio's uniform first values of a matrix [inputs, outputs].
inline void draw_glorot(std::size_t inputs, std::size_t outputs, Stream& random, std::span<float> values) {
  const double bound = std::sqrt(6.0 / static_cast<double>(inputs + outputs));
  for (float& value : values) value = static_cast<float>(bound * (2.0 * random.uniform() - 1.0));
}

/// Flops of the product of all nodes' inputs with a weight, and of sums over neighbours.
inline double product_flops(const LayerSize& size, std::size_t inputs, std::size_t outputs) {
  const double values = size.reads_features ? size.feature_entries : size.nodes * static_cast<double>(inputs);
  return 2.0 * values * static_cast<double>(outputs);
}
inline double gather_flops(const LayerSize& size, std::size_t width) {
  return 2.0 * size.edge_entries * static_cast<double>(width);
}

inline Slot weight_slot(const std::string& name, std::size_t inputs, std::size_t outputs) {
  return {.name = name, .shape = {static_cast<std::int64_t>(inputs), static_cast<std::int64_t>(outputs)}};
}
inline Slot bias_slot(const std::string& name, std::size_t outputs) {
  return {.name = name, .shape = {static_cast<std::int64_t>(outputs)}};
}

/// Widths of all layers: those given, or the one usual, and behind them as many values as classes.
template <class Given>
std::vector<std::size_t> widths(const Given& hidden, std::size_t usual, std::size_t classes) {
  std::vector<std::size_t> all(hidden.begin(), hidden.end());
  if (all.empty()) all.push_back(usual);
  all.push_back(classes);
  return all;
}

Activation activation_of(scenario::GraphActivation activation);

/// The network of a message with hidden widths, activation and dropout: `make(width)` for each layer.
template <class Config, class Make>
GraphArchitecture layered(const std::string& name, const Config& config, std::size_t usual, std::size_t classes,
                          Make make) {
  GraphArchitecture network{
      .name = name, .layers = {}, .activation = activation_of(config.activation()), .dropout = config.dropout()};
  for (const std::size_t width : widths(config.hidden(), usual, classes)) network.layers.push_back(make(width));
  return network;
}

/// A layer of one weight [inputs, outputs] and a bias behind it.
template <class Kind>
class OneWeightLayer : public ConvolutionOf<Kind> {
 public:
  explicit OneWeightLayer(std::size_t outputs) : outputs_(outputs) {}
  std::size_t place(std::size_t inputs) override {
    inputs_ = inputs;
    return outputs_;
  }
  std::vector<Slot> slots(const std::string& prefix) const override {
    return {weight_slot(prefix + ".weight", inputs_, outputs_), bias_slot(prefix + ".bias", outputs_)};
  }
  void initialise(Stream& random, std::span<float> parameters) const override {
    draw_glorot(inputs_, outputs_, random, parameters.first(bias()));
  }

 protected:
  std::size_t bias() const { return inputs_ * outputs_; }  ///< where it begins

  std::size_t inputs_ = 0, outputs_;
};

}  // namespace souk::graph_parts
