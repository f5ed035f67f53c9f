#pragma once

#include <algorithm>
#include <cstddef>

#include "sim/learn/chain_stage.hpp"

namespace souk {

/// A function of single values by own kernels. Function: value(x), and of an answer y slope(y), y', and bend(y), y'' /
/// y'.
template <class Function>
class ElementStage final : public ChainStage {
 public:
  ElementStage(const Layer& layer, Function function)
      : ChainStage(layer.in(), layer.out()), size_(layer.in().size()), function_(function) {}

  void reserve(std::size_t) override {}

  void forward(const float*, const StageValues& values) override {
    for (std::size_t i = 0; i < values.samples * size_; ++i) values.out[i] = function_.value(values.in[i]);
  }

  void backward(const float*, const StageValues& values, float* d_out, float* d_in, const GradientSink&) override {
    if (d_in == nullptr) return;
    for (std::size_t i = 0; i < values.samples * size_; ++i) d_in[i] = d_out[i] * function_.slope(values.out[i]);
  }

  bool knows_norms() const override { return true; }  // there are no parameters

  void forward_tangent(const float*, const StageValues& values, const StageTangents& tangents) override {
    const std::size_t count = values.samples * size_;
    if (tangents.in == nullptr) {
      std::fill_n(tangents.out, count, 0.0F);
      return;
    }
    for (std::size_t i = 0; i < count; ++i) tangents.out[i] = function_.slope(values.out[i]) * tangents.in[i];
  }

  // Of g y': g' y' + g y'' x', where y' x' is what forward_tangent has written.
  void backward_tangent(const float*, const StageValues& values, const StageTangents& tangents, float* d_out,
                        float* d_in, const GradientSink&) override {
    if (d_in == nullptr) return;
    const std::size_t count = values.samples * size_;
    for (std::size_t i = 0; i < count; ++i) {
      const float y = values.out[i];
      d_in[i] = d_out[i] * function_.slope(y);
      d_in[count + i] = d_out[count + i] * function_.slope(y) + d_out[i] * function_.bend(y) * tangents.out[i];
    }
  }

 private:
  std::size_t size_;
  Function function_;
};

}  // namespace souk
