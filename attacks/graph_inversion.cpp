#include "attacks/graph_inversion.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <cblas.h>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/learn/graphs/layer_parts.hpp"

namespace souk {
namespace {

/// Keeps nodes without edges from a division by zero in the Laplacian.
constexpr double least_degree = 1e-3;

blasint blas(std::size_t extent) { return static_cast<blasint>(extent); }

/// out [n, width] += (lower triangle and its mirror image) in.
void add_symmetric(std::size_t n, std::size_t width, const float* lower, const float* in, float* out) {
  cblas_ssymm(CblasRowMajor, CblasLeft, CblasLower, blas(n), blas(width), 1.0F, lower, blas(n), in, blas(width), 1.0F,
              out, blas(width));
}
void add_symmetric(std::size_t n, std::size_t width, const double* lower, const double* in, double* out) {
  cblas_dsymm(CblasRowMajor, CblasLeft, CblasLower, blas(n), blas(width), 1.0, lower, blas(n), in, blas(width), 1.0,
              out, blas(width));
}

/// Lower triangle of out [n, n] = u v^T + v u^T for u, v [n, width].
void multiply_both_ways(std::size_t n, std::size_t width, const float* u, const float* v, float* out) {
  cblas_ssyr2k(CblasRowMajor, CblasLower, CblasNoTrans, blas(n), blas(width), 1.0F, u, blas(width), v, blas(width),
               0.0F, out, blas(n));
}
void multiply_both_ways(std::size_t n, std::size_t width, const double* u, const double* v, double* out) {
  cblas_dsyr2k(CblasRowMajor, CblasLower, CblasNoTrans, blas(n), blas(width), 1.0, u, blas(width), v, blas(width), 0.0,
               out, blas(n));
}

/// Lower triangle of out [n, n] += u u^T for u [n, width].
void add_inner_products(std::size_t n, std::size_t width, const float* u, float* out) {
  cblas_ssyrk(CblasRowMajor, CblasLower, CblasNoTrans, blas(n), blas(width), 1.0F, u, blas(width), 1.0F, out, blas(n));
}
void add_inner_products(std::size_t n, std::size_t width, const double* u, double* out) {
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, blas(n), blas(width), 1.0, u, blas(width), 1.0, out, blas(n));
}

template <class T>
void activate(Activation activation, std::vector<T>& values) {
  for (T& x : values) {
    if (x > T{0}) continue;
    x = activation == Activation::elu ? std::exp(x) - T{1} : T{0};
  }
}

/// `values`: after the activation.
template <class T>
void unwind_activation(Activation activation, const std::vector<T>& values, std::vector<T>& d) {
  for (std::size_t v = 0; v < d.size(); ++v) {
    if (values[v] > T{0}) continue;
    d[v] *= activation == Activation::elu ? values[v] + T{1} : T{0};
  }
}

template <class T>
double dot_of(const T* a, const T* b, std::size_t size) {
  double sum = 0.0;
  for (std::size_t i = 0; i < size; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// Features of all nodes as the network reads them, some columns after the others: rows as wide as they are do not fit.
template <class T>
class FeatureColumns {
 public:
  FeatureColumns(const SparseRows& features, const FeatureScaling& scaling)
      : features_(features),
        scaling_(scaling),
        next_(features.offsets.begin(), features.offsets.begin() + static_cast<std::ptrdiff_t>(features.rows())) {}
  /// [n, count] of the columns that follow those of the last call.
  std::vector<T> take(std::size_t count) {
    std::vector<T> out(next_.size() * count);
    for (std::size_t v = 0; v < next_.size(); ++v) {
      T* row = out.data() + v * count;
      for (std::size_t c = 0; c < count; ++c) row[c] = static_cast<T>(read(v, first_ + c, 0.0));
      for (std::uint64_t& e = next_[v]; e < features_.offsets[v + 1] && features_.columns[e] < first_ + count; ++e) {
        const double stored = features_.values.empty() ? 1.0 : static_cast<double>(features_.values[e]);
        row[features_.columns[e] - first_] = static_cast<T>(read(v, features_.columns[e], stored));
      }
    }
    first_ += count;
    return out;
  }

 private:
  double read(std::size_t node, std::size_t column, double stored) const {
    const double scaled = scaling_.scale.empty() ? stored
                                                 : (stored - static_cast<double>(scaling_.shift[column])) *
                                                       static_cast<double>(scaling_.scale[column]);
    return scaling_.row_factors.empty() ? scaled : scaled * static_cast<double>(scaling_.row_factors[node]);
  }

  const SparseRows& features_;
  const FeatureScaling& scaling_;
  std::vector<std::uint64_t> next_;  ///< [n] entry
  std::size_t first_ = 0;            ///< column
};

}  // namespace

template <class T>
InversionLoss<T>::InversionLoss(const InvertedNetwork& inverted, const InversionWeights& weights)
    : activation_(inverted.network.architecture().activation),
      weights_(weights),
      classes_(inverted.classes.begin(), inverted.classes.end()) {
  SOUK_EXPECT(classes_.size() == inverted.features.rows());
  take_layers(inverted);
  if (weights.smoothness > 0.0) take_inner_products(inverted);
}

template <class T>
void InversionLoss<T>::take_layers(const InvertedNetwork& inverted) {
  const GraphNetwork& network = inverted.network;
  std::size_t inputs = inverted.features.width;
  for (std::size_t l = 0; l < network.widths().size(); ++l) {
    const auto form = network.architecture().layers[l]->normalized_form();
    SOUK_EXPECT(form.has_value());
    const std::size_t outputs = network.widths()[l];
    const auto values = inverted.parameters.subspan(network.offsets()[l]);
    const auto weight = values.subspan(form->weight, inputs * outputs), bias = values.subspan(form->bias, outputs);
    layers_.push_back({.hops = form->hops,
                       .inputs = inputs,
                       .outputs = outputs,
                       .weight = {weight.begin(), weight.end()},
                       .bias = {bias.begin(), bias.end()},
                       .spread = {},
                       .d_spread = {},
                       .out = {}});
    layers_.back().spread.resize(form->hops + 1, std::vector<T>(nodes() * outputs));
    layers_.back().d_spread = layers_.back().spread;
    inputs = outputs;
  }
  const NodeInput<T> features{
      .features = &inverted.features, .scaling = &inverted.scaling, .width = inverted.features.width};
  Layer& first = layers_.front();
  graph_parts::multiply(features, first.weight.data(), nodes(), first.outputs, first.spread.front().data());
}

template <class T>
void InversionLoss<T>::take_inner_products(const InvertedNetwork& inverted) {
  constexpr std::size_t columns = 256;
  inner_products_.resize(nodes() * nodes());
  FeatureColumns<T> features(inverted.features, inverted.scaling);
  for (std::size_t first = 0; first < inverted.features.width; first += columns) {
    const std::size_t count = std::min(columns, inverted.features.width - first);
    add_inner_products(nodes(), count, features.take(count).data(), inner_products_.data());
    heartbeat::beat();
  }
}

template <class T>
void InversionLoss<T>::find_degrees(std::span<const T> graph) {
  const std::size_t n = nodes();
  degrees_.assign(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const T* row = graph.data() + i * n;
    double sum = 0.0;
    for (std::size_t j = 0; j < i; ++j) {
      const auto weight = static_cast<double>(row[j]);
      sum += weight;
      degrees_[j] += weight;
    }
    degrees_[i] += sum;
  }
  roots_.resize(n);
  for (std::size_t i = 0; i < n; ++i) roots_[i] = static_cast<T>(1.0 / std::sqrt(degrees_[i] + 1.0));
}

/// out = (D + I)^-1/2 (A + I) (D + I)^-1/2 in, both [n, width].
template <class T>
void InversionLoss<T>::spread(std::span<const T> graph, const std::vector<T>& in, std::size_t width,
                              std::vector<T>& out) {
  const auto scale = [&](const std::vector<T>& from, std::vector<T>& to) {
    for (std::size_t v = 0; v < from.size(); ++v) to[v] = roots_[v / width] * from[v];
  };
  scaled_.resize(in.size());
  scale(in, scaled_);
  out = scaled_;
  add_symmetric(nodes(), width, graph.data(), scaled_.data(), out.data());
  scale(out, out);
}

template <class T>
void InversionLoss<T>::forward(std::span<const T> graph) {
  find_degrees(graph);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    if (l > 0) {
      kernels::multiply_dense(nodes(), layer.inputs, layer.outputs, layers_[l - 1].out.data(), layer.weight.data(),
                              layer.spread.front().data());
    }
    for (std::size_t hop = 0; hop < layer.hops; ++hop) {
      spread(graph, layer.spread[hop], layer.outputs, layer.spread[hop + 1]);
    }
    layer.out = layer.spread.back();
    graph_parts::add_bias(layer.bias.data(), nodes(), layer.outputs, layer.out.data());
    if (l + 1 < layers_.size()) activate(activation_, layer.out);
  }
}

/// Mean cross-entropy of the known classes; logits become its derivatives.
template <class T>
double InversionLoss<T>::classify(std::vector<T>& d_logits) const {
  const std::size_t width = layers_.back().outputs;
  const auto known = static_cast<double>(std::ranges::count_if(classes_, [](std::int32_t c) { return c >= 0; }));
  double loss = 0.0;
  for (std::size_t v = 0; v < nodes(); ++v) {
    const std::span<T> row = std::span(d_logits).subspan(v * width, width);
    if (classes_[v] < 0) {
      std::ranges::fill(row, T{0});
      continue;
    }
    const auto label = static_cast<std::size_t>(classes_[v]);
    const T largest = *std::ranges::max_element(row), margin = largest - row[label];
    double sum = 0.0;
    for (T& x : row) sum += static_cast<double>(x = std::exp(x - largest));
    loss += std::log(sum) + static_cast<double>(margin);
    for (T& x : row) x = static_cast<T>(static_cast<double>(x) / (sum * known));
    row[label] -= static_cast<T>(1.0 / known);
  }
  return known > 0.0 ? loss / known : 0.0;
}

/// From derivatives by the logits to those by everything that was spread.
template <class T>
void InversionLoss<T>::backward(std::span<const T> graph, std::vector<T> d_out) {
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    layer.d_spread.back() = d_out;
    for (std::size_t hop = layer.hops; hop > 0; --hop) {
      spread(graph, layer.d_spread[hop], layer.outputs, layer.d_spread[hop - 1]);
    }
    if (l == 0) return;
    std::vector<T> transposed(layer.weight.size());
    for (std::size_t i = 0; i < layer.inputs; ++i) {
      for (std::size_t o = 0; o < layer.outputs; ++o)
        transposed[o * layer.inputs + i] = layer.weight[i * layer.outputs + o];
    }
    d_out.resize(nodes() * layer.inputs);
    kernels::multiply_dense(nodes(), layer.outputs, layer.inputs, layer.d_spread.front().data(), transposed.data(),
                            d_out.data());
    unwind_activation(activation_, layers_[l - 1].out, d_out);
  }
}

