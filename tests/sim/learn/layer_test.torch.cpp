// A kind of layer that the program does not have, defined here alone: what a new kind has to say, and that this is all.
// It is the example of docs/adding-a-layer.md.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/learn/architecture.hpp"
#include "sim/learn/chain_network.hpp"
#include "sim/learn/chain_stage.hpp"
#include "sim/learn/layers/layers.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::layer_test {
namespace {

using fixtures::cross_entropy;
using fixtures::initial_parameters;
using fixtures::logits;
using fixtures::loss_and_gradient;
using fixtures::relative_distance;
using fixtures::Samples;
using ::testing::Each;

/// y = factor x, channel by channel.
class ScaleStage final : public ChainStage {
 public:
  ScaleStage(const Extent& extent, std::size_t factor) : ChainStage(extent, extent), factor_(factor) {}

  void reserve(std::size_t) override {}

  void forward(const float* parameters, const StageValues& values) override {
    for (std::size_t i = 0; i < values.samples * in().size(); ++i) {
      values.out[i] = parameters[factor_ + channel(i)] * values.in[i];
    }
  }

  void backward(const float* parameters, const StageValues& values, float* d_out, float* d_in,
                const GradientSink& sink) override {
    std::vector<float> gradient(in().channels, 0.0F);
    for (std::size_t i = 0; i < values.samples * in().size(); ++i) {
      gradient[channel(i)] += d_out[i] * values.in[i];
      if (d_in != nullptr) d_in[i] = parameters[factor_ + channel(i)] * d_out[i];
    }
    write(gradient, sink);
  }

  void forward_tangent(const float* parameters, const StageValues& values, const StageTangents& tangents) override {
    for (std::size_t i = 0; i < values.samples * in().size(); ++i) {
      tangents.out[i] = tangents.direction[factor_ + channel(i)] * values.in[i];
      if (tangents.in != nullptr) tangents.out[i] += parameters[factor_ + channel(i)] * tangents.in[i];
    }
  }

  void backward_tangent(const float* parameters, const StageValues& values, const StageTangents& tangents, float* d_out,
                        float* d_in, const GradientSink& sink) override {
    const std::size_t size = values.samples * in().size();
    std::vector<float> gradient(in().channels, 0.0F);
    for (std::size_t i = 0; i < size; ++i) {
      const float factor = parameters[factor_ + channel(i)], moved = tangents.direction[factor_ + channel(i)];
      gradient[channel(i)] += d_out[size + i] * values.in[i];
      if (tangents.in != nullptr) gradient[channel(i)] += d_out[i] * tangents.in[i];
      if (d_in == nullptr) continue;
      d_in[i] = factor * d_out[i];
      d_in[size + i] = factor * d_out[size + i] + moved * d_out[i];
    }
    write(gradient, sink);
  }

 private:
  void write(const std::vector<float>& gradient, const GradientSink& sink) const {
    float* factors = sink.parameters + factor_;
    for (std::size_t c = 0; c < gradient.size(); ++c) factors[c] = sink.scale * gradient[c] + sink.keep * factors[c];
  }

  /// Of the i-th of [samples, channels, height, width].
  std::size_t channel(std::size_t i) const { return i / in().pixels() % in().channels; }

  std::size_t factor_;  ///< where the factors begin in the flat vector
};

/// Multiplies each channel by a factor that is learned.
class Scale final : public Layer {
 public:
  explicit Scale(std::string name) : name_(std::move(name)) {}

  Extent place(Architecture& network) override {
    factor_ = network.add_trainable(name_ + ".factor", {in().channels});
    return in();
  }

  void initialise(Stream& random, std::span<const std::span<float>> slots) const override {
    for (float& factor : slots[factor_]) factor = 0.5F + random.uniform_float();
  }

  double forward_flops() const override { return static_cast<double>(in().size()); }

  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(value.dim()), 1);
    shape[1] = -1;  // the channels of images, or the values of vectors
    return value.mul(pass.slots[factor_].view(shape));
  }

  std::unique_ptr<ChainStage> stage(ChainPlan& plan) const override {
    return std::make_unique<ScaleStage>(in(), plan.offset(factor_));
  }

 private:
  std::string name_;
  std::size_t factor_ = 0;  ///< slot: [channels]
};

/// Twice the inputs, of which there are no kernels of ours.
class Twice final : public Layer {
 public:
  Extent place(Architecture&) override { return in(); }
  at::Tensor forward(const at::Tensor& value, TorchPass&) const override { return value.add(value); }
};

