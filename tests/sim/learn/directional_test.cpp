#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/learn/architecture.hpp"
#include "sim/learn/chain_network.hpp"
#include "sim/learn/torch_network.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::directional_test {
namespace {

using fixtures::dot;
using fixtures::initial_parameters;
using fixtures::norm;
using fixtures::normal_values;
using fixtures::relative_distance;

/// Samples with soft labels.
struct SoftSamples {
  SoftSamples(const ModelShape& shape, std::size_t count)
      : features(normal_values(count * shape.inputs(), 1)), shares(count * shape.outputs()) {
    Stream random = fixtures::stream(2);
    for (std::size_t i = 0; i < count; ++i) {
      float sum = 0.0F;
      const auto row = std::span(shares).subspan(i * shape.outputs(), shape.outputs());
      for (float& share : row) sum += share = 0.1F + random.uniform_float();
      for (float& share : row) share /= sum;
    }
  }
  Batch batch() const {
    return {.features = features, .labels = {}, .samples = shares.size() / 4, .numbers = {}, .shares = shares};
  }
  std::vector<float> features, shares;
};

struct Directional {
  Directional(const Network& network, const Batch& batch)
      : trainable(network.layout().trainable()), features(batch.features.size()), shares(batch.shares.size()) {}
  DirectionalGradients all() { return {.trainable = trainable, .features = features, .shares = shares}; }
  std::vector<float> trainable, features, shares;
};

struct Case {
  std::string name, model;
  ModelShape shape;
  float step = 2e-3F;  ///< of differences: short where many units may change sides
};

class EveryNetwork : public ::testing::TestWithParam<Case> {};

TEST_P(EveryNetwork, differentiates_by_own_kernels_as_by_automatic_differentiation) {
  const auto& [name, model, shape, step] = GetParam();
  const Architecture architecture = make_architecture(fixtures::model(model), shape);
  const auto ours = make_network(fixtures::model(model), shape, "cpu");
  const auto theirs = make_torch_network(architecture, "cpu", fixtures::cross_entropy());
  const auto parameters = initial_parameters(*ours);
  const SoftSamples samples(shape, 5);
  const auto direction = normal_values(ours->layout().trainable(), 3);
  Directional a(*ours, samples.batch()), b(*theirs, samples.batch());

  ours->directional(parameters, samples.batch(), direction, a.all());
  theirs->directional(parameters, samples.batch(), direction, b.all());

  EXPECT_LT(relative_distance(a.trainable, b.trainable), 1e-4);
  EXPECT_LT(relative_distance(a.features, b.features), 1e-4);
  EXPECT_LT(relative_distance(a.shares, b.shares), 1e-4);
}

// v times the gradient, moved along the features, along the soft labels, and (the Hessian) along the parameters.
TEST_P(EveryNetwork, is_the_gradient_of_a_directional_derivative) {
  const auto& [name, model, shape, step] = GetParam();
  const auto network = make_network(fixtures::model(model), shape, "cpu");
  const auto parameters = initial_parameters(*network);
  const SoftSamples samples(shape, 2);
  auto direction = normal_values(network->layout().trainable(), 3);
  const auto direction_norm = static_cast<float>(norm(direction));
  for (float& value : direction) value /= direction_norm;
  Directional here(*network, samples.batch());
  network->directional(parameters, samples.batch(), direction, here.all());
  const auto slope = [&](const SoftSamples& moved) {
    return dot(direction, fixtures::loss_and_gradient(*network, parameters, moved.batch()).gradient);
  };
  const auto difference = [&](std::vector<float> SoftSamples::*of, std::span<const float> along, float length) {
    SoftSamples ahead = samples, behind = samples;
    for (std::size_t i = 0; i < along.size(); ++i) {
      (ahead.*of)[i] += length * along[i];
      (behind.*of)[i] -= length * along[i];
    }
    return (slope(ahead) - slope(behind)) / (2.0 * static_cast<double>(length));
  };

  const double of_features = norm(here.features), of_shares = norm(here.shares);
  auto features = here.features, shares = here.shares;
  for (float& value : features) value /= static_cast<float>(of_features);
  for (float& value : shares) value /= static_cast<float>(of_shares);

  EXPECT_NEAR(difference(&SoftSamples::features, features, step), of_features, 5e-2 * of_features);
  // Shares of sum 1 alone have the derivative that is meant: what moves a sample's sum is taken out.
  for (std::size_t first = 0; first < shares.size(); first += 4) {
    float mean = 0.0F;
    for (std::size_t c = 0; c < 4; ++c) mean += shares[first + c] / 4.0F;
    for (std::size_t c = 0; c < 4; ++c) shares[first + c] -= mean;
  }
  const double along = dot(here.shares, shares);
  EXPECT_NEAR(difference(&SoftSamples::shares, shares, 1e-2F), along, 1e-2 * of_shares);
}

TEST_P(EveryNetwork, saves_nothing_but_work_by_asking_less) {
  const auto& [name, model, shape, step] = GetParam();
  const auto network = make_network(fixtures::model(model), shape, "cpu");
  const auto parameters = initial_parameters(*network);
  const SoftSamples samples(shape, 3);
  const auto direction = normal_values(network->layout().trainable(), 3);
  Directional all(*network, samples.batch()), some(*network, samples.batch());

  network->directional(parameters, samples.batch(), direction, all.all());
  network->directional(parameters, samples.batch(), direction, {.features = some.features});
  network->hessian_vector(parameters, samples.batch(), direction, some.trainable);

  EXPECT_EQ(some.features, all.features);
  EXPECT_EQ(some.trainable, all.trainable);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, EveryNetwork,
    ::testing::Values(Case{"logreg", "logreg {}", fixtures::shape(1, 6, 6, 4)},
                      Case{"mlp", "mlp { hidden: 9 hidden: 7 }", fixtures::shape(1, 6, 6, 4)},
                      Case{"sigmoid", "mlp { hidden: 9 hidden: 7 activation: SIGMOID }", fixtures::shape(1, 6, 6, 4)},
                      Case{"lenet5", "lenet5 {}", fixtures::shape(1, 14, 14, 4)},
                      Case{"cnn_small", "cnn_small {}", fixtures::shape(2, 12, 12, 4)},
                      Case{"leaky", "conv_net { convolutions { channels: 5 } }", fixtures::shape(2, 9, 9, 4)},
                      Case{"resnet20", "resnet20 {}", fixtures::shape(3, 8, 8, 4), 5e-5F}),
    [](const auto& instance) { return instance.param.name; });

// The moves of running statistics along a direction, by differences: their derivatives in features and parameters.
TEST(RunningStatistics, are_followed_as_they_move) {
  const ModelShape shape = fixtures::shape(2, 8, 8, 4);
  const auto network = make_network(
      fixtures::model(
          "conv_net { convolutions { channels: 5 } convolutions { channels: 3 } batch_norm: true activation: "
          "SIGMOID }"),
      shape, "cpu");
  const std::size_t trainable = network->layout().trainable();
  const auto parameters = initial_parameters(*network);
  const fixtures::Samples samples(shape, 3);
  auto direction = normal_values(parameters.size(), 3);
  std::fill_n(direction.begin(), trainable, 0.0F);
  std::vector<float> of_features(samples.features.size()), of_parameters(trainable);

  network->directional(parameters, samples.batch(), direction, {.trainable = of_parameters, .features = of_features});

  const auto moved = [&](std::vector<float> at, const std::vector<float>& features) {
    std::vector<float> gradient(trainable);
    network->gradient(at, {.features = features, .labels = samples.labels, .samples = 3}, gradient);
    double sum = 0.0;
    for (std::size_t v = trainable; v < at.size(); ++v) sum += double(direction[v]) * (double(at[v]) - parameters[v]);
    return sum;
  };
  const auto slope_along = [&](const std::vector<float>& slope, bool features) {
    const float step = 1e-2F / static_cast<float>(norm(slope));
    std::vector<float> at[2] = {parameters, parameters}, read[2] = {samples.features, samples.features};
    for (std::size_t i = 0; i < slope.size(); ++i) {
      (features ? read : at)[0][i] += step * slope[i];
      (features ? read : at)[1][i] -= step * slope[i];
    }
    return (moved(at[0], read[0]) - moved(at[1], read[1])) / 2e-2;
  };
  EXPECT_TRUE(network->follows_statistics());
  EXPECT_GT(norm(of_features), 0.0);
  EXPECT_NEAR(slope_along(of_features, true), norm(of_features), 1e-2 * norm(of_features));
  EXPECT_NEAR(slope_along(of_parameters, false), norm(of_parameters), 1e-2 * norm(of_parameters));
}

TEST(SoftLabels, that_are_certain_are_classes) {
  const ModelShape shape = fixtures::shape(1, 6, 6, 4);
  const auto network = make_network(fixtures::model("mlp { hidden: 9 }"), shape, "cpu");
  const auto parameters = initial_parameters(*network);
  const fixtures::Samples samples(shape, 5);
  std::vector<float> shares(20, 0.0F);
  for (std::size_t i = 0; i < 5; ++i) shares[i * 4 + static_cast<std::size_t>(samples.labels[i])] = 1.0F;

  const auto hard = fixtures::loss_and_gradient(*network, parameters, samples.batch());
  const auto soft = fixtures::loss_and_gradient(
      *network, parameters,
      {.features = samples.features, .labels = {}, .samples = 5, .numbers = {}, .shares = shares});

  EXPECT_NEAR(soft.loss, hard.loss, 1e-6);
  EXPECT_LT(relative_distance(soft.gradient, hard.gradient), 1e-6);
}

}  // namespace
}  // namespace souk::directional_test
