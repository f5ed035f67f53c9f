#include "sim/learn/chain_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/learn/chain_kernels.hpp"
#include "sim/learn/chain_stage.hpp"
#include "sim/learn/float_buffer.hpp"

namespace souk {
namespace {

class ChainNetwork final : public Network {
 public:
  ChainNetwork(const Architecture& architecture, std::shared_ptr<const Objective> objective)
      : architecture_(architecture),
        objective_(std::move(objective)),
        layout_(architecture.layout()),
        outputs_(architecture.shape().outputs()),
        stages_(make_chain_stages(architecture)),
        activations_(stages_.size()) {
    SOUK_EXPECT(!stages_.empty());
    // Bounds the activations of one pass; larger batches go through in parts, added up in order.
    constexpr std::size_t floats_per_pass = 4 * 1024 * 1024;
    std::size_t floats_per_sample = 0;
    for (const auto& stage : stages_) floats_per_sample += stage->in().size() + stage->out().size();
    samples_per_pass_ = std::max<std::size_t>(1, floats_per_pass / floats_per_sample);
  }

  const ParameterLayout& layout() const override { return layout_; }
  const ModelShape& shape() const override { return architecture_.shape(); }
  const Architecture* architecture() const override { return &architecture_; }
  double forward_flops() const override { return architecture_.forward_flops(); }
  /// Activations with the places that maxima came from, and two gradients; packed weights and their gradients.
  Footprint footprint(std::size_t trained, std::size_t tested) const override {
    const std::size_t samples = std::min(std::max(trained, tested), samples_per_pass_);
    std::size_t largest = 0, all = 0;
    for (const auto& stage : stages_) {
      largest = std::max(largest, stage->out().size());
      all += stage->out().size();
    }
    Footprint footprint;
    footprint.held = static_cast<double>(samples * (all * (sizeof(float) + 1) + 2 * largest * sizeof(float))) +
                     static_cast<double>(3 * layout_.trainable() * sizeof(float));
    return footprint;
  }
  void initialise(Stream& random, std::span<float> parameters) const override {
    architecture_.initialise(random, parameters);
  }

  void outputs(std::span<const float> parameters, const Batch& batch, std::span<float> out) override {
    check(parameters, batch);
    SOUK_EXPECT(out.size() == batch.samples * outputs_);
    for_each_part(batch, samples_per_pass_, [&](std::size_t first, std::size_t samples) {
      const float* answers = forward(parameters.data(), batch.features.data() + first * inputs(), samples);
      std::copy_n(answers, samples * outputs_, out.data() + first * outputs_);
    });
  }

  double gradient(std::span<float> parameters, const Batch& batch, std::span<float> gradient) override {
    check(parameters, batch);
    SOUK_EXPECT(gradient.size() == layout_.trainable() && batch.samples > 0);
    double loss = 0.0;
    for_each_part(batch, samples_per_pass_, [&](std::size_t first, std::size_t samples) {
      const GradientSink sink{.parameters = gradient.data(), .keep = first == 0 ? 0.0F : 1.0F};
      loss += pass(parameters.data(), batch, first, samples, sink);
    });
    return loss / static_cast<double>(batch.samples);
  }

  bool descends() const override { return true; }

  double descend(std::span<float> parameters, const Batch& batch, double learning_rate, double weight_decay) override {
    check(parameters, batch);
    SOUK_EXPECT(batch.samples > 0);
    const GradientSink sink{.parameters = parameters.data(),
                            .scale = static_cast<float>(-learning_rate),
                            .keep = static_cast<float>(1.0 - learning_rate * weight_decay)};
    if (batch.samples <= samples_per_pass_) {
      reserve(batch.samples);
      return pass(parameters.data(), batch, 0, batch.samples, sink) / static_cast<double>(batch.samples);
    }
    gradient_.reserve(layout_.trainable());  // every part reads the old parameters
    const double loss = gradient(parameters, batch, {gradient_.data(), layout_.trainable()});
    kernels::blend(sink.scale, gradient_.data(), sink.keep, parameters.data(), layout_.trainable());
    return loss;
  }

  /// Where all stages know norms: one pass backwards for them, and a second one for the sum, in which samples weigh as
  /// they are shortened.
  double clipped_gradients(std::span<float> parameters, const Batch& batch, double bound,
                           std::span<float> sum) override {
    if (!std::ranges::all_of(stages_, &ChainStage::knows_norms)) {
      return Network::clipped_gradients(parameters, batch, bound, sum);
    }
    check(parameters, batch);
    SOUK_EXPECT(sum.size() == layout_.trainable());
    std::ranges::fill(sum, 0.0F);
    double loss = 0.0;
    for_each_part(batch, samples_per_pass_, [&](std::size_t first, std::size_t samples) {
      loss += clipped_pass(parameters.data(), batch, first, samples, bound, sum.data());
    });
    return loss;
  }

