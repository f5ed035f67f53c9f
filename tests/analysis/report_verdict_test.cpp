#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/overview.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/verdict.hpp"

namespace souk::report_verdict_test {
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
    run.status = run_status_named(status);
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
    cell.clean = attack == "none";
    cell.attacked = !cell.clean;
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
  EXPECT_EQ(mean.worst_attack, "flip");
  EXPECT_EQ(mean.worst_setting, "share 0.3");
  EXPECT_NEAR(*mean.worst_reference, 0.80, 1e-12);
  EXPECT_NEAR(*mean.worst_accuracy, 0.50, 1e-12);
  EXPECT_NEAR(*mean.worst_loss, 0.30, 1e-12);
}

TEST_F(ReportVerdict, reference_accuracy_and_loss_are_of_the_same_setting_and_seeds) {
  for (const auto& [share, before, after] : {std::tuple("0.1", 0.40, 0.375), std::tuple("0.3", 0.75, 0.50)}) {
    cell(run("done", {{"accuracy", before}}), "mean", "none", "1", share);
    attacked("mean", "flip", "1", share, {{"accuracy", after}});
    attacked("mean", "flip", "2", share, {{"accuracy", 0.1}});  // nothing to compare with
  }
  const RuleVerdict mean = judge(study_, limits_).rules[0];

  EXPECT_EQ(mean.worst_setting, "share 0.3");
  EXPECT_DOUBLE_EQ(*mean.worst_reference, 0.75);
  EXPECT_DOUBLE_EQ(*mean.worst_accuracy, 0.50);
  EXPECT_DOUBLE_EQ(*mean.worst_loss, 0.25);
  const ReportTable table = rule_table(judge(study_, limits_));
  EXPECT_DOUBLE_EQ(table.data.at(0, "reference").real() - table.data.at(0, "accuracy").real(),
                   table.data.at(0, "loss").real());
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

TEST_F(ReportVerdict, a_run_that_diverges_without_attack_too_is_not_charged_to_the_attack) {
  for (const char* share : {"0.1", "0.3"}) {
    const bool hopeless = std::string(share) == "0.3";
    cell(run(hopeless ? "diverged" : "done", {{"accuracy", 0.9}}), "mean", "none", "1", share);
    attacked("mean", "flip", "1", share, {{"accuracy", 0.9}}, hopeless ? "diverged" : "done");
  }
  cell(run("diverged", {}), "krum", "none", "1", "0.1");
  attacked("krum", "flip", "1", "0.1", {}, "diverged");
  const StudyVerdict verdict = judge(study_, limits_);

  EXPECT_EQ(verdict.rules[0].result, Result::held);
  EXPECT_EQ(verdict.rules[0].broken, 0);
  EXPECT_EQ(verdict.rules[0].worst_setting, "share 0.1");
  EXPECT_EQ(why_not_compared(verdict.rules[0]), "diverges without attack too in 1 of 2 settings");
  EXPECT_EQ(verdict.rules[1].result, Result::unknown);
  EXPECT_EQ(verdict.attacks[0].broken, 0);
}

TEST_F(ReportVerdict, rules_of_which_nothing_was_compared_are_not_known) {
  clean("mean", "1", 0.9);
  attacked("mean", "flip", "1", "0.1", {}, "failed");
  attacked("mean", "flip", "1", "0.3", {{"accuracy", 0.9}}, "running");
  attacked("krum", "flip", "1", "0.1", {{"accuracy", 0.9}});  // has no clean cell
  const StudyVerdict verdict = judge(study_, limits_);
  EXPECT_EQ(verdict.rules[0].result, Result::unknown);
  EXPECT_EQ(verdict.rules[1].result, Result::unknown);

  const auto cards = nlohmann::json::parse(overview_json(study_, verdict, limits_))["cards"];
  ASSERT_EQ(cards.size(), 4U);
  EXPECT_EQ(cards[0]["title"], "What held");
  EXPECT_EQ(cards[0]["lines"], nlohmann::json({"No rule, so far."}));
  EXPECT_EQ(cards[1]["lines"], nlohmann::json({"Nothing, so far."}));
  EXPECT_EQ(cards[2]["title"], "What is not known");
  EXPECT_EQ(cards[2]["lines"], nlohmann::json({"mean: nothing to compare (1 failed, 1 running)",
                                               "krum: nothing to compare (1 without a result to compare with)"}));
  const ReportTable table = rule_table(verdict);
  EXPECT_EQ(table.data.at(0, "verdict").text(), "not known");
  EXPECT_EQ(table.data.at(0, "not_compared").text(), "1 failed, 1 running");
}

TEST_F(ReportVerdict, runs_of_another_sweep_are_no_reference) {
  study_.axes.insert(study_.axes.begin(), {.name = "sweep", .values = {"a", "b"}, .sweeps = true});
  const auto add = [&](const std::string& sweep, const std::string& attack, double accuracy) {
    cell(run("done", {{"accuracy", accuracy}}), "mean", attack, "1", "0.1");
    study_.runs.back().sweep = sweep;
    study_.cells.back().at = {sweep, "0.1"};
  };
  add("a", "none", 0.9);
  add("a", "flip", 0.85);
  add("b", "flip", 0.32);
  add("b", "door", 0.35);
  const StudyVerdict verdict = judge(study_, limits_);

  ASSERT_EQ(verdict.rules.size(), 1U);
  EXPECT_EQ(verdict.rules[0].settings, 3);
  EXPECT_EQ(verdict.rules[0].result, Result::held);  // b has no clean cells: 35 is its best
  EXPECT_NEAR(*verdict.rules[0].worst_loss, 0.05, 1e-12);
  EXPECT_TRUE(verdict.against_clean);
  EXPECT_TRUE(verdict.against_best);
  EXPECT_EQ(verdict.attacks.size(), 3U);  // flip of a, flip of b, door of b
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
  EXPECT_THAT(overview_json(study_, verdict, limits_), HasSubstr("no cells without attack"));
}

TEST_F(ReportVerdict, a_result_is_not_compared_with_itself) {
  study_.attacks = {"flip"};
  attacked("mean", "flip", "1", "0.1", {}, "crashed");
  attacked("krum", "flip", "1", "0.1", {{"accuracy", 0.8}});
  EXPECT_EQ(judge(study_, limits_).rules[1].result, Result::unknown);
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

TEST_F(ReportVerdict, the_price_of_robustness_stands_beside_what_held) {
  clean("mean", "1", 0.86);
  clean("mean", "2", 0.88);
  clean("krum", "1", 0.44);
  clean("krum", "2", 0.46);
  study_.runs[0].aggregator = study_.runs[1].aggregator = "mean";
  for (const char* seed : {"1", "2"}) attacked("krum", "flip", seed, "0.1", {{"accuracy", 0.45}});
  const StudyVerdict verdict = judge(study_, limits_);
  EXPECT_EQ(verdict.rules.at(0).result, Result::held);
  EXPECT_NEAR(*verdict.rules[0].clean_accuracy, 0.45, 1e-12);
  EXPECT_NEAR(*verdict.rules[0].price, 0.42, 1e-12);
  EXPECT_THAT(overview_json(study_, verdict, limits_),
              HasSubstr("without attack 45.0 %, 42.0 points less than the mean"));
}

TEST_F(ReportVerdict, comparisons_between_different_f_are_marked) {
  clean("krum", "1", 0.9);
  study_.runs[0].finals["tolerated_f"] = 0.0;
  attacked("krum", "flip", "1", "0.1", {{"accuracy", 0.89}, {"tolerated_f", 3.0}});
  attacked("krum", "flip", "1", "0.3", {{"accuracy", 0.89}, {"tolerated_f", 0.0}});
  const StudyVerdict verdict = judge(study_, limits_);
  EXPECT_EQ(verdict.rules.at(0).other_f, 1);
  EXPECT_THAT(overview_json(study_, verdict, limits_), HasSubstr("1 cell compared with one of another tolerated_f"));
  // A control that was told of as many is the better reference.
  cell(run("done", {{"accuracy", 0.95}, {"tolerated_f", 3.0}}), "krum", "none", "1", "0.1");
  EXPECT_EQ(judge(study_, limits_).rules.at(0).other_f, 0);
  EXPECT_NEAR(*judge(study_, limits_).rules[0].worst_loss, 0.06, 1e-12);
}

TEST_F(ReportVerdict, success_is_what_goes_beyond_the_same_attackers_that_never_act) {
  clean("krum", "1", 0.9);  // measures nothing
  const std::size_t control = run("done", {{"accuracy", 0.9}, {"asr", 0.15}});
  const std::size_t other = run("done", {{"accuracy", 0.9}, {"asr", 0.01}});
  study_.runs[control].goal = "badnets";
  study_.runs[other].goal = "another trigger";
  for (const std::size_t number : {other, control}) cell(number, "krum", "none", "1", "0.1");
  attacked("krum", "door", "1", "0.1", {{"accuracy", 0.9}, {"asr", 0.30}});
  study_.runs.back().goal = "badnets";
  const StudyVerdict verdict = judge(study_, limits_);
  EXPECT_NEAR(*verdict.rules.at(0).attack_success, 0.15, 1e-12);
  EXPECT_NEAR(*verdict.rules[0].measured_clean, 0.15, 1e-12);
  EXPECT_EQ(verdict.rules[0].result, Result::held);
}

TEST_F(ReportVerdict, the_headline_without_attacks_names_the_setting_that_validation_chooses) {
  for (const auto& [share, accuracy, validation] :
       {std::tuple("0.1", 0.90, 0.70), std::tuple("0.1", 0.92, 0.72), std::tuple("0.3", 0.85, 0.80)}) {
    cell(run("done", {{"accuracy", accuracy}, {"validation_accuracy", validation}}), "mean", "none", "1", share);
  }
  const auto headline = [&] { return overview_json(study_, judge(study_, limits_), limits_); };
  EXPECT_THAT(headline(), HasSubstr("Best by validation accuracy: mean, share 0.3, with a test accuracy of 85.0 % "
                                    "(validation 80.0 %), mean of 1 run."));
  study_.runs[2].finals.erase("validation_accuracy");
  EXPECT_THAT(headline(), HasSubstr("Best by test accuracy (no validation data, so it flatters): mean, share 0.1, with "
                                    "a test accuracy of 91.0 %, mean of 2 runs."));
}

TEST_F(ReportVerdict, success_alone_breaks_a_rule_that_has_nothing_to_compare_with) {
  clean("mean", "1", 0.9);
  attacked("krum", "door", "1", "0.1", {{"accuracy", 0.9}, {"asr", 0.5}});
  const StudyVerdict verdict = judge(study_, limits_);
  ASSERT_EQ(verdict.rules.size(), 1U);
  EXPECT_EQ(verdict.rules[0].result, Result::broke);
  EXPECT_THAT(
      overview_json(study_, verdict, limits_),
      HasSubstr(
          "krum: no loss of accuracy known; door (share 0.1) succeeds in 50.0 % of its tries; not compared: 1 without "
          "a result to compare with"));
}

TEST_F(ReportVerdict, the_overview_says_what_was_paid_and_who_got_it) {
  clean("mean", "1", 0.9);
  clean("krum", "1", 0.9);
  attacked("mean", "flip", "1", "0.1", {{"accuracy", 0.9}});
  attacked("krum", "flip", "1", "0.1", {{"accuracy", 0.9}});
  attacked("krum", "flip", "2", "0.1", {{"accuracy", 0.9}}, "running");
  for (std::size_t i = 0; i < study_.runs.size(); ++i) {
    study_.runs[i].paid = 20.0;  // the clean ones too
    study_.runs[i].malicious = i < 2 ? 0.0 : 0.3;
    study_.runs[i].finals[malicious_income_share] = 0.0;  // which some runs record without attackers
  }
  study_.runs[2].paid_to_attackers = 5.0;
  study_.runs[3].paid_to_attackers = 1.0;
  study_.runs[4].paid = 1000.0;  // not over yet
  const auto overview = nlohmann::json::parse(overview_json(study_, judge(study_, limits_), limits_));
  const auto& lines = overview["cards"].back()["lines"];
  EXPECT_EQ(lines[1],
            "20 credits paid to clients per run with a market; 15.0 % of them to attackers, where there were "
            "any.");
  EXPECT_EQ(lines[2], "Attackers got 5.0 % under krum, 25.0 % under mean.");
  EXPECT_THAT(overview["definitions"].dump(), HasSubstr("Not all runs have ended (1 running)"));
}

TEST(ReportWords, percentages_are_those_that_the_tables_of_the_page_show) {
  EXPECT_EQ(percent_points((0.73 + 0.739) / 2), "73.5");  // .7345 with its noise; toFixed(1) of 73.45 is 73.5
  EXPECT_EQ(percent_points(0.1225), "12.3");              // a half, exactly
  EXPECT_EQ(percent_points(0.1275), "12.8");
  EXPECT_EQ(percent_points(0.7335), "73.3");  // 73.35 lies below
  EXPECT_EQ(percent_points(-0.1225), "-12.3");
}

TEST(ReportWords, durations_change_their_unit) {
  EXPECT_EQ(duration_words(0.0204), "20 ms");
  EXPECT_EQ(duration_words(1.5), "1.5 s");
  EXPECT_EQ(duration_words(125.4), "2 min 5 s");
  EXPECT_EQ(duration_words(12000.0), "3 h 20 min");
}

}  // namespace
}  // namespace souk::report_verdict_test