/// Of O = S P with S_ij = r_i (A + I)_ij r_j, r_i = (d_i + 1)^-1/2, and Q the derivatives by O: those by a_ij, both of
/// whose ends and directions count, are r_i r_j (Q P^T + P Q^T)_ij + e_i + e_j, with those by the degrees,
/// e_i = -r_i^2 (Q_i O_i + P_i (S Q)_i) / 2. Sums over all hops of all layers; the degrees' part goes to `by_degree`.
template <class T>
void InversionLoss<T>::gather_derivatives(std::span<T> derivatives, std::vector<double>& by_degree) const {
  const std::size_t n = nodes();
  std::size_t width = 0;
  for (const Layer& layer : layers_) width += layer.hops * layer.outputs;
  if (width == 0) {
    std::ranges::fill(derivatives, T{0});
    return;
  }
  std::vector<T> all_p(n * width), all_q(n * width);
  std::size_t place = 0;
  for (const Layer& layer : layers_) {
    const std::size_t outputs = layer.outputs;
    for (std::size_t hop = 0; hop < layer.hops; ++hop, place += outputs) {
      for (std::size_t i = 0; i < n; ++i) {
        const T* p = layer.spread[hop].data() + i * outputs;
        const T* q = layer.d_spread[hop + 1].data() + i * outputs;
        const double both = dot_of(q, layer.spread[hop + 1].data() + i * outputs, outputs) +
                            dot_of(p, layer.d_spread[hop].data() + i * outputs, outputs);
        by_degree[i] -= both / (2.0 * (degrees_[i] + 1.0));
        for (std::size_t c = 0; c < outputs; ++c) {
          all_p[i * width + place + c] = roots_[i] * p[c];
          all_q[i * width + place + c] = roots_[i] * q[c];
        }
      }
    }
  }
  multiply_both_ways(n, width, all_p.data(), all_q.data(), derivatives.data());
}