  void directional(std::span<const float> parameters, const Batch& batch, std::span<const float> direction,
                   const DirectionalGradients& out) override {
    check(parameters, batch);
    check_directional(batch, direction, out);
    // Tangents take as much memory as values.
    const std::size_t samples_per_pass = std::max<std::size_t>(1, samples_per_pass_ / 2);
    const std::size_t largest_part = std::min(batch.samples, samples_per_pass);
    reserve_tangents(largest_part);
    if (!out.features.empty()) feature_slopes_.reserve(2 * largest_part * inputs());
    for_each_part(batch, samples_per_pass, [&](std::size_t first, std::size_t samples) {
      const GradientSink sink{.parameters = out.trainable.empty() ? nullptr : out.trainable.data(),
                              .keep = first == 0 ? 0.0F : 1.0F};
      const TangentTargets targets{.sink = sink,
                                   .features = out.features.empty() ? nullptr : out.features.data() + first * inputs(),
                                   .shares = out.shares.empty() ? nullptr : out.shares.data() + first * outputs_};
      tangent_pass(parameters.data(), direction.data(), batch, first, samples, targets);
    });
  }

 private:
  std::size_t inputs() const { return stages_.front()->in().size(); }

  void check(std::span<const float> parameters, const Batch& batch) const {
    SOUK_EXPECT(parameters.size() == layout_.dimension());
    SOUK_EXPECT(batch.features.size() == batch.samples * inputs());
    SOUK_EXPECT(batch.labels.size() == batch.samples || batch.labels.empty());
    SOUK_EXPECT(batch.numbers.size() == batch.samples || batch.numbers.empty());
    SOUK_EXPECT(batch.shares.empty() ||
                (objective_->takes_shares() && batch.shares.size() == batch.samples * outputs_));
  }

  void check_directional(const Batch& batch, std::span<const float> direction, const DirectionalGradients& out) const {
    SOUK_EXPECT(direction.size() == layout_.trainable() && batch.samples > 0);
    SOUK_EXPECT(out.trainable.empty() || out.trainable.size() == layout_.trainable());
    SOUK_EXPECT(out.features.empty() || out.features.size() == batch.features.size());
    SOUK_EXPECT(out.shares.empty() || (objective_->takes_shares() && out.shares.size() == batch.samples * outputs_));
  }

  /// Where the derivatives of a part of a batch go; null: nowhere.
  struct TangentTargets {
    GradientSink sink;
    float* features = nullptr;  ///< [samples, inputs]
    float* shares = nullptr;    ///< [samples, outputs]
  };

  /// Parts depend on the batch alone, so do the bits.
  template <class Use>
  void for_each_part(const Batch& batch, std::size_t samples_per_pass, const Use& use) {
    reserve(std::min(batch.samples, samples_per_pass));
    for (std::size_t first = 0; first < batch.samples; first += samples_per_pass) {
      use(first, std::min(samples_per_pass, batch.samples - first));
    }
  }

  void reserve(std::size_t samples) {
    if (samples <= reserved_) return;
    std::size_t largest = 0;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      stages_[i]->reserve(samples);
      activations_[i].reserve(samples * stages_[i]->out().size());
      largest = std::max(largest, stages_[i]->out().size());
    }
    for (FloatBuffer& buffer : gradients_) buffer.reserve(samples * largest);
    reserved_ = samples;
  }

  void reserve_tangents(std::size_t samples) {
    tangents_.resize(stages_.size());
    std::size_t largest = 0;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      tangents_[i].reserve(samples * stages_[i]->out().size());
      largest = std::max(largest, stages_[i]->out().size());
    }
    for (FloatBuffer& buffer : gradients_) buffer.reserve(2 * samples * largest);
    slopes_.reserve(2 * samples * outputs_);
  }

  StageValues values(std::size_t stage, const float* features, std::size_t samples) {
    return {.in = stage == 0 ? features : activations_[stage - 1].data(),
            .out = activations_[stage].data(),
            .samples = samples};
  }

  float* forward(const float* parameters, const float* features, std::size_t samples) {
    for (std::size_t i = 0; i < stages_.size(); ++i) stages_[i]->forward(parameters, values(i, features, samples));
    return activations_.back().data();
  }

  /// Forward and backward over samples [first, first + samples); the sum of their losses. The gradient is of the mean
  /// over the whole batch.
  double pass(const float* parameters, const Batch& batch, std::size_t first, std::size_t samples,
              const GradientSink& sink) {
    const float* features = batch.features.data() + first * inputs();
    float* d_out = forward(parameters, features, samples);
    const double loss = objective_->gradient({d_out, samples * outputs_}, outputs_,
                                             batch.targets().part(first, samples), batch.samples);
    backward(parameters, features, samples, sink, d_out, [](std::size_t, const float*) {});
    return loss;
  }

