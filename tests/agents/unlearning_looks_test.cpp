// What those see who ask whether something was forgotten.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agents/unlearning/looks.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_looks_test {
namespace {

/// With these probabilities of their class.
Look look_of(const std::vector<double>& units, const std::vector<double>& others) {
  Look look;
  for (const double p : units) look.losses_of_units.push_back(-std::log(p));
  for (const double p : others) look.losses_of_others.push_back(-std::log(p));
  return look;
}

TEST(CalibratedMembership, sets_every_unit_against_what_others_make_of_it) {
  // A hard member (.3 where others have .1) and an easy one, beside an easy and a hard one that nobody trained on.
  const Look seen = look_of({0.3, 0.99}, {0.95, 0.2});
  const std::vector<Look> without{look_of({0.1, 0.9}, {0.95, 0.25}), look_of({0.1, 0.9}, {0.95, 0.15})};
  EXPECT_EQ(membership_auc(seen), 0.75);
  EXPECT_EQ(calibrated_membership_auc(seen, without), 1.0);
  // By hand: logits of seen less the mean of the others'. Of the hard other -1.3863 - (-1.0986 - 1.7346) / 2 = .0303,
  // below 1.35 of the hard member.
  EXPECT_EQ(calibrated_membership_auc(look_of({0.1}, {0.2}), std::vector{look_of({0.1}, {0.25})}), 1.0);
  EXPECT_EQ(calibrated_membership_auc(look_of({0.1}, {0.25}), std::vector{look_of({0.1}, {0.2})}), 0.0);
}

TEST(CalibratedMembership, copes_with_certainty) {
  const Look sure = look_of({1.0, 1.0}, {1.0, 1e-30});
  EXPECT_EQ(calibrated_membership_auc(sure, std::vector{sure}), 0.5);
}

TEST(CalibratedMembership, needs_somebody_to_set_it_against) {
  EXPECT_EQ(calibrated_membership_auc(look_of({0.5}, {0.5}), {}), std::nullopt);
  EXPECT_EQ(calibrated_membership_auc(look_of({}, {0.5}), std::vector{look_of({}, {0.5})}), std::nullopt);
}

/// Models that know their samples by heart give them away before, and not after retraining.
TEST(CalibratedMembership, of_a_retrained_model_is_a_guess) {
  const std::string text =
      "rounds: 13 task { data { glyphs { train_samples: 200 test_samples: 400 } } model { mlp { hidden: 32 } } "
      "training { "
      "local_epochs: 5 batch_size: 10 learning_rate: 0.2 } } participants { clients: 4 everyone: true } unlearning { "
      "requests { name: \"r\" round: 13 clients { ids: 1 } retrain {} reference { other_seeds: 4 } } } ";
  const Simulated run = simulate(text);
  const auto of = [&](const std::string& name) {
    return run.records.back().metric("unlearning.r." + name + ".calibrated_membership_auc").value();
  };
  const double error = std::sqrt((50.0 + 400.0 + 1.0) / (12.0 * 50.0 * 400.0));  // of an area of one half
  EXPECT_GT(of("before"), 0.5 + 4.0 * error);
  EXPECT_NEAR(of("after"), 0.5, 3.0 * error);
  EXPECT_EQ(of("after"), of("retrained"));
}

}  // namespace
}  // namespace souk::unlearning_looks_test
