#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "sim/learn/architecture.hpp"

namespace souk {

/// Where a weight gradient goes: target = scale * gradient + keep * target.
struct GradientSink {
  float* parameters = nullptr;  ///< flat, [trainable]
  float scale = 1.0F, keep = 0.0F;
};

/// What a stage read and answered in the forward pass, for a number of samples.
struct StageValues {
  const float* in = nullptr;  ///< [samples, in]
  float* out = nullptr;       ///< [samples, out]
  std::size_t samples = 0;
};

/// An affine layer or a convolution together with the ReLU and the pooling behind it: they are fused, so that only
/// what the backward pass needs is kept. Owns the work memory of its kernels.
class ChainStage {
 public:
  virtual ~ChainStage() = default;
  /// Makes room for this many samples at a time.
  virtual void reserve(std::size_t samples) = 0;
  virtual void forward(const float* parameters, const StageValues& values) = 0;
  /// From d_out [samples, out], overwritten, to d_in [samples, in], unless null, and the sink. Follows forward with the
  /// same values. The parameters may be the sink: they are read before they are written.
  virtual void backward(const float* parameters, const StageValues& values, float* d_out, float* d_in,
                        const GradientSink& sink) = 0;
  const Extent& in() const { return in_; }
  const Extent& out() const { return out_; }

 protected:
  ChainStage(const Extent& in, const Extent& out) : in_(in), out_(out) {}

 private:
  Extent in_, out_;
};

/// The stages of a chain; empty if the architecture is none.
std::vector<std::unique_ptr<ChainStage>> make_chain_stages(const Architecture& architecture);

}  // namespace souk
