#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/random.hpp"

namespace souk {

/// What a perceptron reads: values in some columns, 0 in the others.
struct InputRow {
  std::span<const std::uint32_t> columns;  ///< of the values; empty: the first ones
  std::span<const double> values;
};

/// A small network that an attacker trains for itself, in double: affine layers with max(x, 0) between them, behind
/// which values are dropped while it learns. Its outputs are logits.
class Perceptron {
 public:
  /// `widths`: inputs, hidden layers, classes. `dropout`: share of hidden values. First weights are Glorot and
  /// Bengio's, uniform; biases 0.
  Perceptron(std::vector<std::size_t> widths, double dropout, Stream& first);

  std::size_t classes() const { return widths_.back(); }
  /// Weights [inputs, outputs] and biases [outputs], layer after layer.
  std::span<double> parameters() { return parameters_; }
  /// [classes] Valid until the next call.
  std::span<const double> logits(const InputRow& row) { return forward(row, nullptr); }
  /// Cross-entropy of one row of this class; adds its gradient to `gradient` [parameters]. `dropout`: null: nothing is
  /// dropped.
  double add_gradient(const InputRow& row, std::size_t label, Stream* dropout, std::span<double> gradient);

 private:
  std::size_t layers() const { return offsets_.size(); }
  std::span<const double> forward(const InputRow& row, Stream* dropout);
  void backward(const InputRow& row, std::span<double> gradient);
  InputRow input(std::size_t layer, const InputRow& row) const;

  std::vector<std::size_t> widths_, offsets_;  ///< offsets [layers]: where their parameters begin
  double dropout_;
  std::vector<double> parameters_;
  /// [layers] [outputs] Of the last row: values, what they were multiplied by, and derivatives of the loss.
  std::vector<std::vector<double>> values_, masks_, d_values_;
};

/// How a perceptron is trained: by Adam, on mini-batches in an order drawn anew for each pass.
struct PerceptronTraining {
  std::size_t passes = 50;
  std::size_t batch = 64;
  double rate = 0.001;
  double decay = 0.0;  ///< of weights and biases: half of it times their squared norm is part of the loss
};

/// A perceptron trained on these rows; sums run in the order of rows. `seed`: of its first values and of all draws.
Perceptron trained_perceptron(std::vector<std::size_t> widths, double dropout, std::span<const InputRow> rows,
                              std::span<const std::uint32_t> labels, const PerceptronTraining& how, std::uint64_t seed);

}  // namespace souk