const ModelShape images = fixtures::shape(2, 9, 8, 4);

std::unique_ptr<Layer> scale(const std::string& name) { return std::make_unique<Scale>(name); }

/// Scales data, images between convolutions, which would else pass them on pixel by pixel, and vectors.
Architecture scaled_network() {
  Architecture network("scaled", images);
  return network.append(scale("scale1"), layers::conv2d("conv1", {.channels = 3, .kernel = 3, .padding = 1}))
      .append(layers::relu(), scale("scale2"), layers::conv2d("conv2", {.channels = 5, .kernel = 3}))
      .append(layers::relu(), layers::max_pool(2), scale("scale3"), layers::affine("fc1", 6), layers::relu())
      .append(scale("scale4"), layers::affine("fc2", images.outputs()));
}

TEST(NewKindOfLayer, enters_parameters_under_its_name_and_draws_them) {
  const Architecture network = scaled_network();
  std::vector<float> parameters(network.layout().dimension());
  Stream random = fixtures::stream();

  network.initialise(random, parameters);

  const Slot slot = network.layout().slot("scale2.factor");
  const std::span<const float> factors(parameters.data() + slot.offset, slot.size);
  EXPECT_EQ(slot.size, 3U);
  EXPECT_THAT(factors, Each(::testing::AllOf(::testing::Ge(0.5F), ::testing::Le(1.5F))));
}

TEST(NewKindOfLayer, counts_its_work) {
  const Architecture plain = Architecture("plain", images).append(layers::affine("fc", 4));
  const Architecture scaled = Architecture("scaled", images).append(scale("scale"), layers::affine("fc", 4));

  EXPECT_EQ(scaled.forward_flops(), plain.forward_flops() + 2 * 9 * 8);
}

// Float products summed in different orders: relative errors of a few 1e-7 per sum.
TEST(NewKindOfLayer, runs_by_its_own_kernels_as_by_automatic_differentiation) {
  const Architecture network = scaled_network();
  const auto chain = make_chain_network(network, cross_entropy());
  const auto torch = make_torch_network(network, "cpu", cross_entropy());
  auto parameters = initial_parameters(*chain);
  const Samples samples(images, 7);

  const auto ours = loss_and_gradient(*chain, parameters, samples.batch());
  const auto theirs = loss_and_gradient(*torch, parameters, samples.batch());
  EXPECT_LT(relative_distance(logits(*chain, parameters, samples.batch()), logits(*torch, parameters, samples.batch())),
            1e-6);
  EXPECT_NEAR(ours.loss, theirs.loss, 1e-6 * theirs.loss);
  EXPECT_LT(relative_distance(ours.gradient, theirs.gradient), 1e-6);

  const auto direction = fixtures::normal_values(parameters.size(), 9);
  std::vector<float> our_product(direction.size()), their_product(direction.size());
  chain->hessian_vector(parameters, samples.batch(), direction, our_product);
  torch->hessian_vector(parameters, samples.batch(), direction, their_product);
  EXPECT_LT(relative_distance(our_product, their_product), 1e-5);

  auto expected = parameters;
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = 0.95F * expected[i] - 0.5F * theirs.gradient[i];
  chain->descend(parameters, samples.batch(), 0.5, 0.1);
  EXPECT_LT(relative_distance(parameters, expected), 1e-6);
}

TEST(NewKindOfLayer, leaves_the_network_to_libtorch_without_kernels) {
  Architecture network("twice", images);
  network.append(layers::affine("fc1", 5), std::make_unique<Twice>(), layers::affine("fc2", 4));
  const Architecture plain = Architecture("plain", images).append(layers::affine("fc1", 5), layers::affine("fc2", 4));
  const auto torch = make_torch_network(network, "cpu", cross_entropy());
  const auto reference = make_torch_network(plain, "cpu", cross_entropy());
  const auto parameters = initial_parameters(*torch);
  const Samples samples(images, 3);
  auto doubled = parameters;  // of the layer before it
  const Slot second = network.layout().slot("fc2.weight");
  std::for_each_n(doubled.begin(), second.offset, [](float& value) { value *= 2.0F; });

  EXPECT_FALSE(is_chain(network));
  EXPECT_TRUE(is_chain(plain));
  EXPECT_EQ(logits(*torch, parameters, samples.batch()), logits(*reference, doubled, samples.batch()));
}

}  // namespace
}  // namespace souk::layer_test
