// Verifiers with known truth: servers that retrain, pretend and blur; shadows against likelihood ratios and areas that
// are written down again.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attacks/shadow_models.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/tasks/row_task.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_verifiers_test {
namespace {

using testing::HasSubstr;

double number(const Simulated& run, std::uint32_t round, const std::string& name) {
  const std::optional<double> value = run.records[round - 1].metric(name);
  EXPECT_TRUE(value.has_value()) << name;
  return value.value_or(std::nan(""));
}

/// One who looks for any change is fooled by noise, one who planted a backdoor is not by a
/// server that does nothing.
TEST(Verifiers, answer_by_their_evidence) {
  const auto answers = [](const std::string& how) {
    return simulate(
        "rounds: 12 seed: 3 task { data { glyphs { train_samples: 1000 test_samples: 300 } } model { mlp { hidden: "
        "32 } } training { learning_rate: 0.1 local_epochs: 2 } } participants { clients: 5 everyone: true } attacks "
        "{ members { id: 2 } badnets { target: 1 } poison_share: 0.8 } unlearning { requests { name: \"v\" round: 12 "
        "clients { of_group: 0 } verifiers { planted_backdoor { most: 0.3 } } verifiers { changed_answers {} } "
        "verifiers { loss_of_members { most: 1 } } " +
        how + " } } ");
  };
  const Simulated nothing = answers("no_update {}"), honest = answers("retrain {}"),
                  noise = answers("add_noise { sigma: 0.05 }");
  EXPECT_EQ(number(nothing, 12, "unlearning.v.verified.planted_backdoor"), 0.0);
  EXPECT_EQ(number(honest, 12, "unlearning.v.verified.planted_backdoor"), 1.0);
  EXPECT_EQ(number(nothing, 12, "unlearning.v.verified.changed_answers"), 0.0);
  EXPECT_EQ(number(noise, 12, "unlearning.v.verified.changed_answers"), 1.0);
  EXPECT_EQ(number(nothing, 12, "unlearning.v.verified.loss_of_members"), 1.0);
}

TEST(Verifiers, by_relearning_tell_a_class_that_is_still_known) {
  const auto answer = [](const std::string& how) {
    return number(
        simulate(
            "rounds: 5 task { data { glyphs { train_samples: 400 test_samples: 100 } } model { mlp { hidden: 10 } } "
            "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 6 everyone: true } unlearning "
            "{ requests { name: \"v\" round: 5 samples { of_class: 3 } verifiers { relearn_time { learning_rate: "
            "0.01 } } " +
            how + " } }"),
        5, "unlearning.v.verified.relearn_time");
  };
  EXPECT_EQ(answer("no_update {}"), 0.0);
  EXPECT_EQ(answer("retrain {}"), 1.0);
}

/// Four clients learn their samples by heart, and one asks to be forgotten.
std::string learned_by_heart(const std::string& request, std::uint32_t test_samples) {
  std::string text = run_of(3, "mlp { hidden: 48 }", "batch_size: 10 local_epochs: 30 learning_rate: 0.2", request);
  const std::string few = "test_samples: 60";
  return text.replace(text.find(few), few.size(), "test_samples: " + std::to_string(test_samples));
}

std::string by_heart(const std::string& how, const std::string& shadows, std::uint32_t test_samples = 300) {
  return learned_by_heart("clients { ids: 2 } verifiers { shadow_models { " + shadows + " } } " + how, test_samples);
}

TEST(ShadowVerifier, disbelieves_who_does_nothing_and_believes_who_retrains) {
  const std::string shadows = "shadows: 16 passes: 90 batch_size: 10 learning_rate: 0.2 most: 0.6";
  const Finished nothing(by_heart("no_update {}", shadows)), honest(by_heart("retrain {}", shadows));
  EXPECT_EQ(nothing.number("unlearning.r.verified.shadow_models"), 0.0);
  EXPECT_EQ(honest.number("unlearning.r.verified.shadow_models"), 1.0);
  EXPECT_GT(nothing.number("unlearning.r.evidence.shadow_models"), 0.65);
  const double error = std::sqrt((60 + 60 + 1) / (12.0 * 60 * 60));
  EXPECT_NEAR(honest.number("unlearning.r.evidence.shadow_models"), 0.5, 3.0 * error);
  EXPECT_GT(nothing.number("unlearning.r.evidence.shadow_models"), nothing.number("unlearning.r.after.membership_auc"));
}

double middle(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/// The pool of a verifier in round 4 of such a run, as it is where nobody has asked yet, and what it makes of it,
/// written down again.
struct Oracle {
  explicit Oracle(const Finished& run) : units(run.units_of(2)), network(run.task().rows()->network()) {
    const Dataset &train = run.federation().train(), &test = run.federation().test();
    Stream random(run.resolved.scenario->seed(), streams::shadow_verifier(0, {4}));
    std::vector<std::uint32_t> order(test.size());
    std::iota(order.begin(), order.end(), 0U);
    random.shuffle(order);
    for (std::int32_t label = 0; label < 10; ++label) {
      const auto of_label = [&](SampleIndex unit) { return train.labels()[unit] == label; };
      auto wanted = std::ranges::count_if(units, of_label);
      for (const std::uint32_t unit : order) {
        if (test.labels()[unit] == label && wanted-- > 0) others.push_back(unit);
      }
    }
    std::ranges::sort(others);
    split_seed = random.next_seed();
    seed = random.next_seed();
    for (const auto& [data, which] : {std::pair{&train, &units}, std::pair{&test, &others}}) {
      for (const SampleIndex unit : *which) {
        std::vector<float> row(data->features());
        data->copy_features(std::span(&unit, 1), row);
        features.insert(features.end(), row.begin(), row.end());
        labels.push_back(data->labels()[unit]);
      }
    }
  }

  /// log(p / (1 - p)) of every unit's class.
  std::vector<double> logits_of(std::span<const float> model) {
    std::vector<float> out(labels.size() * 10);
    network.outputs(model, {.features = features, .labels = labels, .samples = labels.size()}, out);
    std::vector<double> logits;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      double others_sum = 0.0;
      const double own = out[i * 10 + static_cast<std::size_t>(labels[i])];
      for (std::size_t c = 0; c < 10; ++c) {
        if (c != static_cast<std::size_t>(labels[i]))
          others_sum += std::exp(static_cast<double>(out[i * 10 + c]) - own);
      }
      logits.push_back(-std::log(others_sum));
    }
    return logits;
  }

  double auc(std::span<const float> model, std::size_t shadows, const ShadowTraining& training) {
    const std::size_t n = labels.size();
    ShadowPool pool({.features = features, .labels = labels}, {});
    const ShadowSplit split(n, shadows, split_seed);
    std::vector<std::vector<double>> in(n), out(n);
    for (std::size_t s = 0; s < shadows; ++s) {
      const std::vector<double> seen = logits_of(trained_shadow(network, pool, split, s, training, seed, {}));
      for (std::size_t i = 0; i < n; ++i) (split.has(s, i) ? in : out)[i].push_back(seen[i]);
    }
    double in_variance = 0.0, out_variance = 0.0;
    const auto add_spread = [&](const std::vector<double>& values, double& variance) {
      for (const double v : values) {
        variance += (v - middle(values)) * (v - middle(values)) / static_cast<double>(values.size() * n);
      }
    };
    for (std::size_t i = 0; i < n; ++i) {
      add_spread(in[i], in_variance);
      add_spread(out[i], out_variance);
    }
    const std::vector<double> heard = logits_of(model);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < n; ++i) {
      const double a = heard[i] - middle(in[i]), b = heard[i] - middle(out[i]);
      ratios.push_back(b * b / (2 * out_variance) - a * a / (2 * in_variance));
    }
    double higher = 0.0;
    for (std::size_t i = 0; i < units.size(); ++i) {
      for (std::size_t j = units.size(); j < n; ++j) {
        higher += ratios[i] > ratios[j] ? 1.0 : ratios[i] == ratios[j] ? 0.5 : 0.0;
      }
    }
    return higher / static_cast<double>(units.size() * others.size());
  }

