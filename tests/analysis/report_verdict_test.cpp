#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/overview.hpp"
#include "analysis/report/verdict.hpp"

namespace souk {
namespace {

using testing::HasSubstr;
using Result = RuleVerdict::Result;

/// A study with one axis, `share`, put together by hand.
class ReportVerdict : public testing::Test {
 protected:
  ReportVerdict() {
    study_.rules = {"mean", "krum"};
    study_.attacks = {"none", "flip", "door"};
    study_.axes = {{"share", {"0.1", "0.3"}, true}};
  }
  std::size_t run(const std::string& status, std::map<std::string, double> finals) {
    StudyRun run;
    run.run = static_cast<std::int64_t>(study_.runs.size());
    run.status = status;
    run.finals = std::move(finals);
    study_.runs.push_back(run);
    return study_.runs.size() - 1;
  }
  void cell(std::size_t run, const std::string& rule, const std::string& attack, const std::string& seed,
            const std::string& share) {
    StudyCell cell;
    cell.run = run;
    cell.rule = rule;
    cell.attack = attack;
    cell.seed = seed;
    cell.at = {share};
    study_.cells.push_back(cell);
  }
  /// The clean run of a rule stands for both shares, as in a sweep.
  void clean(const std::string& rule, const std::string& seed, double accuracy) {
    const std::size_t number = run("done", {{"accuracy", accuracy}});
    for (const char* share : {"0.1", "0.3"}) cell(number, rule, "none", seed, share);
  }
  void attacked(const std::string& rule, const std::string& attack, const std::string& seed, const std::string& share,
                std::map<std::string, double> finals, const std::string& status = "done") {
    cell(run(status, std::move(finals)), rule, attack, seed, share);
  }
  Study study_;
  VerdictLimits limits_{.accuracy_loss = 0.10, .attack_success = 0.20};
};

TEST_F(ReportVerdict, losses_are_means_over_seeds_against_the_clean_cell_of_the_same_seed) {
  clean("mean", "1", 0.90);
  clean("mean", "2", 0.70);
  attacked("mean", "flip", "1", "0.1", {{"accuracy", 0.80}});  // 10 points lost
  attacked("mean", "flip", "2", "0.1", {{"accuracy", 0.64}});  // 6: the mean is 8
  attacked("mean", "flip", "1", "0.3", {{"accuracy", 0.50}});  // 40
  attacked("mean", "flip", "2", "0.3", {{"accuracy", 0.50}});  // 20: the mean is 30
  const StudyVerdict verdict = judge(study_, limits_);

  ASSERT_TRUE(verdict.against_clean);
  ASSERT_EQ(verdict.rules.size(), 1U);  // nothing was tried on krum
  const RuleVerdict& mean = verdict.rules[0];
  EXPECT_EQ(mean.result, Result::broke);
  EXPECT_EQ(mean.settings, 2);
  EXPECT_EQ(mean.broken, 1);
  EXPECT_NEAR(*mean.clean_accuracy, 0.80, 1e-12);
  EXPECT_EQ(mean.worst_attack, "flip");
  EXPECT_EQ(mean.worst_setting, "share 0.3");
  EXPECT_NEAR(*mean.worst_accuracy, 0.50, 1e-12);
  EXPECT_NEAR(*mean.worst_loss, 0.30, 1e-12);
}

TEST_F(ReportVerdict, a_rule_holds_below_both_limits_and_breaks_at_either) {
  for (const auto& [accuracy, success, expected] :
       {std::tuple(0.8125, 0.1875, Result::held), std::tuple(0.75, 0.0, Result::broke),
        std::tuple(0.875, 0.25, Result::broke)}) {
    study_.runs.clear();
    study_.cells.clear();
    clean("krum", "1", 0.875);
    attacked("krum", "door", "1", "0.1", {{"accuracy", accuracy}, {"asr", success}});
    // binary fractions, so that the limits are met exactly
    EXPECT_EQ(judge(study_, {.accuracy_loss = 0.125, .attack_success = 0.25}).rules[0].result, expected)
        << accuracy << " " << success;
  }
}

TEST_F(ReportVerdict, a_diverged_run_breaks_its_setting_and_is_worse_than_any_loss) {
  clean("mean", "1", 0.9);
  attacked("mean", "flip", "1", "0.1", {{"accuracy", 0.1}});
  attacked("mean", "door", "1", "0.1", {{"accuracy", 0.89}}, "diverged");
  const RuleVerdict mean = judge(study_, limits_).rules[0];
  EXPECT_EQ(mean.broken, 2);
  EXPECT_EQ(mean.worst_attack, "door");
  EXPECT_FALSE(mean.worst_loss);
  EXPECT_FALSE(mean.worst_accuracy);
}

TEST_F(ReportVerdict, cells_without_a_result_leave_a_rule_undecided_but_do_not_save_one_that_broke) {
  clean("mean", "1", 0.9);
  clean("krum", "1", 0.9);
  for (const char* rule : {"mean", "krum"}) {
    attacked(rule, "door", "1", "0.1", {}, "missing");
    attacked(rule, "door", "1", "0.3", {{"accuracy", 0.2}}, "running");  // not over yet: says nothing
  }
  attacked("mean", "flip", "1", "0.1", {{"accuracy", 0.2}});
  attacked("krum", "flip", "1", "0.1", {{"accuracy", 0.9}});
  const StudyVerdict verdict = judge(study_, limits_);
  EXPECT_EQ(verdict.rules[0].result, Result::broke);
  EXPECT_EQ(verdict.rules[1].result, Result::unfinished);
  EXPECT_EQ(verdict.rules[1].unfinished, 2);
  EXPECT_EQ(verdict.rules[1].settings, 3);
}

TEST_F(ReportVerdict, without_clean_cells_the_reference_is_the_best_of_the_same_seed_and_setting) {
  study_.attacks = {"flip", "door"};
  attacked("mean", "flip", "1", "0.1", {{"accuracy", 0.5}});
  attacked("krum", "flip", "1", "0.1", {{"accuracy", 0.8}});
  attacked("krum", "flip", "2", "0.1", {{"accuracy", 0.95}});  // another seed
  attacked("krum", "flip", "1", "0.3", {{"accuracy", 0.99}});  // another setting
  const StudyVerdict verdict = judge(study_, limits_);
  EXPECT_FALSE(verdict.against_clean);
  EXPECT_NEAR(*verdict.rules[0].worst_loss, 0.3, 1e-12);
  EXPECT_NEAR(*verdict.rules[1].worst_loss, 0.0, 1e-12);
  EXPECT_FALSE(verdict.rules[0].clean_accuracy);
  EXPECT_THAT(overview_json(study_, verdict, limits_), HasSubstr("no cells without attack"));
}

TEST_F(ReportVerdict, a_clean_cell_of_another_setting_serves_where_there_is_none_of_the_same) {
  const std::size_t other = run("done", {{"accuracy", 0.9}});
  cell(other, "mean", "none", "1", "0");
  attacked("mean", "flip", "1", "0.3", {{"accuracy", 0.6}});
  EXPECT_NEAR(*judge(study_, limits_).rules[0].worst_loss, 0.3, 1e-12);
}

TEST_F(ReportVerdict, attacks_are_ordered_by_what_they_broke_then_by_what_they_cost) {
  clean("mean", "1", 0.9);
  clean("krum", "1", 0.9);
  attacked("mean", "flip", "1", "0.1", {{"accuracy", 0.3}});                // breaks, costs 60
  attacked("krum", "flip", "1", "0.1", {{"accuracy", 0.9}});                // costs nothing
  attacked("mean", "door", "1", "0.1", {{"accuracy", 0.9}, {"asr", 0.6}});  // both broken by success
  attacked("krum", "door", "1", "0.1", {{"accuracy", 0.85}, {"asr", 0.7}});
  const StudyVerdict verdict = judge(study_, limits_);
  ASSERT_EQ(verdict.attacks.size(), 2U);
  EXPECT_EQ(verdict.attacks[0].attack, "door");
  EXPECT_EQ(verdict.attacks[0].broken, 2);
  EXPECT_NEAR(*verdict.attacks[0].mean_loss, 0.025, 1e-12);
  EXPECT_NEAR(*verdict.attacks[0].attack_success, 0.7, 1e-12);
  EXPECT_NEAR(*verdict.attacks[1].mean_loss, 0.3, 1e-12);
  EXPECT_EQ(verdict.rules[1].strongest_backdoor, "door");
}

TEST_F(ReportVerdict, the_overview_names_who_held_who_broke_and_the_limits) {
  clean("mean", "1", 0.9);
  clean("krum", "1", 0.9);
  attacked("mean", "flip", "1", "0.3", {{"accuracy", 0.3}});
  attacked("krum", "flip", "1", "0.3", {{"accuracy", 0.88}});
  study_.runs[0].seconds = 60.0;
  study_.runs[1].seconds = 65.0;
  const auto overview = nlohmann::json::parse(overview_json(study_, judge(study_, limits_), limits_));
  const auto& cards = overview["cards"];
  ASSERT_EQ(cards.size(), 3U);
  EXPECT_EQ(cards[0]["lines"][0], "krum: 90.0 → 88.0 % under flip (share 0.3)");
  EXPECT_EQ(cards[1]["lines"][0], "mean: 90.0 → 30.0 % under flip (share 0.3)");
  EXPECT_EQ(cards[1]["lines"][1], "Most harmful: flip, with 1 setting broken and 31.0 points lost on average.");
  EXPECT_THAT(cards[2]["lines"][0].get<std::string>(), HasSubstr("2 min 5 s of computing"));
  EXPECT_EQ(cards[2]["lines"][1], "6 cells in 4 runs: 4 done.");
  EXPECT_THAT(overview["definitions"][0].get<std::string>(), HasSubstr("less than 10 points"));
  EXPECT_THAT(overview["definitions"][0].get<std::string>(), HasSubstr("less than 20 %"));
}

TEST_F(ReportVerdict, success_alone_breaks_a_rule_that_has_nothing_to_compare_with) {
  clean("mean", "1", 0.9);
  attacked("krum", "door", "1", "0.1", {{"accuracy", 0.9}, {"asr", 0.5}});
  const StudyVerdict verdict = judge(study_, limits_);
  ASSERT_EQ(verdict.rules.size(), 1U);
  EXPECT_EQ(verdict.rules[0].result, Result::broke);
  EXPECT_THAT(overview_json(study_, verdict, limits_),
              HasSubstr("krum: no loss of accuracy known, for want of results to compare; door succeeds in 50.0 %"));
}

TEST(ReportWords, durations_change_their_unit) {
  EXPECT_EQ(duration_words(0.0204), "20 ms");
  EXPECT_EQ(duration_words(1.5), "1.5 s");
  EXPECT_EQ(duration_words(125.4), "2 min 5 s");
  EXPECT_EQ(duration_words(12000.0), "3 h 20 min");
}

}  // namespace
}  // namespace souk
