#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/aggregator.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/random.hpp"
#include "tests/support/matrices.hpp"

namespace souk {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

RuleOutput aggregate(const scenario::Aggregator& config, const TestMatrix& matrix,
                     const std::vector<Submission>& submissions) {
  const Comm comm = Comm::self();
  Stream random(1, Purpose::aggregation, nobody, {1});
  return make_aggregator(config)->aggregate({.comm = comm,
                                             .round = {1},
                                             .submissions = submissions,
                                             .updates = matrix.columns(),
                                             .random = random});
}

TEST(Mean, weighs_by_samples_as_federated_averaging_does) {
  scenario::Aggregator config;
  config.mutable_mean();
  const TestMatrix matrix(Comm::self(), {{1, 10}, {4, 20}});

  const RuleOutput output = aggregate(config, matrix, {{{0}, 100}, {{1}, 200}});

  EXPECT_THAT(output.weights, ElementsAre(DoubleEq(1.0 / 3.0), DoubleEq(2.0 / 3.0)));
  EXPECT_THAT(whole(Comm::self(), matrix.columns(), output.step), ElementsAre(3.0F, 50.0F / 3.0F));
}

TEST(Mean, weighs_alike_when_told_to) {
  scenario::Aggregator config;
  config.mutable_mean()->set_weighting(scenario::Mean::UNIFORM);
  const TestMatrix matrix(Comm::self(), {{1, 10}, {4, 20}});

  const RuleOutput output = aggregate(config, matrix, {{{0}, 100}, {{1}, 200}});

  EXPECT_THAT(whole(Comm::self(), matrix.columns(), output.step), ElementsAre(2.5F, 15.0F));
}

TEST(Median, stays_within_the_benign_values_while_attackers_are_fewer_than_half) {
  scenario::Aggregator config;
  config.mutable_median();
  const TestMatrix matrix(Comm::self(), {{1, -1}, {2, -2}, {3, -3}, {1e30F, 1e30F}, {1e30F, -1e30F}});

  const RuleOutput output = aggregate(config, matrix, {{{0}}, {{1}}, {{2}}, {{3}}, {{4}}});

  EXPECT_THAT(whole(Comm::self(), matrix.columns(), output.step), ElementsAre(3.0F, -2.0F));
}

}  // namespace
}  // namespace souk