  std::vector<SampleIndex> units, others;
  Network& network;
  std::uint64_t split_seed = 0, seed = 0;
  std::vector<float> features;
  std::vector<std::int32_t> labels;
};

TEST(ShadowVerifier, goes_by_the_area_of_likelihood_ratios) {
  const std::string shadows = "shadows: 6 passes: 20 batch_size: 7 learning_rate: 0.1";
  for (const std::uint32_t test_samples : {30U, 300U}) {
    const Finished run(by_heart("add_noise { sigma: 0.05 }", shadows, test_samples));
    const Finished before(learned_by_heart("", test_samples));
    Oracle oracle(before);
    EXPECT_LE(oracle.others.size(), test_samples == 30 ? 30U : 60U);
    EXPECT_GT(oracle.others.size(), 20U);
    EXPECT_NEAR(run.number("unlearning.r.evidence.shadow_models"),
                oracle.auc(run.model(), 6, {.passes = 20, .batch_size = 7, .rate = 0.1}), 1e-9)
        << test_samples;
  }
}

TEST(ShadowVerifier, hears_the_model_as_it_is_tested) {
  const std::string shadows = "shadows: 4 passes: 5 batch_size: 10 learning_rate: 0.1";
  const Finished nothing(by_heart("no_update {}", shadows)),
      turned(by_heart("steer_activations { strength: 4 }", shadows));
  EXPECT_EQ(nothing.model(), turned.model());
  EXPECT_LT(turned.number("unlearning.r.evidence.shadow_models"),
            nothing.number("unlearning.r.evidence.shadow_models"));
}

