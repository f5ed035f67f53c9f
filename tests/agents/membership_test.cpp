// Membership and source inference in whole runs.
#include <cmath>
#include <string>

#include <gmock/gmock.h>

#include "tests/support/simulated.hpp"

namespace souk::membership_runs_test {
namespace {

using testing::HasSubstr;

std::string scenario_of(const std::string& attacks, const std::string& rate = "0.1", const std::string& rest = "",
                        const std::string& section = "victims: 8 from_round: 2") {
  return "rounds: 2 task { data { glyphs { train_samples: 600 test_samples: 1200 } } model { mlp { hidden: 64 } } "
         "training { "
         "local_epochs: 10 batch_size: 5 learning_rate: " +
         rate +
         " } } participants { clients: 20 per_round: 10 } aggregator { mean { weighting: UNIFORM } } inference { " +
         section + " auxiliary_per_class: 0 " + attacks + " } " + rest;
}

double number(const Simulated& run, const std::string& metric) {
  const auto value = run.records.back().metric("inference." + metric);
  EXPECT_TRUE(value.has_value()) << metric;
  return value.value_or(-1.0);
}

TEST(MembershipRuns, who_trains_long_on_little_gives_members_away) {
  const Simulated run =
      simulate(scenario_of("attacks { membership {} } attacks { name: \"loss\" membership { signal: LOSS } } attacks { "
                           "name: \"drop\" membership { "
                           "signal: LOSS_DROP } } attacks { name: \"fedmia\" membership { against_others: true } }"));
  for (const std::string name : {"membership", "loss", "drop", "fedmia"}) {
    EXPECT_GT(number(run, name + ".membership_auc"), 0.6) << name;
    EXPECT_LE(number(run, name + ".membership_auc_low"), number(run, name + ".membership_auc"));
    EXPECT_GE(number(run, name + ".membership_auc_high"), number(run, name + ".membership_auc"));
    EXPECT_GT(number(run, name + ".membership_balanced_accuracy"), 0.55);
  }
}

/// 240 members and 240 others that nothing was learned from: the standard error of the area is at most .0264.
TEST(MembershipRuns, who_learns_nothing_gives_nothing_away) {
  for (const std::string signal : {"LOSS", "GRADIENT_NORM"}) {
    const Simulated run = simulate(scenario_of("attacks { membership { signal: " + signal + " } }", "1e-9"));
    EXPECT_NEAR(number(run, "membership.membership_auc"), 0.5, 3.0 * std::sqrt((240 + 240 + 1) / (12.0 * 240 * 240)))
        << signal;
  }
}

/// The mean of ten updates says less than one of them.
TEST(MembershipRuns, a_sum_says_less) {
  const Simulated run =
      simulate(scenario_of("attacks { membership { signal: LOSS_DROP } } attacks { name: \"sum\" sum {} membership { "
                           "signal: LOSS_DROP } }"));
  EXPECT_LT(number(run, "sum.membership_auc"), number(run, "membership.membership_auc"));
}

TEST(MembershipRuns, sources_are_named_better_than_by_chance) {
  const Simulated run =
      simulate(scenario_of("attacks { source {} }", "0.1", "partition { dirichlet { alpha: 1 } min_samples: 5 }"));
  EXPECT_GT(number(run, "source.source_accuracy"), 0.2);  // one in ten by chance
  EXPECT_GE(number(run, "source.source_by_class"), 0.0);
  EXPECT_LE(number(run, "source.source_by_size"), 1.0);
}

TEST(MembershipRuns, secure_aggregation_shows_sums_alone) {
  const std::string secure = "communication { secure_aggregation { greatest: 2 modulus_bits: 64 } }";
  EXPECT_THAT(refusal_of(scenario_of("attacks { membership {} }", "0.1", secure)), HasSubstr("single updates"));
  EXPECT_EQ(refusal_of(scenario_of("attacks { sum {} membership {} }", "0.1", secure)), "");
  EXPECT_THAT(refusal_of(scenario_of("attacks { sum {} membership {} }", "0.1",
                                     "communication { secure_aggregation { group: 5 modulus_bits: 64 } }")),
              HasSubstr("sums of groups"));
}

TEST(MembershipRuns, comparing_updates_takes_single_ones) {
  EXPECT_THAT(refusal_of(scenario_of("attacks { sum {} membership { against_others: true } }")),
              HasSubstr("single updates"));
  EXPECT_THAT(refusal_of(scenario_of("attacks { sum {} source {} }")), HasSubstr("single updates"));
  EXPECT_THAT(refusal_of(scenario_of("attacks { knows_training: false membership { signal: DIFFERENCE } }")),
              HasSubstr("knows_training"));
  EXPECT_THAT(refusal_of(scenario_of("attacks { knows_labels: true membership {} }")),
              HasSubstr("makes nothing of them"));
}

}  // namespace
}  // namespace souk::membership_runs_test