/// The norm has no slope at 0.
template <class T>
double InversionLoss<T>::add_norm(std::span<const T> graph, std::span<T> derivatives) const {
  const std::size_t n = nodes();
  double squares = 0.0;
  for (std::size_t i = 1; i < n; ++i) squares += dot_of(graph.data() + i * n, graph.data() + i * n, i);
  if (!(squares > 0.0)) return 0.0;
  const double size = std::sqrt(squares);
  const auto slope = static_cast<T>(weights_.norm / size);
  for (std::size_t i = 1; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) derivatives[i * n + j] += slope * graph[i * n + j];
  }
  return weights_.norm * size;
}

/// tr(X^T L X) = sum_i d_i k_ii / (d_i + c) - sum_ij a_ij k_ij / sqrt((d_i + c) (d_j + c)), k the inner products, c the
/// least degree.
template <class T>
double InversionLoss<T>::add_smoothness(std::span<const T> graph, std::span<T> derivatives,
                                        std::vector<double>& by_degree) const {
  const std::size_t n = nodes();
  const double weight = weights_.smoothness;
  std::vector<T> inverse(n);
  for (std::size_t i = 0; i < n; ++i) inverse[i] = static_cast<T>(1.0 / std::sqrt(degrees_[i] + least_degree));
  std::vector<double> sums(n);  ///< of a_ij k_ij / sqrt(d_j + c) over j
  const T slope = static_cast<T>(-2.0 * weight);
  for (std::size_t i = 0; i < n; ++i) {
    const T* row = graph.data() + i * n;
    const T* products = inner_products_.data() + i * n;
    T* d = derivatives.data() + i * n;
    double sum = 0.0;
    for (std::size_t j = 0; j < i; ++j) {
      const auto weighted = static_cast<double>(row[j] * products[j]);
      sum += weighted * static_cast<double>(inverse[j]);
      sums[j] += weighted * static_cast<double>(inverse[i]);
      d[j] += slope * inverse[i] * inverse[j] * products[j];
    }
    sums[i] += sum;
  }
  double trace = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto own = static_cast<double>(inner_products_[i * n + i]);
    const double degree = degrees_[i] + least_degree, root = static_cast<double>(inverse[i]);
    trace += degrees_[i] / degree * own - root * sums[i];
    by_degree[i] += weight * (least_degree / (degree * degree) * own + root * root * root * sums[i]);
  }
  return weight * trace;
}