TEST(ShadowVerifier, says_the_same_on_any_number_of_ranks) {
  const std::string text = by_heart("add_noise { sigma: 0.05 }", "shadows: 4 passes: 3");
  const auto said = [&](int ranks) { return number(simulate(text, ranks), 4, "unlearning.r.evidence.shadow_models"); };
  const double alone = said(1);
  for (const int ranks : {2, 3, 5}) EXPECT_EQ(said(ranks), alone) << ranks;
}

TEST(ShadowVerifier, checks_texts) {
  const Simulated run = simulate(
      "rounds: 2 task { data { topics { train_samples: 240 test_samples: 60 length: 8 vocabulary: 40 } } model "
      "{ text_cnn { embedding: 6 filters: 4 } } training { learning_rate: 0.2 } } participants { clients: 4 "
      "everyone: true } unlearning { requests { name: \"r\" clients { ids: 1 } no_update {} verifiers { "
      "shadow_models { shadows: 2 passes: 2 } } } }");
  EXPECT_GT(number(run, 2, "unlearning.r.evidence.shadow_models"), 0.0);
}

TEST(ShadowVerifier, is_forecast) {
  const ResolvedScenario resolved = resolve_scenario({"test", by_heart("no_update {}", "shadows: 6"), {}});
  const auto simulation = make_simulation(Comm::self(), *resolved.scenario, "cpu");
  ASSERT_EQ(simulation->forecasts().size(), 1U);
  EXPECT_THAT(simulation->forecasts()[0].text, HasSubstr("train 6 models of their own"));
  double bytes = 0.0;
  for (const PartFootprint& part : simulation->estimate(1).parts) {
    if (part.part == "verifiers") bytes = part.footprint.rank();
  }
  EXPECT_GT(bytes, 2.0 * 60 * 784 * sizeof(float));
}

TEST(ShadowVerifier, is_refused_in_one_sentence) {
  EXPECT_THAT(refusal_of(by_heart("no_update {}", "shadows: 7")),
              HasSubstr("unlearning.requests[0].verifiers[0].shadow_models: shadows = 7: half of them"));
  const std::string asks =
      "participants { clients: 2 everyone: true } unlearning { requests { clients { ids: 1 } "
      "no_update {} verifiers { shadow_models {} } } }";
  EXPECT_THAT(refusal_of("rounds: 2 task { data { communities {} } model { gcn {} } } " + asks),
              HasSubstr("on rows with classes, and the data set has none"));
  EXPECT_THAT(refusal_of("rounds: 2 task { data { waves {} } model { mlp {} } } " + asks),
              HasSubstr("on rows with classes, and the data set has none"));
}

}  // namespace
}  // namespace souk::unlearning_verifiers_test