  /// `done` is shown what every stage leaves of the gradient of what it answered.
  template <class Done>
  void backward(const float* parameters, const float* features, std::size_t samples, const GradientSink& sink,
                float* d_out, const Done& done) {
    for (std::size_t i = stages_.size(); i-- > 0;) {
      float* d_in = i == 0 ? nullptr : gradients_[i % 2].data();
      stages_[i]->backward(parameters, values(i, features, samples), d_out, d_in, sink);
      done(i, d_out);
      d_out = d_in;
    }
  }

  /// Adds the shortened gradients of samples [first, first + samples) to `sum`; the sum of their losses.
  double clipped_pass(const float* parameters, const Batch& batch, std::size_t first, std::size_t samples, double bound,
                      float* sum) {
    const float* features = batch.features.data() + first * inputs();
    float* d_out = forward(parameters, features, samples);
    const std::size_t outputs = samples * outputs_;
    const double loss =
        objective_->gradient({d_out, outputs}, outputs_, batch.targets().part(first, samples), std::size_t{1});
    slopes_.reserve(outputs);
    std::copy_n(d_out, outputs, slopes_.data());
    std::vector<double> squares(samples, 0.0);
    backward(parameters, features, samples, {}, d_out, [&](std::size_t i, const float* left) {
      stages_[i]->add_squared_norms(values(i, features, samples), left, squares.data());
    });
    for (std::size_t s = 0; s < samples; ++s) {
      const auto factor = static_cast<float>(clipping_factor(std::sqrt(squares[s]), bound));
      for (std::size_t o = s * outputs_; o < (s + 1) * outputs_; ++o) slopes_.data()[o] *= factor;
    }
    backward(parameters, features, samples, {.parameters = sum, .keep = 1.0F}, slopes_.data(),
             [](std::size_t, const float*) {});
    return loss;
  }

  StageTangents tangents(std::size_t stage, const float* direction) {
    return {.direction = direction,
            .in = stage == 0 ? nullptr : tangents_[stage - 1].data(),
            .out = tangents_[stage].data(),
            .last = stage == 0};
  }

  /// What `pass` does, and beside it its derivative along `direction`. ReLU and maxima are taken for the linear
  /// functions that they are around these values.
  void tangent_pass(const float* parameters, const float* direction, const Batch& batch, std::size_t first,
                    std::size_t samples, const TangentTargets& out) {
    const float* features = batch.features.data() + first * inputs();
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      stages_[i]->forward(parameters, values(i, features, samples));
      stages_[i]->forward_tangent(parameters, values(i, features, samples), tangents(i, direction));
    }
    const std::size_t outputs = samples * outputs_;
    const Targets targets = batch.targets().part(first, samples);
    float* d_out = slopes_.data();
    std::copy_n(activations_.back().data(), outputs, d_out);
    objective_->gradient({d_out, outputs}, outputs_, targets, batch.samples);
    std::copy_n(tangents_.back().data(), outputs, d_out + outputs);
    objective_->curvature({activations_.back().data(), outputs}, outputs_, targets, batch.samples,
                          {d_out + outputs, outputs});
    if (out.shares != nullptr) {
      std::copy_n(tangents_.back().data(), outputs, out.shares);
      objective_->share_slopes({activations_.back().data(), outputs}, outputs_, batch.samples, {out.shares, outputs});
    }
    float* const first_in = out.features == nullptr ? nullptr : feature_slopes_.data();
    for (std::size_t i = stages_.size(); i-- > 0;) {
      float* d_in = i == 0 ? first_in : gradients_[i % 2].data();
      stages_[i]->backward_tangent(parameters, values(i, features, samples), tangents(i, direction), d_out, d_in,
                                   out.sink);
      d_out = d_in;
    }
    if (out.features != nullptr) std::copy_n(first_in + samples * inputs(), samples * inputs(), out.features);
  }

  Architecture architecture_;
  std::shared_ptr<const Objective> objective_;
  ParameterLayout layout_;
  std::size_t outputs_;
  std::vector<std::unique_ptr<ChainStage>> stages_;
  std::vector<FloatBuffer> activations_;  ///< output of every stage
  std::array<FloatBuffer, 2> gradients_;  ///< of activations, for the stage at work and the one before it
  FloatBuffer gradient_;
  std::vector<FloatBuffer> tangents_;  ///< of the output of every stage
  FloatBuffer slopes_;                 ///< [2, samples, outputs]: of the objective, and their tangents
  FloatBuffer feature_slopes_;         ///< [2, samples, inputs]
  std::size_t samples_per_pass_ = 1, reserved_ = 0;
};

}  // namespace

bool is_chain(const Architecture& architecture) { return !make_chain_stages(architecture).empty(); }

std::unique_ptr<Network> make_chain_network(const Architecture& architecture,
                                            std::shared_ptr<const Objective> objective) {
  return std::make_unique<ChainNetwork>(architecture, std::move(objective));
}

}  // namespace souk
