// What operators differentiate of a client: what it trained on, attacks on data included.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/mean_objective.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/streams.hpp"
#include "sim/learn/tasks/row_task.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_client_sums_test {
namespace {

using testing::DoubleNear;
using testing::Pointwise;

/// Gradient, product, loss and squared gradients of an attacker's units are those of what it trained on.
TEST(ClientSums, of_an_attacker_are_of_flipped_labels) {
  const Finished run(
      run_of(1, "mlp { hidden: 5 }", "learning_rate: 0.1", "", "attacks { members { id: 2 } label_flip {} } "));
  RowTask& rows = *run.task().rows();
  const std::vector<DealtUnits> holders = run.holders({2});
  const std::vector<SampleIndex>& units = holders[0].units;
  std::vector<float> features(units.size() * run.federation().train().features());
  run.federation().train().copy_features(units, features);
  std::vector<std::int32_t> flipped;
  for (const SampleIndex unit : units) flipped.push_back(9 - run.task().labels()[unit]);
  std::vector<float> model = run.model(), by_hand(model.size()), stored(model.size()), direction(model.size(), 0.1F),
                     product(model.size());
  const Batch batch{.features = features, .labels = flipped, .samples = units.size()};
  const double loss = rows.network().gradient(model, batch, by_hand);
  rows.network().hessian_vector(model, batch, direction, product);
  rows.gradient(model, units, stored);
  MeanObjective objective(run.server(), run.task(), holders, model);
  const std::vector<double> gradient = objective.gradient();
  std::vector<float> of_sums(model.size());
  objective.hessian()(direction, of_sums);
  EXPECT_THAT(gradient, Pointwise(DoubleNear(1e-6), std::vector<double>(by_hand.begin(), by_hand.end())));
  EXPECT_LT(length(difference(of_sums, product)),
            1e-4 * length(difference(product, std::vector<float>(model.size(), 0.0F))));
  EXPECT_NEAR(objective.at(std::vector<double>(model.begin(), model.end())), loss, 1e-5);
  EXPECT_GT(length(difference(by_hand, stored)), 0.1 * length(std::vector<double>(stored.begin(), stored.end())));
  // Alone, unit by unit: the same samples are poisoned.
  std::vector<double> squares(model.size(), 0.0);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const std::size_t width = run.federation().train().features();
    rows.network().gradient(model,
                            {.features = std::span(features).subspan(i * width, width),
                             .labels = std::span(flipped).subspan(i, 1),
                             .samples = 1},
                            by_hand);
    for (std::size_t v = 0; v < squares.size(); ++v)
      squares[v] += by_hand[v] * by_hand[v] / static_cast<double>(units.size());
  }
  EXPECT_THAT(objective.fisher_diagonal(), Pointwise(DoubleNear(1e-6), squares));
}

/// A client whose group has not acted trained on its samples as they are.
TEST(ClientSums, of_an_attacker_that_does_not_act_are_of_samples_as_stored) {
  const Finished run(
      run_of(2, "logreg {}", "learning_rate: 0.1", "", "attacks { members { id: 2 } label_flip {} from_round: 9 } "));
  const std::vector<DealtUnits> holders = run.holders({2});
  std::vector<float> model = run.model(), stored(model.size());
  run.task().gradient(model, holders[0].units, stored);
  MeanObjective objective(run.server(), run.task(), holders, model);
  EXPECT_THAT(objective.gradient(), Pointwise(DoubleNear(1e-6), std::vector<double>(stored.begin(), stored.end())));
}

/// A number of each mini-batch: as many as the batches of a pass have, and the same ones every time.
TEST(ClientSums, of_an_attacker_by_mini_batches_poison_as_many_as_a_pass) {
  const Finished run(run_of(1, "logreg {}", "learning_rate: 0.1 batch_size: 16", "",
                            "attacks { members { id: 2 } label_flip {} poison_per_batch: 3 } "));
  const std::vector<SampleIndex> mine = run.units_of(2);
  const BatchEdit edit = run.server().edit_of({2}, mine);
  std::vector<std::int32_t> labels;
  for (const SampleIndex unit : mine) labels.push_back(run.task().labels()[unit]);
  std::vector<std::int32_t> edited = labels;
  std::vector<float> features(mine.size() * run.federation().train().features());
  edit({.which = mine, .features = features, .labels = edited});
  std::size_t changed = 0;
  for (std::size_t i = 0; i < mine.size(); ++i) changed += labels[i] != edited[i] ? 1U : 0U;
  EXPECT_EQ(changed, 3 * ((mine.size() + 15) / 16));
  for (std::size_t i = 0; i < mine.size(); ++i) {
    std::int32_t alone = labels[i];
    edit({.which = std::span(mine).subspan(i, 1),
          .features = std::span(features).first(features.size() / mine.size()),
          .labels = std::span(&alone, 1)});
    EXPECT_EQ(alone, edited[i]) << i;
  }
}

}  // namespace
}  // namespace souk::unlearning_client_sums_test
