// What attacks are for: that those whose effect the literature reports have it on drawn images, under the rule that
// they are made against or that cannot withstand them, and that the rules made against them do. Bands are wide:
// three seeds lie far inside. docs/results/robustness.md has the full tables.
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/last_accuracy.hpp"

namespace souk::attack_effect_test {
namespace {

/// 15 clients, two local passes: updates are alike.
const std::string alike =
    "rounds: 8 task { data { glyphs { train_samples: 3000 test_samples: 600 } } model { mlp {} } training { "
    "local_epochs: 2 learning_rate: 0.1 } } participants { clients: 15 everyone: true } evaluation { every: 8 } "
    "validators { min_samples: 2 } ";
/// 51 clients, one step of a small batch, momentum: updates differ more than they agree, and a small bias adds up.
const std::string spread =
    "rounds: 60 task { data { glyphs { train_samples: 5100 test_samples: 600 } } model { mlp { hidden: [50] } } "
    "training "
    "{ local_steps: 1 learning_rate: 0.1 } } participants { clients: 51 everyone: true } server { sgd { momentum: 0.9 "
    "} "
    "} evaluation { every: 60 } ";
/// Clients of unequal classes, one step: FLTrust's setting in small.
const std::string unequal =
    "rounds: 80 task { data { glyphs { train_samples: 3000 test_samples: 600 } } model { mlp { hidden: [50] } } "
    "training "
    "{ local_steps: 1 learning_rate: 0.1 } } participants { clients: 30 everyone: true } partition { label_group { q: "
    "0.5 "
    "} } evaluation { every: 80 } ";

struct Case {
  std::string name;      ///< of the test
  std::string scenario;  ///< without rule and attack
  std::string rule;
  std::string attack;
  std::string metric;  ///< of the last round; "lost": accuracy lost against the same scenario without the attack
  double least = 0.0;
  double most = 1.0;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.rule << " under " << c.attack; }

const std::vector<Case> cases{
    {"mean_falls_to_ipm", alike, "mean {}", "ipm { epsilon: 10 }", "lost", 0.4, 1.0},
    {"mean_takes_a_scaled_backdoor", alike, "mean {}", "badnets {} scaling {}", "asr", 0.8, 1.0},
    {"mean_keeps_its_accuracy_then", alike, "mean {}", "badnets {} scaling {}", "lost", -1.0, 0.15},
    {"multi_krum_does_not_take_it", alike, "multi_krum {}", "badnets {} scaling {}", "asr", 0.0, 0.2},
    {"krum_falls_to_fangs_attack_on_it", alike, "krum {}", "fang_krum {}", "lost", 0.3, 1.0},
    {"krum_does_not_fall_to_that_on_trimming", alike, "krum {}", "fang_trim {}", "lost", -1.0, 0.1},
    {"mean_falls_to_gradient_ascent", alike, "mean {}", "pga {}", "lost", 0.05, 1.0},
    {"krum_falls_to_the_attack_tailored_to_it", spread, "krum {}", "count: 12 agr_tailored { rule: KRUM }", "lost",
     0.15, 1.0},
    {"median_falls_to_alie", spread, "median {}", "count: 12 alie { z: 1.5 }", "lost", 0.3, 1.0},
    {"trimmed_mean_falls_to_min_max", spread, "trimmed_mean {}", "count: 12 min_max {}", "lost", 0.3, 1.0},
    {"trimmed_mean_falls_to_min_sum", spread, "trimmed_mean {}", "count: 12 min_sum {}", "lost", 0.3, 1.0},
    {"mean_falls_to_fang_trim", spread, "mean {}", "count: 12 fang_trim {}", "lost", 0.3, 1.0},
    {"fltrust_resists_label_flips", unequal, "fltrust {}", "label_flip {}", "lost", -1.0, 0.12},
    {"fltrust_resists_fang_trim", unequal, "fltrust {}", "fang_trim {}", "lost", -1.0, 0.12},
    {"flshield_finds_targeted_flips", alike, "flshield {}", "fraction: 0.4 label_flip { source: 4 target: 6 }", "tpr",
     0.8, 1.0},
};

class AttackEffect : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "minutes long under the sanitizers, which look for other things";
#endif
  }
};

/// Of a scenario under a rule, without an attack; computed once each.
double clean_accuracy(const std::string& scenario, const std::string& rule) {
  static std::map<std::string, double> known;
  const std::string text = scenario + "aggregator { " + rule + " }";
  const auto found = known.find(text);
  return found != known.end() ? found->second : known[text] = last_accuracy(text);
}

TEST_P(AttackEffect, is_the_one_reported) {
  const Case& c = GetParam();
  const std::string text = c.scenario + "aggregator { " + c.rule + " } attacks { " + c.attack + " }";
  const double value =
      c.metric == "lost" ? clean_accuracy(c.scenario, c.rule) - last_accuracy(text) : last_metric(text, c.metric);
  EXPECT_GE(value, c.least);
  EXPECT_LE(value, c.most);
}

INSTANTIATE_TEST_SUITE_P(attacks, AttackEffect, testing::ValuesIn(cases),
                         [](const auto& instance) { return instance.param.name; });

TEST_F(AttackEffect, fltrust_fails_with_a_root_set_of_one_class) {
  const std::string rule = "aggregator { fltrust {} } root { bias: ";
  EXPECT_GE(last_accuracy(unequal + rule + "0 }"), 0.5);
  EXPECT_LE(last_accuracy(unequal + rule + "1 }"), 0.35);
}

}  // namespace
}  // namespace souk::attack_effect_test
