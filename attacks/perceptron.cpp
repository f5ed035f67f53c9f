#include "attacks/perceptron.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/softmax.hpp"

namespace souk {
namespace {

/// Kingma and Ba's Adam with its usual constants.
class PerceptronAdam {
 public:
  PerceptronAdam(std::size_t size, double rate) : rate_(rate), first_(size), second_(size) {}
  void step(std::span<double> parameters, std::span<const double> gradient) {
    constexpr double keep_first = 0.9, keep_second = 0.999, least = 1e-8;
    left_first_ *= keep_first;
    left_second_ *= keep_second;
    const double rate = rate_ / (1.0 - left_first_), scale = 1.0 / (1.0 - left_second_);
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      first_[p] = keep_first * first_[p] + (1.0 - keep_first) * gradient[p];
      second_[p] = keep_second * second_[p] + (1.0 - keep_second) * gradient[p] * gradient[p];
      parameters[p] -= rate * first_[p] / (std::sqrt(scale * second_[p]) + least);
    }
  }

 private:
  double rate_, left_first_ = 1.0, left_second_ = 1.0;
  std::vector<double> first_, second_;
};

}  // namespace

Perceptron::Perceptron(std::vector<std::size_t> widths, double dropout, Stream& first)
    : widths_(std::move(widths)), dropout_(dropout) {
  SOUK_EXPECT(widths_.size() >= 2);
  for (std::size_t l = 0; l + 1 < widths_.size(); ++l) {
    const std::size_t inputs = widths_[l], outputs = widths_[l + 1];
    offsets_.push_back(parameters_.size());
    const double bound = std::sqrt(6.0 / static_cast<double>(inputs + outputs));
    for (std::size_t w = 0; w < inputs * outputs; ++w) parameters_.push_back(bound * (2.0 * first.uniform() - 1.0));
    parameters_.resize(parameters_.size() + outputs);
    values_.emplace_back(outputs);
    masks_.emplace_back(outputs);
    d_values_.emplace_back(outputs);
  }
}

InputRow Perceptron::input(std::size_t layer, const InputRow& row) const {
  return layer == 0 ? row : InputRow{.columns = {}, .values = values_[layer - 1]};
}

std::span<const double> Perceptron::forward(const InputRow& row, Stream* dropout) {
  for (std::size_t l = 0; l < layers(); ++l) {
    const InputRow in = input(l, row);
    const std::size_t outputs = widths_[l + 1];
    const double* weight = parameters_.data() + offsets_[l];
    std::vector<double>& out = values_[l];
    std::copy_n(weight + widths_[l] * outputs, outputs, out.begin());
    for (std::size_t i = 0; i < in.values.size(); ++i) {
      const double x = in.values[i];
      if (x == 0.0) continue;
      const double* from = weight + (in.columns.empty() ? i : in.columns[i]) * outputs;
      for (std::size_t o = 0; o < outputs; ++o) out[o] += x * from[o];
    }
    if (l + 1 == layers()) break;
    for (std::size_t o = 0; o < outputs; ++o) {
      const bool dropped = dropout != nullptr && dropout->uniform() < dropout_;
      const double kept = dropout != nullptr ? 1.0 / (1.0 - dropout_) : 1.0;
      masks_[l][o] = dropped || out[o] <= 0.0 ? 0.0 : kept;
      out[o] *= masks_[l][o];
    }
  }
  return values_.back();
}

double Perceptron::add_gradient(const InputRow& row, std::size_t label, Stream* dropout, std::span<double> gradient) {
  SOUK_EXPECT(gradient.size() == parameters_.size() && label < classes());
  forward(row, dropout);
  std::vector<double>& d = d_values_.back();
  d = values_.back();
  softmax(d);
  const double loss = -std::log(std::max(d[label], 1e-300));
  d[label] -= 1.0;
  backward(row, gradient);
  return loss;
}

void Perceptron::backward(const InputRow& row, std::span<double> gradient) {
  for (std::size_t l = layers(); l-- > 0;) {
    const InputRow in = input(l, row);
    const std::size_t outputs = widths_[l + 1];
    const double* weight = parameters_.data() + offsets_[l];
    double* d_weight = gradient.data() + offsets_[l];
    const std::vector<double>& d_out = d_values_[l];
    for (std::size_t o = 0; o < outputs; ++o) d_weight[widths_[l] * outputs + o] += d_out[o];
    for (std::size_t i = 0; i < in.values.size(); ++i) {
      const double x = in.values[i];
      if (x == 0.0) continue;
      double* to = d_weight + (in.columns.empty() ? i : in.columns[i]) * outputs;
      for (std::size_t o = 0; o < outputs; ++o) to[o] += x * d_out[o];
    }
    if (l == 0) return;
    for (std::size_t i = 0; i < widths_[l]; ++i) {
      double sum = 0.0;
      for (std::size_t o = 0; o < outputs; ++o) sum += weight[i * outputs + o] * d_out[o];
      d_values_[l - 1][i] = sum * masks_[l - 1][i];
    }
  }
}

Perceptron trained_perceptron(std::vector<std::size_t> widths, double dropout, std::span<const InputRow> rows,
                              std::span<const std::uint32_t> labels, const PerceptronTraining& how,
                              std::uint64_t seed) {
  SOUK_EXPECT(rows.size() == labels.size() && how.batch > 0);
  Stream first(seed, streams::attacker_training(0));
  Perceptron network(std::move(widths), dropout, first);
  const std::span<double> parameters = network.parameters();
  PerceptronAdam adam(parameters.size(), how.rate);
  std::vector<double> gradient(parameters.size());
  std::vector<std::uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0U);
  for (std::size_t pass = 1; pass <= how.passes; ++pass) {
    Stream draws(seed, streams::attacker_training(pass));
    draws.shuffle(order);
    for (std::size_t begin = 0; begin < order.size(); begin += how.batch) {
      const auto batch = std::span(order).subspan(begin, std::min(how.batch, order.size() - begin));
      std::ranges::fill(gradient, 0.0);
      for (const std::uint32_t row : batch) network.add_gradient(rows[row], labels[row], &draws, gradient);
      const double share = 1.0 / static_cast<double>(batch.size());
      for (std::size_t p = 0; p < gradient.size(); ++p) gradient[p] = share * gradient[p] + how.decay * parameters[p];
      adam.step(parameters, gradient);
      heartbeat::beat();
    }
  }
  return network;
}

}  // namespace souk
