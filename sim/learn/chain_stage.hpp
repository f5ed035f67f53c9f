#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "sim/learn/architecture.hpp"
#include "sim/learn/layer.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {

/// Where a weight gradient goes: target = scale * gradient + keep * target. Null: nobody asks for it, which is so on
/// the way back along a direction, and of stages that know norms.
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

/// Derivatives along a direction in the parameters: of what a stage reads, and of what it answers.
struct StageTangents {
  const float* direction = nullptr;  ///< flat, [trainable]
  const float* in = nullptr;         ///< [samples, in]; null: the input does not move
  float* out = nullptr;              ///< [samples, out]
  bool last = false;                 ///< of the way back: of d_in the second half alone, the tangent, is asked for
};

/// A layer by own kernels, together with those behind it that it takes over (an affine layer its ReLU, a convolution
/// its ReLU and pooling): they are fused, so that only what the backward pass needs is kept. Owns the work memory.
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
  /// Whether it knows how long single samples' gradients of its parameters are without computing them.
  virtual bool knows_norms() const { return false; }
  /// squares [samples] += squared Euclidean norms of these. Follows backward with the same values and d_out as that has
  /// left it. Contract: it knows them.
  virtual void add_squared_norms(const StageValues&, const float* /*d_out*/, double* /*squares*/) const {}
  /// Writes tangents.out: the derivative of forward. Follows it with the same values.
  virtual void forward_tangent(const float* parameters, const StageValues& values, const StageTangents& tangents) = 0;
  /// The derivative of backward: from d_out [2, samples, out], a gradient and behind it its tangent, overwritten, to
  /// d_in [2, samples, in], unless null, and the tangent of the weight gradient to the sink, unless null. Follows
  /// forward_tangent. Where this is the last stage on the way back the first half of d_in may hold anything.
  virtual void backward_tangent(const float* parameters, const StageValues& values, const StageTangents& tangents,
                                float* d_out, float* d_in, const GradientSink& sink) = 0;
  const Extent& in() const { return in_; }
  const Extent& out() const { return out_; }

 protected:
  ChainStage(const Extent& in, const Extent& out) : in_(in), out_(out) {}

 private:
  Extent in_, out_;
};

/// Layers from front to back while they become stages: what they ask about their surroundings.
class ChainPlan {
 public:
  explicit ChainPlan(const Architecture& architecture);
  bool done() const { return next_ == layers_.size(); }
  const Layer& next() { return *layers_[next_++]; }
  /// Takes the next layer over where this is what it does.
  bool take(Finish finish);
  /// Of the last layer that became or joined a stage.
  const Extent& out() const { return layers_[next_ - 1]->out(); }
  /// Whether the stage that follows may be given images pixel by pixel.
  bool pixels_wanted() const { return !done() && layers_[next_]->reads_pixels(); }
  /// Where a layer's tensor begins in the flat vector.
  std::size_t offset(std::size_t slot) const { return slots_[slot].offset; }

  /// How images lie that the next stage reads: channel by channel, as in data sets and before affine layers, or, where
  /// a stage wrote them so because that was wanted, pixel by pixel.
  bool by_pixel = false;

 private:
  std::span<const std::shared_ptr<const Layer>> layers_;
  std::vector<Slot> slots_;
  std::size_t next_ = 0;
};

/// The stages of a chain; empty if the architecture is none.
std::vector<std::unique_ptr<ChainStage>> make_chain_stages(const Architecture& architecture);

}  // namespace souk
