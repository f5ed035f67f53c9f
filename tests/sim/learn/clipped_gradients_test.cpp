// Sums of shortened gradients: of every network the sum over single samples, each shortened by itself.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "sim/learn/chain_network.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::clipped_gradients_test {
namespace {

using fixtures::initial_parameters;
using fixtures::loss_and_gradient;
using fixtures::relative_distance;
using fixtures::Samples;

struct Case {
  std::string name, model;
  ModelShape shape;
};

struct Clipped {
  double loss;
  std::vector<float> sum;
};

Clipped clipped(Network& network, std::vector<float> parameters, const Batch& batch, double bound) {
  Clipped result{.loss = 0.0, .sum = std::vector<float>(parameters.size(), 1e9F)};  // nothing of which is to be left
  result.loss = network.clipped_gradients(parameters, batch, bound, result.sum);
  return result;
}

/// One sample after the other by another network, and its norm in double.
Clipped by_brute_force(Network& network, const std::vector<float>& parameters, const Batch& batch, double bound) {
  Clipped result{.loss = 0.0, .sum = std::vector<float>(parameters.size(), 0.0F)};
  const std::size_t features = batch.features.size() / batch.samples;
  for (std::size_t s = 0; s < batch.samples; ++s) {
    const auto one = loss_and_gradient(network, parameters,
                                       {.features = batch.features.subspan(s * features, features),
                                        .labels = batch.labels.subspan(s, 1),
                                        .samples = 1});
    const double norm = fixtures::norm(one.gradient);
    const double factor = std::min(1.0, bound / norm);
    for (std::size_t v = 0; v < parameters.size(); ++v)
      result.sum[v] += static_cast<float>(factor * static_cast<double>(one.gradient[v]));
    result.loss += one.loss;
  }
  return result;
}

class ClippedGradients : public ::testing::TestWithParam<Case> {
 protected:
  Architecture architecture_ = make_architecture(fixtures::model(GetParam().model), GetParam().shape);
  std::unique_ptr<Network> chain_ = make_chain_network(architecture_, fixtures::cross_entropy());
  std::unique_ptr<Network> torch_ = make_torch_network(architecture_, "cpu", fixtures::cross_entropy());
  std::vector<float> parameters_ = initial_parameters(*chain_);
  Samples samples_{GetParam().shape, 13};

  /// Half of the samples' norms are above it.
  double middle() {
    std::vector<double> norms;
    for (std::size_t s = 0; s < 13; ++s)
      norms.push_back(fixtures::norm(loss_and_gradient(*torch_, parameters_, samples_.batch().sample(s)).gradient));
    std::ranges::sort(norms);
    return norms[6];
  }
};

TEST_P(ClippedGradients, are_those_of_single_samples) {
  for (const double bound : {1e-3, middle(), 1e3}) {
    const Clipped expected = by_brute_force(*torch_, parameters_, samples_.batch(), bound);
    for (Network* network : {chain_.get(), torch_.get()}) {
      const Clipped found = clipped(*network, parameters_, samples_.batch(), bound);
      EXPECT_LT(relative_distance(found.sum, expected.sum), 2e-6) << bound;
      EXPECT_NEAR(found.loss, expected.loss, 1e-5 * expected.loss);
    }
  }
}

TEST_P(ClippedGradients, one_sample_moves_the_sum_by_no_more_than_the_bound) {
  const double bound = 0.5 * middle();
  for (std::size_t s = 0; s < 13; ++s) {
    const Clipped one = clipped(*chain_, parameters_, samples_.batch().sample(s), bound);
    EXPECT_LE(fixtures::norm(one.sum), bound * (1.0 + 1e-6));
  }
}

TEST_P(ClippedGradients, repeat_their_bits_and_may_be_of_nobody) {
  const Clipped first = clipped(*chain_, parameters_, samples_.batch(), 0.1);
  const Clipped nobody = clipped(*chain_, parameters_, Batch{}, 0.1);
  EXPECT_THAT(nobody.sum, testing::Each(0.0F));
  EXPECT_EQ(nobody.loss, 0.0);
  EXPECT_EQ(clipped(*chain_, parameters_, samples_.batch(), 0.1).sum, first.sum);
}

INSTANTIATE_TEST_SUITE_P(Models, ClippedGradients,
                         ::testing::Values(Case{"logreg", "logreg {}", fixtures::shape(23, 1, 1, 3)},
                                           Case{"mlp", "mlp { hidden: [17, 9] }", fixtures::shape(1, 8, 8, 10)},
                                           Case{"sigmoid", "mlp { hidden: 17 activation: SIGMOID }",
                                                fixtures::shape(1, 8, 8, 10)},
                                           Case{"lenet5", "lenet5 {}", fixtures::shape(1, 28, 28, 10)}),
                         [](const auto& test) { return test.param.name; });

/// A batch that goes through in several parts.
TEST(ClippedGradientsOfManySamples, are_added_up_over_parts) {
  const ModelShape shape = fixtures::shape(1, 64, 64, 2);
  const Architecture architecture = make_architecture(fixtures::model("mlp { hidden: 12 }"), shape);
  const auto chain = make_chain_network(architecture, fixtures::cross_entropy());
  const std::vector<float> parameters = initial_parameters(*chain);
  const Samples samples(shape, 1100);
  const Clipped all = clipped(*chain, parameters, samples.batch(), 0.05);
  std::vector<float> sum(parameters.size(), 0.0F);
  for (std::size_t s = 0; s < 1100; ++s) {
    const Clipped one = clipped(*chain, parameters, samples.batch().sample(s), 0.05);
    for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += one.sum[v];
  }
  EXPECT_LT(relative_distance(all.sum, sum), 1e-5);
}

}  // namespace
}  // namespace souk::clipped_gradients_test
