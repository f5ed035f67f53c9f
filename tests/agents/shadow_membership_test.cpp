// Membership by shadow models in whole runs: who sees the model that is published.
#include <cmath>
#include <string>

#include <gmock/gmock.h>

#include "tests/support/simulated.hpp"

namespace souk::shadow_membership_test {
namespace {

using testing::HasSubstr;

const std::string shadows = "shadows: 8 passes: 60 batch_size: 10 learning_rate: 0.2 ";

std::string scenario_of(const std::string& attacks, const std::string& rate = "0.2") {
  return "rounds: 1 task { data { glyphs { train_samples: 400 test_samples: 400 } } model { mlp { hidden: 48 } } "
         "training "
         "{ local_epochs: 60 batch_size: 10 learning_rate: " +
         rate +
         " } } participants { clients: 1 everyone: true } aggregator { mean {} } inference { victims: 1 "
         "auxiliary_per_class: 15 " +
         attacks + " }";
}

std::string attack(const std::string& name, const std::string& score) {
  return "attacks { name: \"" + name + "\" principal: OUTSIDER published {} shadow_membership { " + shadows + score +
         " } } ";
}

const std::string all_scores =
    attack("online", "likelihood_ratio {}") + attack("own", "likelihood_ratio { own_variance: true means: true }") +
    attack("offline", "likelihood_ratio { offline: true }") + attack("relative", "relative {}") +
    attack("relative_offline", "relative { offline: true }") + attack("difficulty", "difficulty {}") +
    attack("regression", "class_regression {}");
const std::vector<std::string> names{"online",           "own",        "offline",   "relative",
                                     "relative_offline", "difficulty", "regression"};

double number(const Simulated& run, const std::string& metric) {
  const auto value = run.records.back().metric("inference." + metric);
  EXPECT_TRUE(value.has_value()) << metric;
  return value.value_or(-1.0);
}

TEST(ShadowMembership, finds_members_of_what_was_learned_by_heart) {
  const Simulated run =
      simulate(scenario_of(all_scores + "attacks { name: \"loss\" published {} membership { signal: LOSS } }"));
  const double by_loss = number(run, "loss.membership_auc");
  EXPECT_GT(by_loss, 0.55);
  for (const std::string& name : names) EXPECT_GT(number(run, name + ".membership_auc"), 0.55) << name;
  EXPECT_GT(number(run, "online.membership_auc"), by_loss) << "what is hard for shadows, too, is no sign";
}

/// 250 members and as many others that nothing was learned from, whatever the shadows have learned.
TEST(ShadowMembership, finds_nobody_where_nothing_was_learned) {
  const Simulated run = simulate(scenario_of(all_scores, "1e-9"));
  const double error = std::sqrt((250 + 250 + 1) / (12.0 * 250 * 250));
  for (const std::string& name : names) EXPECT_NEAR(number(run, name + ".membership_auc"), 0.5, 3.0 * error) << name;
}

TEST(ShadowMembership, the_same_numbers_on_any_number_of_ranks) {
  const std::string text = scenario_of(attack("online", "") + attack("relative", "relative {}"));
  const Simulated one = simulate(text), three = simulate(text, 3);
  EXPECT_EQ(one.hash, three.hash);
  for (const std::string name : {"online", "relative"})
    EXPECT_EQ(number(one, name + ".membership_auc"), number(three, name + ".membership_auc"));
}

TEST(ShadowMembership, a_check_says_what_it_trains) {
  const ResolvedScenario resolved = resolve_scenario({"test", scenario_of(attack("a", "") + attack("b", "")), {}});
  const auto forecasts = make_simulation(Comm::self(), *resolved.scenario, "cpu")->forecasts();
  ASSERT_EQ(forecasts.size(), 1U);
  EXPECT_THAT(forecasts[0].text, HasSubstr("16 shadows trained for each"));
}

TEST(ShadowMembership, refuses_what_has_no_halves) {
  EXPECT_THAT(refusal_of(scenario_of("attacks { published {} shadow_membership { shadows: 7 } }")),
              HasSubstr("shadow_membership.shadows = 7"));
  EXPECT_THAT(refusal_of(scenario_of(
                  "attacks { published {} shadow_membership { shadows: 2 likelihood_ratio { own_variance: true } } }")),
              HasSubstr("own_variance"));
  std::string bare = scenario_of(attack("a", ""));
  bare.replace(bare.find("auxiliary_per_class: 15"), 23, "auxiliary_per_class: 0");
  EXPECT_THAT(refusal_of(bare), HasSubstr("samples of its own"));
}

}  // namespace
}  // namespace souk::shadow_membership_test
