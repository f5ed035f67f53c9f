// Attacks on what updates give away, through whole runs: what they find, that they find it on any number of ranks, and
// what is refused.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attacks/inference_attack.hpp"
#include "sim/base/plugin_registry.hpp"
#include "tests/support/simulated.hpp"

namespace souk::inference_test {
namespace {

using ::testing::HasSubstr;

/// Clients with few small images each; everything that a test does not say.
struct World {
  std::string model = "mlp { hidden: 32 activation: SIGMOID }";
  std::string training = "algorithm: FED_SGD batch_size: 0 learning_rate: 1";
  int clients = 400;  ///< of 600 samples, of which 200 are the attackers' own
  int rounds = 1;
  std::string section = "victims: 4";
  std::string rest{};

  std::string with(const std::string& attacks) const {
    return "rounds: " + std::to_string(rounds) +
           " task { data { glyphs { train_samples: 600 test_samples: 20 } scaling: UNIT } model { " + model +
           " } training { " + training + " } } participants { clients: " + std::to_string(clients) +
           " per_round: 8 } aggregator { mean {} } inference { " + section + " " + attacks + " } " + rest;
  }
};

double metric_of(const Simulated& run, const std::string& name, std::size_t round = 1) {
  const auto value = run.records[round - 1].metric("inference." + name);
  EXPECT_TRUE(value.has_value()) << name;
  return value.value_or(-1.0);
}

/// An attack of every kind, by what it needs.
std::string setting_of(const std::string& name) {
  if (name == "property") {
    return "property { share: 0.5 mark { set { count: 3 value: 1 } } } attacks { property { updates: 20 } }";
  }
  if (name == "gradient_matching") return "attacks { gradient_matching { restarts: 2 lbfgs { iterations: 10 } } }";
  return "attacks { " + name + " {} }";
}

class EveryInferenceAttack : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryInferenceAttack, claims_the_same_on_any_number_of_ranks_and_after_a_break) {
  const bool inverts = GetParam() == "r_gap";
  World world{.model = inverts ? "conv_net { convolutions { channels: 4 stride: 2 } }" : "mlp { hidden: 16 }",
              .clients = 200,
              .rounds = 3,
              .section = "victims: 3 every: 1"};
  const std::string text = world.with(setting_of(GetParam()));
  const Simulated one = simulate(text);
  for (const Simulated& other : {simulate(text, 3), simulate(text, 2, 1)}) {
    EXPECT_EQ(one.hash, other.hash);
    EXPECT_EQ(one.state, other.state);
    for (std::size_t r = 0; r < one.records.size(); ++r) {
      const auto& a = one.records[r].metrics;
      const auto& b = other.records[r].metrics;
      ASSERT_EQ(a.size(), b.size());
      for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].name, b[i].name);
        EXPECT_EQ(a[i].value, b[i].value) << a[i].name;
      }
      ASSERT_EQ(one.records[r].pictures.size(), other.records[r].pictures.size());
      for (std::size_t i = 0; i < one.records[r].pictures.size(); ++i) {
        EXPECT_EQ(one.records[r].pictures[i].values, other.records[r].pictures[i].values);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Attacks, EveryInferenceAttack,
                         ::testing::ValuesIn(PluginRegistry<InferenceAttack>::instance().names()),
                         [](const auto& instance) { return instance.param; });

TEST(Inference, changes_nothing_that_is_learned) {
  const World world{.clients = 100, .rounds = 2, .section = "victims: 2 auxiliary_per_class: 0"};
  std::string without = world.with("");
  without.replace(without.find("inference {"), std::string::npos, "");

  EXPECT_EQ(simulate(world.with("attacks { affine_inversion {} }")).hash, simulate(without).hash);
}

TEST(Inference, has_victims_when_it_is_due) {
  const World world{.clients = 100, .rounds = 5, .section = "victims: 2 from_round: 2 every: 2"};
  const Simulated run = simulate(world.with("attacks { label_counts {} }"));
  for (std::size_t r = 0; r < 5; ++r) {
    EXPECT_EQ(run.records[r].metric("inference.label_counts.victims").has_value(), r == 1 || r == 3) << r;
  }
}

TEST(LabelCounts, are_nearly_right_for_an_untrained_network_and_better_than_a_guess) {
  const World world{
      .model = "mlp { hidden: 64 }", .clients = 40, .rest = "partition { balanced_dirichlet { alpha: 3 } }"};
  const Simulated run =
      simulate(world.with("attacks { label_counts {} } attacks { name: \"llg\" label_counts { "
                          "estimator: ROW_SUMS } }"));

  EXPECT_GT(metric_of(run, "label_counts.count_accuracy"), 0.9);
  EXPECT_GT(metric_of(run, "llg.count_accuracy"), metric_of(run, "llg.count_guess") + 0.1);
}

// One sample: the bias of its class alone falls.
TEST(LabelCounts, of_one_sample_are_exact_by_signs) {
  const Simulated run = simulate(World{}.with("attacks { label_counts { estimator: NEGATIVE_SIGNS } }"));

  EXPECT_EQ(metric_of(run, "label_counts.count_accuracy"), 1.0);
  EXPECT_DOUBLE_EQ(metric_of(run, "label_counts.count_presence"), 1.0);
}

TEST(AffineInversion, shows_a_single_sample_exactly) {
  const Simulated run = simulate(World{}.with("attacks { affine_inversion {} }"));

  EXPECT_EQ(metric_of(run, "affine_inversion.recovered"), 1.0);
  EXPECT_EQ(metric_of(run, "affine_inversion.identified"), 1.0);
  EXPECT_LT(metric_of(run, "affine_inversion.mse"), 1e-6);
}

TEST(AffineInversion, leaves_a_row_for_every_sample_and_nothing_where_nothing_was_claimed) {
  const World world{.model = "mlp { hidden: 16 }", .clients = 100};  // four samples each, which are not all found
  const RoundRecord round = simulate(world.with("attacks { affine_inversion {} }")).records.front();
  double errors = 0.0, claimed = 0.0;
  std::set<std::int64_t> claims;
  for (const ReconstructionRow& row : round.reconstructions) {
    EXPECT_EQ(row.attack, "affine_inversion");
    EXPECT_EQ(row.mse.has_value(), row.match.has_value());
    EXPECT_EQ(row.psnr.has_value(), row.match.has_value());
    EXPECT_FALSE(row.claimed_class.has_value());
    EXPECT_TRUE(row.match.has_value() || !row.identified);
    errors += row.mse.value_or(0.0);
    claimed += row.match ? 1.0 : 0.0;
    EXPECT_TRUE(!row.match || claims.insert(100 * row.agent + *row.match).second);  // no claim is given twice
  }

  EXPECT_EQ(round.reconstructions.size(), 16U);
  EXPECT_NEAR(errors / claimed, *round.metric("inference.affine_inversion.mse"), 1e-12);
  EXPECT_NEAR(claimed / 16.0, *round.metric("inference.affine_inversion.claimed"), 1e-12);
}

TEST(AffineInversion, finds_single_samples_of_a_batch_where_units_are_off_for_the_others) {
  const World world{.model = "mlp { hidden: 512 }", .clients = 100};  // four samples each

  EXPECT_GT(metric_of(simulate(world.with("attacks { affine_inversion {} }")), "affine_inversion.recovered"), 0.9);
}

// Specification 11, vector 6.
TEST(GradientMatching, shows_single_samples_of_a_smooth_network_to_the_last_digit) {
  const Simulated run =
      simulate(World{.section = "victims: 8"}.with("attacks { knows_labels: true gradient_matching { restarts: 1 } }"));

  EXPECT_EQ(metric_of(run, "gradient_matching.recovered"), 1.0);
  EXPECT_EQ(metric_of(run, "gradient_matching.psnr_median"), 120.0);
}

TEST(GradientMatching, finds_labels_by_itself) {
  const Simulated run = simulate(World{}.with("attacks { gradient_matching { labels: JOINT restarts: 3 } }"));

  EXPECT_EQ(metric_of(run, "gradient_matching.label_accuracy"), 1.0);
  EXPECT_EQ(metric_of(run, "gradient_matching.recovered"), 1.0);
}

TEST(GradientMatching, chooses_the_best_of_its_attempts_by_its_own_cost) {
  const World world{.model = "mlp { hidden: 32 }", .clients = 100, .section = "victims: 6"};
  const std::string attack =
      "attacks { name: \"one\" knows_labels: true gradient_matching { restarts: 1 lbfgs { "
      "iterations: 60 } } } attacks { name: \"many\" knows_labels: true gradient_matching { "
      "restarts: 8 lbfgs { iterations: 60 } } }";
  const Simulated run = simulate(world.with(attack));

  EXPECT_LT(metric_of(run, "many.mse"), metric_of(run, "one.mse"));
}

// FLShield's experiment: who takes a cluster's mean for one update fails, who models all its members does not.
TEST(GradientMatching, sees_through_cluster_means_if_it_models_all_members) {
  const std::string cluster = "knows_labels: true cluster { size: 4 } gradient_matching { restarts: 1";
  const Simulated run = simulate(
      World{}.with("attacks { name: \"joint\" " + cluster + " } } attacks { name: \"alone\" " + cluster +
                   " behind: VICTIM_ALONE } } attacks { name: \"single\" knows_labels: true cluster { size: 1 } "
                   "gradient_matching { restarts: 1 } } attacks { name: \"own\" knows_labels: true gradient_matching { "
                   "restarts: 1 } }"));

  EXPECT_GT(metric_of(run, "joint.near"), 0.7);
  EXPECT_EQ(metric_of(run, "alone.recovered"), 0.0);
  EXPECT_GT(metric_of(run, "alone.mse"), metric_of(run, "alone.mse_class_mean"));
  EXPECT_EQ(metric_of(run, "single.recovered"), metric_of(run, "own.recovered"));
}

// Several steps: taken for one gradient they mislead.
TEST(GradientMatching, goes_through_local_steps) {
  const World world{.training = "local_epochs: 4 batch_size: 2 learning_rate: 0.5", .clients = 100};
  const std::string known = "knows_labels: true knows_order: true gradient_matching { restarts: 1";
  const Simulated run = simulate(world.with("attacks { name: \"steps\" " + known + " } } attacks { name: \"one\" " +
                                            known + " training: ONE_GRADIENT } }"));

  EXPECT_GT(metric_of(run, "steps.recovered"), metric_of(run, "one.recovered") + 0.3);
}

TEST(GradientMatching, descends_by_adam_and_smooths_images) {
  const Simulated run =
      simulate(World{}.with("attacks { knows_labels: true gradient_matching { cost: COSINE "
                            "total_variation: 1e-4 restarts: 1 adam { iterations: 600 } } }"));

  EXPECT_LT(metric_of(run, "gradient_matching.mse"), 0.5 * metric_of(run, "gradient_matching.mse_class_mean"));
}

TEST(GradientMatching, fails_under_noise) {
  const World world{.rest = "privacy { fixed { bound: 1 } local_noise: 1 }"};
  const Simulated run = simulate(world.with("attacks { knows_labels: true gradient_matching { restarts: 1 } }"));

  EXPECT_EQ(metric_of(run, "gradient_matching.near"), 0.0);
}

// What batches were normalised by is known, and what is found must have been normalised so.
TEST(GradientMatching, goes_by_running_statistics_where_it_knows_them) {
  const World world{
      .model = "conv_net { convolutions { channels: 6 kernel: 5 stride: 2 padding: 2 } batch_norm: true }",
      .clients = 100};
  const std::string rest = " gradient_matching { cost: COSINE restarts: 1 lbfgs { iterations: 60 } }";
  const Simulated run =
      simulate(world.with("attacks { name: \"without\" knows_labels: true" + rest +
                          " } attacks { name: \"with\" knows_labels: true knows_statistics: true" + rest + " }"));

  EXPECT_LT(metric_of(run, "with.mse"), metric_of(run, "without.mse"));
}

TEST(RGap, shows_a_single_image_behind_convolutions) {
  for (const std::string activation : {"LEAKY_RELU", "SIGMOID"}) {
    const World world{.model =
                          "conv_net { convolutions { channels: 4 kernel: 5 stride: 2 padding: 2 } convolutions { "
                          "channels: 8 kernel: 5 stride: 2 padding: 2 } activation: " +
                          activation + " }",
                      .section = "victims: 2"};
    const Simulated run = simulate(world.with("attacks { r_gap {} }"));

    EXPECT_EQ(metric_of(run, "r_gap.recovered"), 1.0) << activation;
    EXPECT_EQ(metric_of(run, "r_gap.label_accuracy"), 1.0) << activation;
  }
}

TEST(RGap, shows_nothing_of_several_images) {
  const World world{.model = "conv_net { convolutions { channels: 4 kernel: 5 stride: 2 padding: 2 } }",
                    .clients = 100};  // four samples each

  EXPECT_EQ(metric_of(simulate(world.with("attacks { r_gap {} }")), "r_gap.recovered"), 0.0);
}

TEST(Imprint, reads_samples_out_of_the_sum_of_all_updates) {
  const World world{.model = "mlp { hidden: 256 }"};
  const Simulated run = simulate(world.with("attacks { sum {} imprint {} }"));

  EXPECT_GT(metric_of(run, "imprint.near"), 0.7);
}

TEST(Imprint, leaves_the_model_as_it_was) {
  World world{.model = "mlp { hidden: 32 }", .section = "victims: 2 from_round: 2"};
  world.rounds = 2;
  const Simulated two = simulate(world.with("attacks { imprint {} }"));
  world.section = "victims: 2";
  world.rounds = 1;
  const Simulated one = simulate(world.with("attacks { affine_inversion {} }"));

  EXPECT_EQ(two.hash, one.hash);
}

TEST(Imprint, by_trap_weights_shows_samples) {
  const World world{.model = "mlp { hidden: 512 }", .clients = 100};
  const Simulated run = simulate(world.with("attacks { imprint { traps {} } }"));

  EXPECT_GT(metric_of(run, "imprint.near"), 0.5);
}

struct Refusal {
  World world;
  std::string attacks, reason;
};

TEST(Inference, refuses_by_name_what_cannot_be) {
  const std::vector<Refusal> refusals{
      {{.training = "local_steps: 2"}, "attacks { label_counts {} }", "task.training.local_steps"},
      {{.training = "augmentation { flip: true }"}, "attacks { label_counts {} }", "task.training.augmentation"},
      {{.training = "sgd { momentum: 0.9 }"}, "attacks { label_counts {} }", "sgd.momentum"},
      {{.training = "adam {}"}, "attacks { gradient_matching {} }", "optimizer other than sgd"},
      {{}, "", "inference.attacks: there is none"},
      {{}, "attacks { knows_training: false label_counts {} }", "attacks[0].knows_training = false"},
      {{}, "attacks { principal: BUYER label_counts {} }", "attacks[0].principal = BUYER"},
      {{}, "attacks { principal: VALIDATOR label_counts {} }", "attacks[0].principal = VALIDATOR"},
      {{}, "attacks { principal: OUTSIDER label_counts {} }", "attacks[0].principal = OUTSIDER"},
      {{.section = "auxiliary_per_class: 0"}, "attacks { label_counts {} }", "estimator = AUXILIARY: needs samples"},
      {{.section = "auxiliary_per_class: 0"}, "attacks { imprint {} }", "auxiliary_per_class is 0"},
      {{.section = "auxiliary_per_class: 70"}, "attacks { label_counts {} }", "auxiliary_per_class = 70"},
      {{.section = "from_round: 2"}, "attacks { label_counts {} }", "inference.from_round = 2"},
      {{}, "attacks { name: \"A b\" label_counts {} }", "attacks[0].name"},
      {{}, "attacks { label_counts {} } attacks { label_counts {} }", "another attack is called so"},
      {{}, "attacks { imprint {} }", "attacks[0].imprint: replaces the first hidden layer"},
      {{.model = "cnn_small {}"}, "attacks { affine_inversion {} }", "it is no affine one"},
      {{.model = "mlp {}"}, "attacks { imprint {} } attacks { name: \"b\" imprint {} }", "there can be one"},
      {{}, "attacks { knows_statistics: true gradient_matching {} }", "the network has no running statistics"},
      {{.model = "conv_net { batch_norm: true }"},
       "attacks { knows_statistics: true label_counts {} }",
       "knows_statistics: the attack makes nothing of them"},
      {{.model = "conv_net { batch_norm: true }"},
       "attacks { knows_statistics: true gradient_matching { training: ONE_GRADIENT } }",
       "training = ONE_GRADIENT: running statistics move in every step"},
      {{.model = "conv_net { batch_norm: true }"}, "attacks { r_gap {} }", "conv_net has one whose input"},
      {{.model = "cnn_small {}"}, "attacks { r_gap {} }", "cnn_small has one whose input"},
      {{.model = "conv_net { convolutions { channels: 64 } convolutions { channels: 64 } }"},
       "attacks { r_gap {} }",
       "take fewer filters or larger strides"},
      {{}, "attacks { knows_labels: true gradient_matching { labels: JOINT } }", "labels = JOINT"},
      {{.training = "clip_norm: 1"}, "attacks { gradient_matching {} }", "clip_norm"},
  };
  for (const Refusal& test : refusals) {
    EXPECT_THAT(refusal_of(test.world.with(test.attacks)), HasSubstr(test.reason)) << test.attacks;
  }
}

TEST(Inference, refuses_data_without_classes_and_graphs) {
  const std::string section = " inference { attacks { affine_inversion {} } }";

  EXPECT_THAT(refusal_of("task { data { waves {} } }" + section), HasSubstr("inference"));
  EXPECT_THAT(refusal_of("task { data { communities {} } model { gcn {} } }" + section), HasSubstr("inference"));
}

}  // namespace
}  // namespace souk::inference_test