template <class T>
double InversionLoss<T>::evaluate(std::span<const T> graph, bool smooth, std::span<T> derivatives) {
  const std::size_t n = nodes();
  SOUK_EXPECT(graph.size() == n * n && derivatives.size() == n * n);
  forward(graph);
  std::vector<T> d_logits = layers_.back().out;
  double loss = classify(d_logits);
  backward(graph, std::move(d_logits));
  std::vector<double> by_degree(n);
  gather_derivatives(derivatives, by_degree);
  loss += add_norm(graph, derivatives);
  if (smooth && weights_.smoothness > 0.0) loss += add_smoothness(graph, derivatives, by_degree);
  for (std::size_t i = 1; i < n; ++i) {
    const auto of_i = static_cast<T>(by_degree[i]);
    for (std::size_t j = 0; j < i; ++j) derivatives[i * n + j] += of_i + static_cast<T>(by_degree[j]);
  }
  return loss;
}

template <class T>
std::size_t InversionLoss<T>::embedding_width() const {
  return layers_.size() > 1 ? layers_[layers_.size() - 2].outputs : layers_.back().outputs;
}

template <class T>
std::vector<double> InversionLoss<T>::embeddings(std::span<const T> graph) {
  forward(graph);
  const std::size_t width = embedding_width();
  const std::vector<T>& values = layers_.size() > 1 ? layers_[layers_.size() - 2].out : layers_.back().out;
  std::vector<double> rows(values.begin(), values.end());
  for (std::size_t v = 0; v < nodes(); ++v) {
    const std::span<double> row = std::span(rows).subspan(v * width, width);
    const double size = std::sqrt(dot_of(row.data(), row.data(), width));
    for (double& x : row) x /= size > 0.0 ? size : 1.0;
  }
  return rows;
}

