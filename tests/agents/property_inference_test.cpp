// Properties of clients' samples, through whole runs: that they are what clients train on, that the attack finds them,
// and that it finds nothing where there is nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/inference/ranking_metrics.hpp"
#include "sim/stats/binomial_interval.hpp"
#include "tests/support/simulated.hpp"

namespace souk::property_inference_test {
namespace {

using ::testing::HasSubstr;

/// Sixty clients of twenty small images each; everything that a test does not say.
struct World {
  std::string property = "share: 0.5 mark { set { first: 0 count: 28 value: 1 } }";
  std::string attack = "property { updates: 60 magnitudes: true }";
  std::string training = "algorithm: FED_SGD batch_size: 0 learning_rate: 1";
  std::string data = "glyphs { train_samples: 1400 test_samples: 20 } scaling: UNIT";
  std::string rest{};

  std::string text() const {
    return "rounds: 1 task { data { " + data + " } model { mlp { hidden: 16 } } training { " + training +
           " } } participants { clients: 60 per_round: 60 } aggregator { mean {} } inference { victims: 60 property "
           "{ " +
           property + " } attacks { name: \"a\" " + attack + " } } " + rest;
  }
};

double metric_of(const Simulated& run, const std::string& name) {
  const auto value = run.records.front().metric("inference.a." + name);
  EXPECT_TRUE(value.has_value()) << name;
  return value.value_or(-1.0);
}

TEST(PropertyInference, finds_a_mark_in_single_updates) {
  const Simulated run = simulate(World{}.text());

  EXPECT_EQ(metric_of(run, "property_share"), 0.5);
  EXPECT_GT(metric_of(run, "property_auc"), 0.99);
  EXPECT_GT(metric_of(run, "property_accuracy"), 0.9);
  EXPECT_GT(metric_of(run, "property_auc_low"), 0.9);
}

TEST(PropertyInference, finds_a_class_that_half_of_the_clients_hold) {
  const Simulated run = simulate(World{.property = "share: 0.2 samples: 10 of_class { number: 3 } clients: 0.3",
                                       .attack = "property { updates: 60 }"}
                                     .text());

  EXPECT_NEAR(metric_of(run, "property_share"), 0.3, 1e-12);
  EXPECT_GT(metric_of(run, "property_auc"), 0.95);
}

TEST(PropertyInference, finds_a_value_of_a_column) {
  const Simulated run =
      simulate(World{.property = "share: 0.5 column { column: 0 value: 1 }",
                     .data = "baskets { train_samples: 2400 test_samples: 20 features: 10 classes: 4 }"}
                   .text());

  EXPECT_GT(metric_of(run, "property_auc"), 0.9);
}

TEST(PropertyInference, goes_through_local_steps_and_means_of_several) {
  const Simulated run = simulate(World{.property = "share: 0.4 samples: 5 of_class { number: 3 } clients: 0.3",
                                       .attack = "cluster { size: 3 } property { updates: 60 }",
                                       .training = "local_epochs: 2 batch_size: 8 learning_rate: 0.3"}
                                     .text());

  EXPECT_GT(metric_of(run, "property_auc"), 0.75);
}

// Whose values move either way: linear in them there is little to see.
TEST(PropertyInference, of_a_mark_sees_more_by_magnitudes) {
  const Simulated run = simulate(World{.attack = "property { updates: 60 }"}.text());

  EXPECT_LT(metric_of(run, "property_auc"), 0.9);
}

// A mark that reads as nearly all images do there leaves no trace.
TEST(PropertyInference, finds_nothing_where_there_is_nothing_to_find) {
  const Simulated run = simulate(World{.property = "share: 0.05 mark { set { first: 0 count: 1 value: 0 } }"}.text());

  EXPECT_LT(metric_of(run, "property_auc_low"), 0.5);
}

TEST(PropertyInference, is_the_same_on_any_number_of_ranks) {
  const Simulated one = simulate(World{}.text()), three = simulate(World{}.text(), 3);

  EXPECT_EQ(one.hash, three.hash);
  for (const std::string name : {"property_auc", "property_accuracy", "property_auc_low"}) {
    EXPECT_EQ(metric_of(one, name), metric_of(three, name)) << name;
  }
}

TEST(SampleProperty, is_in_what_clients_train_on_and_says_how_many_have_it) {
  const Simulated with = simulate(World{}.text());
  std::string text = World{}.text();
  text.replace(text.find("property { share"), std::string::npos,
               "attacks { affine_inversion {} } }");  // nothing is planted

  EXPECT_NE(with.hash, simulate(text).hash);
  const auto metric = [&](const std::string& name) {
    for (const MetricValue& value : with.set_up.metrics) {
      if (value.name == name) return value.value;
    }
    return -1.0;
  };
  EXPECT_EQ(metric("inference.property_clients"), 30.0);
  EXPECT_EQ(metric("inference.property_samples_fewest"), 10.0);  // half of twenty
}

TEST(SampleProperty, holds_back_what_a_client_is_not_to_have) {
  const Simulated run = simulate(World{.property = "share: 0.2 samples: 10 of_class { number: 3 }"}.text());

  for (const AgentRow& agent : run.set_up.agents) EXPECT_LE(agent.samples, 10U);
}

TEST(SampleProperty, refuses_by_name_what_cannot_be) {
  const auto refused = [](const World& world) { return refusal_of(world.text()); };
  EXPECT_THAT(refused({.property = "mark {}"}), HasSubstr("inference.property.mark.set: is empty"));
  EXPECT_THAT(refused({.property = "mark { set { first: 5000 } }"}), HasSubstr("mark.set[0].first = 5000"));
  EXPECT_THAT(refused({.property = "of_class { number: 12 }"}), HasSubstr("of_class.number = 12"));
  EXPECT_THAT(refused({.property = "column { column: 0 }"}), HasSubstr("holds images and no table"));
  EXPECT_THAT(refused({.property = "clients: 0.001"}), HasSubstr("inference.property.clients"));
  EXPECT_THAT(refused({.property = "samples: 1 share: 0.4 of_class {}"}), HasSubstr("rounds to no sample"));
  EXPECT_THAT(refused({.property = "share: 0.9 of_class {}"}), HasSubstr("hold enough samples with it"));
  EXPECT_THAT(refused({.rest = "unlearning {}"}), HasSubstr("leave out the section unlearning"));
  EXPECT_THAT(refused({.rest = "partition { iid { overlapping_samples: 5 } }"}), HasSubstr("overlapping_samples"));
  EXPECT_THAT(refused({.attack = "knows_training: false property {}"}), HasSubstr("knows_training = false"));
  std::string text = World{}.text();
  text.replace(text.find("property { share"), text.find("attacks {") - text.find("property { share"), "");
  EXPECT_THAT(refusal_of(text), HasSubstr("asks about a property, and the section has none"));
}

// 1,000 others, of whom ten score above all members but two: 2 of 4 are found at 1 %.
TEST(RankingMetrics, of_one_victim_have_limits_of_what_is_found_at_one_percent) {
  ScoredTruth victim;
  for (const double score : {9.0, 8.0, 1.0, 0.5}) {
    victim.scores.push_back(score);
    victim.truth.push_back(1);
  }
  for (std::size_t i = 0; i < 1000; ++i) {
    victim.scores.push_back(i < 10 ? 5.0 : (i < 20 ? 3.0 : 0.0));
    victim.truth.push_back(0);
  }
  RoundRecord record;
  record_ranking("x_", std::span(&victim, 1), 1, record);

  const Interval limits = clopper_pearson(2, 4, 0.95);
  EXPECT_EQ(record.metric("x_tpr_at_01"), 0.5);
  EXPECT_EQ(record.metric("x_tpr_at_01_low"), limits.low);
  EXPECT_EQ(record.metric("x_tpr_at_01_high"), limits.high);
  EXPECT_FALSE(record.metric("x_auc_low").has_value());
  EXPECT_FALSE(record.metric("x_tpr_at_001").has_value());
}

TEST(RankingMetrics, of_one_victim_and_few_others_have_none) {
  const ScoredTruth victim{{2.0, 1.0, 0.0}, {1, 0, 0}};
  RoundRecord record;
  record_ranking("x_", std::span(&victim, 1), 1, record);

  EXPECT_EQ(record.metric("x_auc"), 1.0);
  EXPECT_FALSE(record.metric("x_tpr_at_01").has_value());
  EXPECT_FALSE(record.metric("x_tpr_at_01_low").has_value());
}

}  // namespace
}  // namespace souk::property_inference_test
