// A malicious server behind secure sums that sends clients different models, through whole runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/simulated.hpp"

namespace souk::model_inconsistency_test {
namespace {

using ::testing::HasSubstr;

struct World {
  std::string model = "mlp { hidden: 128 }";
  std::string training = "algorithm: FED_SGD batch_size: 0 learning_rate: 1";
  std::string secure = "greatest: 4 bits: 24";
  std::string attacks = "attacks { name: \"a\" isolated {} affine_inversion {} }";
  std::string rest{};

  std::string text() const {
    return "rounds: 2 task { data { glyphs { train_samples: 600 test_samples: 20 } scaling: UNIT } model { " + model +
           " } training { " + training + " } } participants { clients: 400 per_round: 8 } aggregator { mean {} } " +
           "communication { secure_aggregation { " + secure + " } } inference { from_round: 2 " + attacks + " } " +
           rest;
  }
};

double metric_of(const Simulated& run, const std::string& name) {
  const auto value = run.records[1].metric("inference.a." + name);
  EXPECT_TRUE(value.has_value()) << name;
  return value.value_or(-1.0);
}

// What remains is rounding: units of 4 / 2^23 on each of eight updates.
TEST(ModelInconsistency, shows_the_victims_update_out_of_the_sum) {
  const Simulated run = simulate(World{}.text());

  EXPECT_LT(metric_of(run, "isolation_error"), 1e-4);
  EXPECT_EQ(metric_of(run, "victims"), 1.0);
  EXPECT_EQ(metric_of(run, "recovered"), 1.0);
}

TEST(ModelInconsistency, without_it_the_sum_hides_the_victim) {
  const Simulated run = simulate(
      World{.model = "mlp { hidden: 8 }", .attacks = "attacks { name: \"a\" sum {} affine_inversion {} }"}.text());
  const Simulated isolated = simulate(World{.model = "mlp { hidden: 8 }"}.text());

  EXPECT_LT(metric_of(run, "recovered"), 0.5);
  EXPECT_EQ(metric_of(isolated, "recovered"), 1.0);
}

TEST(ModelInconsistency, goes_through_local_steps_hidden_layers_and_means_by_samples) {
  const Simulated run = simulate(World{.model = "mlp { hidden: 32 hidden: 16 }",
                                       .training = "local_epochs: 3 batch_size: 1 learning_rate: 0.1",
                                       .rest = "partition { quantity { sigma: 0.5 } }"}
                                     .text());

  EXPECT_LT(metric_of(run, "isolation_error"), 1e-3);
}

TEST(ModelInconsistency, is_the_same_on_any_number_of_ranks) {
  const Simulated one = simulate(World{}.text()), three = simulate(World{}.text(), 3);

  EXPECT_EQ(one.hash, three.hash);
  EXPECT_EQ(metric_of(one, "isolation_error"), metric_of(three, "isolation_error"));
  EXPECT_EQ(metric_of(one, "mse"), metric_of(three, "mse"));
}

TEST(ModelInconsistency, leaves_the_model_as_it_was) {
  std::string text = World{}.text();
  text.replace(text.find("rounds: 2"), 9, "rounds: 1");
  text.replace(text.find("from_round: 2"), 13, "");
  const std::string honest = World{.attacks = "attacks { sum {} affine_inversion {} }"}.text();
  std::string first = honest;
  first.replace(first.find("rounds: 2"), 9, "rounds: 1");
  first.replace(first.find("from_round: 2"), 13, "");

  EXPECT_EQ(simulate(World{}.text()).hash, simulate(first).hash);
}

TEST(ModelInconsistency, is_found_by_clients_that_compare_their_models) {
  const Simulated run = simulate(World{.secure = "greatest: 4 bits: 24 compare_models: true"}.text());
  const RoundRecord& round = run.records[1];

  EXPECT_FALSE(round.metric("inference.a.victims").has_value());
  EXPECT_FALSE(round.metric("inference.a.isolation_error").has_value());
  const auto says = [&](const std::string& kind) {
    return std::ranges::any_of(round.events, [&](const EventRow& event) { return event.kind == kind; });
  };
  EXPECT_TRUE(says("models differ"));
  EXPECT_TRUE(says("no updates"));
  for (const SelectionRow& row : round.selections) EXPECT_EQ(row.outcome, SelectionOutcome::dropout);
}

// The same wrong model for all is no difference.
TEST(ModelInconsistency, comparing_finds_no_imprint_and_costs_hashes) {
  const std::string imprint = "attacks { name: \"a\" sum {} imprint {} }";
  const Simulated without = simulate(World{.attacks = imprint}.text());
  const Simulated with =
      simulate(World{.secure = "greatest: 4 bits: 24 compare_models: true", .attacks = imprint}.text());
  const auto bytes = [](const Simulated& run, std::size_t kind) { return run.records[1].traffic[kind].bytes; };

  EXPECT_EQ(metric_of(with, "mse"), metric_of(without, "mse"));
  EXPECT_EQ(bytes(with, 0), bytes(without, 0) + 8 * 7 * 32);
  EXPECT_EQ(bytes(with, 1), bytes(without, 1) + 8 * 32);
}

TEST(ModelInconsistency, refuses_by_name_what_cannot_be) {
  const auto refused = [](const World& world) { return refusal_of(world.text()); };
  EXPECT_THAT(refused({.model = "mlp { hidden: 8 activation: SIGMOID }"}), HasSubstr("isolated: kills a hidden layer"));
  EXPECT_THAT(refused({.training = "sgd { weight_decay: 0.1 }"}), HasSubstr("sgd.weight_decay"));
  EXPECT_THAT(refused({.attacks = "attacks { isolated {} label_counts {} }"}), HasSubstr("output layer's biases"));
  EXPECT_THAT(refused({.attacks = "attacks { isolated {} principal: OUTSIDER affine_inversion {} }"}),
              HasSubstr("only the SERVER can"));
  EXPECT_THAT(refused({.attacks = "attacks { isolated {} affine_inversion {} } attacks { sum {} imprint {} }"}),
              HasSubstr("there can be one"));
  EXPECT_THAT(refused({.secure = "greatest: 4 group: 4"}), HasSubstr("sums of groups"));
  std::string text = World{}.text();
  text.replace(text.find("communication {"), text.find("inference {") - text.find("communication {"), "");
  EXPECT_THAT(refusal_of(text), HasSubstr("without communication.secure_aggregation"));
}

}  // namespace
}  // namespace souk::model_inconsistency_test
