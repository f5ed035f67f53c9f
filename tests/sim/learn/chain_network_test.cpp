#include "sim/learn/chain_network.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/learn/fixtures.hpp"

namespace souk::chain_network_test {
namespace {

using fixtures::cross_entropy;
using fixtures::initial_parameters;
using fixtures::logits;
using fixtures::loss_and_gradient;
using fixtures::relative_distance;
using fixtures::Samples;

struct Case {
  std::string name, model;
  ModelShape shape;
  std::size_t samples;
};

Architecture architecture_of(const Case& test) { return make_architecture(fixtures::model(test.model), test.shape); }

class ChainAgainstTorch : public ::testing::TestWithParam<Case> {
 protected:
  Architecture architecture_ = architecture_of(GetParam());
  std::unique_ptr<Network> chain_ = make_chain_network(architecture_, cross_entropy());
  std::unique_ptr<Network> torch_ = make_torch_network(architecture_, "cpu", cross_entropy());
  std::vector<float> parameters_ = initial_parameters(*chain_);
  Samples samples_{GetParam().shape, GetParam().samples};
};

// Both sum the same float products in different orders: relative errors of a few 1e-7 per sum.
constexpr double tolerance = 1e-6;

TEST_P(ChainAgainstTorch, gives_the_same_logits) {
  const auto ours = logits(*chain_, parameters_, samples_.batch());
  const auto theirs = logits(*torch_, parameters_, samples_.batch());

  EXPECT_LT(relative_distance(ours, theirs), tolerance);
}

TEST_P(ChainAgainstTorch, gives_the_same_loss_and_gradient) {
  const auto ours = loss_and_gradient(*chain_, parameters_, samples_.batch());
  const auto theirs = loss_and_gradient(*torch_, parameters_, samples_.batch());

  EXPECT_NEAR(ours.loss, theirs.loss, tolerance * theirs.loss);
  EXPECT_LT(relative_distance(ours.gradient, theirs.gradient), tolerance);
}

TEST_P(ChainAgainstTorch, descends_along_that_gradient) {
  const auto before = loss_and_gradient(*torch_, parameters_, samples_.batch());
  std::vector<float> expected = parameters_;
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = 0.95F * expected[i] - 0.5F * before.gradient[i];

  const double loss = chain_->descend(parameters_, samples_.batch(), 0.5, 0.1);

  EXPECT_NEAR(loss, before.loss, tolerance * before.loss);
  EXPECT_LT(relative_distance(parameters_, expected), tolerance);
}

TEST_P(ChainAgainstTorch, repeats_its_bits_whatever_ran_before) {
  const auto first = loss_and_gradient(*chain_, parameters_, samples_.batch());
  const Samples larger(GetParam().shape, 3 * GetParam().samples + 5, 50);
  loss_and_gradient(*chain_, fixtures::normal_values(parameters_.size(), 9), larger.batch());

  const auto second = loss_and_gradient(*chain_, parameters_, samples_.batch());

  EXPECT_EQ(first.loss, second.loss);
  EXPECT_EQ(first.gradient, second.gradient);
}

/// H direction.
std::vector<float> curvature(Network& network, const std::vector<float>& parameters, const Batch& batch,
                             const std::vector<float>& direction) {
  std::vector<float> product(direction.size(), 1e9F);  // nothing of which is to be left
  network.hessian_vector(parameters, batch, direction, product);
  return product;
}

TEST_P(ChainAgainstTorch, gives_the_same_products_with_the_hessian) {
  const auto direction = fixtures::normal_values(parameters_.size(), 9);

  const auto ours = curvature(*chain_, parameters_, samples_.batch(), direction);
  const auto theirs = curvature(*torch_, parameters_, samples_.batch(), direction);

  EXPECT_LT(relative_distance(ours, theirs), 1e-5);
}

TEST_P(ChainAgainstTorch, repeats_the_bits_of_products_whatever_ran_before) {
  const auto direction = fixtures::normal_values(parameters_.size(), 9);
  const auto first = curvature(*chain_, parameters_, samples_.batch(), direction);
  const auto gradient = loss_and_gradient(*chain_, parameters_, samples_.batch()).gradient;
  const Samples larger(GetParam().shape, 3 * GetParam().samples + 5, 50);
  curvature(*chain_, fixtures::normal_values(parameters_.size(), 8), larger.batch(), direction);

  EXPECT_EQ(curvature(*chain_, parameters_, samples_.batch(), direction), first);
  EXPECT_EQ(loss_and_gradient(*chain_, parameters_, samples_.batch()).gradient, gradient);
}

INSTANTIATE_TEST_SUITE_P(
    Models, ChainAgainstTorch,
    ::testing::Values(Case{"logreg", "logreg {}", fixtures::shape(1, 28, 28, 10), 32},
                      Case{"logreg_of_a_table", "logreg {}", fixtures::shape(23, 1, 1, 2), 7},
                      Case{"mlp", "mlp {}", fixtures::shape(1, 28, 28, 10), 32},
                      Case{"mlp_wide_input", "mlp { hidden: 70 }", fixtures::shape(517, 1, 1, 3), 7},
                      Case{"mlp_deep_and_narrow", "mlp { hidden: [5, 3, 17] }", fixtures::shape(11, 1, 1, 3), 9},
                      Case{"lenet5", "lenet5 {}", fixtures::shape(1, 28, 28, 10), 10},
                      Case{"lenet5_colour", "lenet5 {}", fixtures::shape(3, 32, 32, 7), 3},
                      Case{"lenet5_odd", "lenet5 {}", fixtures::shape(2, 19, 23, 4), 5},
                      Case{"cnn", "cnn {}", fixtures::shape(1, 28, 28, 10), 5},
                      Case{"cnn_of_one_sample", "cnn {}", fixtures::shape(1, 28, 28, 62), 1},
                      Case{"cnn_small", "cnn_small {}", fixtures::shape(1, 28, 28, 10), 33},
                      Case{"cnn_small_wide", "cnn_small {}", fixtures::shape(3, 11, 41, 10), 6},
                      Case{"cnn_cifar", "cnn_cifar {}", fixtures::shape(3, 32, 32, 10), 4},
                      Case{"conv_net",
                           "conv_net { convolutions { channels: 5 } convolutions { kernel: 5 padding: 0 } }",
                           fixtures::shape(2, 9, 11, 4), 6}),
    [](const auto& instance) { return instance.param.name; });

TEST(ChainNetwork, takes_batches_larger_than_a_pass_in_parts) {
  // 2 * 40,000 + 4 floats per sample: at most 52 samples per pass.
  const ModelShape shape = fixtures::shape(40000, 1, 1, 2);
  const Architecture architecture = make_architecture(fixtures::model("logreg {}"), shape);
  const auto chain = make_chain_network(architecture, cross_entropy());
  const auto torch = make_torch_network(architecture, "cpu", cross_entropy());
  auto parameters = initial_parameters(*chain);
  const Samples samples(shape, 250);

  const auto ours = loss_and_gradient(*chain, parameters, samples.batch());
  const auto theirs = loss_and_gradient(*torch, parameters, samples.batch());
  auto expected = parameters;
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] -= 0.1F * theirs.gradient[i];
  const auto direction = fixtures::normal_values(parameters.size(), 9);
  const auto our_product = curvature(*chain, parameters, samples.batch(), direction);
  const auto their_product = curvature(*torch, parameters, samples.batch(), direction);
  chain->descend(parameters, samples.batch(), 0.1, 0.0);

  EXPECT_LT(relative_distance(ours.gradient, theirs.gradient), tolerance);
  EXPECT_LT(relative_distance(parameters, expected), tolerance);
  EXPECT_LT(relative_distance(our_product, their_product), 1e-5);
}

TEST(ChainNetwork, shows_that_it_diverged) {
  const ModelShape shape = fixtures::shape(1, 28, 28, 10);
  const auto chain = make_chain_network(make_architecture(fixtures::model("lenet5 {}"), shape), cross_entropy());
  std::vector<float> parameters(chain->layout().dimension(), std::numeric_limits<float>::quiet_NaN());
  const Samples samples(shape, 2);

  const auto result = loss_and_gradient(*chain, parameters, samples.batch());

  EXPECT_TRUE(std::isnan(result.loss));
}

TEST(ChainNetwork, is_for_chains_only) {
  const ModelShape shape = fixtures::shape(3, 32, 32, 10);

  EXPECT_TRUE(is_chain(make_architecture(fixtures::model("cnn_cifar {}"), shape)));
  EXPECT_FALSE(is_chain(make_architecture(fixtures::model("resnet20 {}"), shape)));
}

}  // namespace
}  // namespace souk::chain_network_test