namespace {

/// Sum of max(0, min(1, x - less)), in lanes that do not depend on the instruction set.
template <class T>
double clipped_sum(const std::vector<T>& values, double less) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  const std::size_t whole = values.size() / lanes * lanes;
  for (std::size_t v = 0; v < whole; v += lanes) {
    for (std::size_t k = 0; k < lanes; ++k) {
      sums[k] += std::max(0.0, std::min(1.0, static_cast<double>(values[v + k]) - less));
    }
  }
  for (std::size_t v = whole; v < values.size(); ++v) {
    sums[0] += std::max(0.0, std::min(1.0, static_cast<double>(values[v]) - less));
  }
  double sum = 0.0;
  for (const double lane : sums) sum += lane;
  return sum;
}

/// The least amount, up to a rounding, that leaves a sum of `most` or less. Forgets values that it leaves nothing of.
template <class T>
double amount_to_subtract(std::vector<T>& positive, double most) {
  constexpr int halvings = 60;
  if (clipped_sum(positive, 0.0) <= most) return 0.0;
  double low = 0.0, high = static_cast<double>(*std::ranges::max_element(positive));
  for (int i = 0; i < halvings; ++i) {
    const double middle = low + (high - low) / 2.0;
    if (middle == low || middle == high) break;
    if (clipped_sum(positive, middle) <= most) {
      high = middle;
      continue;
    }
    low = middle;
    std::erase_if(positive, [low](T x) { return static_cast<double>(x) <= low; });
  }
  return high;
}

}  // namespace

template <class T>
void project_graph(std::span<T> graph, std::size_t nodes, double most) {
  std::vector<T> positive;
  positive.reserve(nodes * nodes / 2);
  for (std::size_t i = 1; i < nodes; ++i) {
    for (const T x : graph.subspan(i * nodes, i)) {
      if (x > T{0}) positive.push_back(x);
    }
  }
  const double less = amount_to_subtract(positive, most);
  for (std::size_t i = 1; i < nodes; ++i) {
    for (T& x : graph.subspan(i * nodes, i)) {
      x = static_cast<T>(std::max(0.0, std::min(1.0, static_cast<double>(x) - less)));
    }
  }
}

template class InversionLoss<float>;
template class InversionLoss<double>;
template void project_graph<float>(std::span<float>, std::size_t, double);
template void project_graph<double>(std::span<double>, std::size_t, double);

}  // namespace souk
