#include "attacks/update_match.hpp"

#include <gtest/gtest.h>

#include "tests/sim/learn/fixtures.hpp"

namespace souk::update_match_test {
namespace {

/// L = (w x - y)^2 / 2 of one number, y = 1.
class Product final : public Network {
 public:
  Product() : layout_({Slot{.name = "w", .shape = {1}, .trainable = true, .offset = 0, .size = 1}}) {}
  const ParameterLayout& layout() const override { return layout_; }
  const ModelShape& shape() const override { return shape_; }
  void initialise(Stream&, std::span<float>) const override {}
  void outputs(std::span<const float>, const Batch&, std::span<float>) override {}
  double gradient(std::span<float> w, const Batch& batch, std::span<float> gradient) override {
    const float x = batch.features[0];
    gradient[0] = (w[0] * x - 1.0F) * x;
    return 0.0;
  }
  void directional(std::span<const float> w, const Batch& batch, std::span<const float> direction,
                   const DirectionalGradients& out) override {
    const float x = batch.features[0];
    if (!out.trainable.empty()) out.trainable[0] = x * x * direction[0];
    if (!out.features.empty()) out.features[0] = (2.0F * w[0] * x - 1.0F) * direction[0];
  }
  double forward_flops() const override { return 0.0; }
  Footprint footprint(std::size_t, std::size_t) const override { return {}; }

 private:
  ParameterLayout layout_;
  ModelShape shape_{.input = {1, 1, 1}, .classes = 1};
};

// Specification 11, vector 4: w = 1, .8, .68 and dw_2/dx = -.4.
TEST(UpdateMatch, goes_back_through_two_steps) {
  Product network;
  const std::vector<float> model{1.0F}, seen{-0.5F};
  const std::vector<PixelScale> pixels{{0.0F, 1.0F}};
  UpdateMatch match({.network = network,
                     .model = model,
                     .change = seen,
                     .clients = {{.rate = 0.1, .samples = 1, .batches = {{0}, {0}}}},
                     .pixels = pixels,
                     .labels = {0}});
  std::vector<double> gradient(1);

  const double value = match.evaluate(std::vector<double>{2.0}, gradient);

  EXPECT_NEAR(value, (-0.32 + 0.5) * (-0.32 + 0.5) / 0.25, 1e-6);
  EXPECT_NEAR(gradient[0], 2.0 * (-0.32 + 0.5) / 0.25 * -0.4, 1e-6);
}

struct Imitation {
  std::string name, model;
  MatchCost cost;
  double weight_decay, variation;
  bool joint;
  double statistics = 0.0;
  double step = 2e-3;  ///< of differences: short where maxima may change sides
};

class EveryImitation : public ::testing::TestWithParam<Imitation> {};

// Two clients, of two passes over three samples each in mini-batches of two. Differences of single-precision gradients:
// a part in a hundred.
TEST_P(EveryImitation, has_the_gradient_that_finite_differences_give) {
  const Imitation& with = GetParam();
  const ModelShape shape = fixtures::shape(1, 12, 12, 4);
  const auto network = make_network(fixtures::model(with.model), shape, "cpu");
  const auto model = fixtures::initial_parameters(*network);
  const std::size_t trainable = network->layout().trainable();
  const auto seen = fixtures::normal_values(trainable, 5);
  const auto moves = fixtures::normal_values(with.statistics > 0.0 ? model.size() - trainable : 0, 6);
  const std::vector<PixelScale> pixels{{-0.5F, 2.0F}};
  const ImitatedClient client{.share = 0.5,
                              .rate = 0.3,
                              .weight_decay = with.weight_decay,
                              .samples = 3,
                              .batches = {{2, 0}, {1}, {0, 1}, {2}}};
  UpdateMatch match({.network = *network,
                     .model = model,
                     .change = seen,
                     .clients = {client, client},
                     .pixels = pixels,
                     .labels = with.joint ? std::vector<std::int32_t>() : std::vector<std::int32_t>{0, 1, 2, 3, 1, 1},
                     .cost = with.cost,
                     .total_variation = with.variation,
                     .statistics = moves,
                     .of_statistics = with.statistics});
  std::vector<double> at(match.variables()), gradient(at.size()), unused(at.size());
  Stream random = fixtures::stream(8);
  for (double& value : at) value = random.uniform();
  match.evaluate(at, gradient);
  double square = 0.0;
  for (const double value : gradient) square += value * value;
  const double length = std::sqrt(square);

  const auto value_at = [&](double step) {
    std::vector<double> moved = at;
    for (std::size_t i = 0; i < at.size(); ++i) moved[i] += step * gradient[i] / length;
    return match.evaluate(moved, unused);
  };
  const double step = with.step;
  const double difference = (value_at(step) - value_at(-step)) / (2.0 * step);

  EXPECT_GT(length, 0.0);
  EXPECT_NEAR(difference, length, 1e-2 * length);
}

INSTANTIATE_TEST_SUITE_P(
    Imitations, EveryImitation,
    ::testing::Values(
        Imitation{"euclidean", "mlp { hidden: 9 activation: SIGMOID }", MatchCost::euclidean, 0, 0, false},
        Imitation{"cosine", "mlp { hidden: 9 activation: SIGMOID }", MatchCost::cosine, 0, 0, false},
        Imitation{"joint", "mlp { hidden: 9 activation: SIGMOID }", MatchCost::cosine, 0, 0, true},
        Imitation{"decay", "mlp { hidden: 9 activation: SIGMOID }", MatchCost::cosine, 0.1, 0, false},
        Imitation{"variation", "mlp { hidden: 9 activation: SIGMOID }", MatchCost::cosine, 0, 1e-6, false},
        Imitation{"relu", "mlp { hidden: 9 }", MatchCost::cosine, 0, 0, false},
        Imitation{"convolutions", "cnn_small {}", MatchCost::cosine, 0, 0, true, 0, 1e-4},
        Imitation{"normalised", "conv_net { batch_norm: true activation: SIGMOID }", MatchCost::cosine, 0.1, 0, false},
        Imitation{"statistics", "conv_net { batch_norm: true activation: SIGMOID }", MatchCost::cosine, 0.1, 0, false,
                  1e3}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace souk::update_match_test
