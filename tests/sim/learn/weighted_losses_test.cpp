// Weighted losses against sums written down again: a sample of weight two is two samples.
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/learning.pb.h"
#include "sim/learn/objective.hpp"

namespace souk::weighted_losses_test {
namespace {

using testing::DoubleNear;
using testing::FloatNear;
using testing::Pointwise;

const std::vector<float> outputs{0.5F, -1.0F, 2.0F, 0.25F, 1.5F, -0.75F};
const std::vector<std::int32_t> classes{2, 0};
const std::vector<float> weights{2.0F, 0.5F};

std::unique_ptr<Objective> objective(const char* name) {
  scenario::Objective config;
  if (std::string(name) == "focal") config.mutable_focal();
  return make_objective(config, true);
}

TEST(WeightedLosses, count_losses_gradients_and_curvature_so_many_times) {
  for (const char* name : {"cross_entropy", "focal"}) {
    const auto loss = objective(name);
    const Targets plain{.classes = classes}, weighted{.classes = classes, .weights = weights};
    std::vector<double> once(2), counted(2);
    loss->losses(outputs, 3, plain, once);
    loss->losses(outputs, 3, weighted, counted);
    EXPECT_THAT(counted, Pointwise(DoubleNear(1e-9), std::vector<double>{2.0 * once[0], 0.5 * once[1]})) << name;
    std::vector<float> slopes = outputs, expected = outputs;
    EXPECT_NEAR(loss->gradient(slopes, 3, weighted, 2), counted[0] + counted[1], 1e-9) << name;
    loss->gradient(expected, 3, plain, 2);
    std::vector<float> bent{1.0F, 0.0F, -1.0F, 0.5F, 0.5F, 2.0F}, expected_bent = bent;
    loss->curvature(outputs, 3, weighted, 2, bent);
    loss->curvature(outputs, 3, plain, 2, expected_bent);
    for (std::size_t v = 0; v < 6; ++v) {
      expected[v] *= weights[v / 3];
      expected_bent[v] *= weights[v / 3];
    }
    EXPECT_THAT(slopes, Pointwise(FloatNear(1e-7F), expected)) << name;
    EXPECT_THAT(bent, Pointwise(FloatNear(1e-7F), expected_bent)) << name;
  }
}

TEST(WeightedLosses, of_one_part_of_a_batch_have_its_weights) {
  const Targets all{.classes = classes, .weights = weights};
  EXPECT_EQ(all.part(1, 1).weights[0], 0.5F);
}

}  // namespace
}  // namespace souk::weighted_losses_test
