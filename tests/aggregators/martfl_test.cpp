#include <cmath>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk::martfl_test {
namespace {

using testing::DoubleNear;
using testing::Each;
using testing::Pointwise;

/// Updates of length 1 with these cosines to the first axis, which is the server's own update.
RuleRound with_scores(const std::vector<double>& scores) {
  RuleRound round{.rows = {}, .root_update = {1.0F, 0.0F}};
  for (const double score : scores) {
    round.rows.push_back({static_cast<float>(score), static_cast<float>(std::sqrt(1.0 - score * score))});
  }
  return round;
}

constexpr const char* fixed_baseline = "martfl { adjust_baseline: false }";

TEST(MartFl, scores_are_cosines_to_the_servers_update) {
  const std::vector<double> scores{0.9, -0.3, 0.5};
  EXPECT_THAT(run_rule(fixed_baseline, with_scores(scores)).scores, Pointwise(DoubleNear(1e-6), scores));
}

TEST(MartFl, one_gathered_cluster_is_accepted_whole) {
  const Outcome outcome = run_rule(fixed_baseline, with_scores({0.60, 0.61, 0.62, 0.615, 0.605}));
  EXPECT_EQ(outcome.diagnostics.at("clusters"), 1.0);
  EXPECT_THAT(outcome.weights, Each(DoubleNear(0.2, 1e-12)));
}

TEST(MartFl, one_scattered_cluster_is_split_in_two_and_the_lower_half_rejected) {
  const Outcome outcome = run_rule(fixed_baseline, with_scores({0.30, 0.36, 0.42, 0.48, 0.54, 0.60, 0.66, 0.72}));
  EXPECT_EQ(outcome.diagnostics.at("clusters"), 2.0);
  EXPECT_THAT(outcome.weights, testing::ElementsAre(0, 0, 0, 0, 0.25, 0.25, 0.25, 0.25));
}

TEST(MartFl, of_two_clusters_the_higher_is_bought) {
  const Outcome outcome = run_rule(fixed_baseline, with_scores({0.9, 0.91, -0.5, 0.92, 0.905, -0.52, 0.915}));
  EXPECT_EQ(outcome.diagnostics.at("clusters"), 2.0);
  EXPECT_THAT(outcome.weights, Pointwise(DoubleNear(1e-12), {0.2, 0.2, 0.0, 0.2, 0.2, 0.0, 0.2}));
}

TEST(MartFl, of_three_clusters_the_middle_one_weighs_by_its_distance_to_the_best) {
  const std::vector<double> scores{0.95, 0.95, 0.951, 0.6, 0.6, 0.601, -0.8, -0.8, -0.801};
  const Outcome outcome = run_rule(fixed_baseline, with_scores(scores));
  EXPECT_EQ(outcome.diagnostics.at("clusters"), 3.0);
  const double best = (0.95 + 0.95 + 0.951) / 3.0;
  std::vector<double> expected;
  for (std::size_t i = 0; i < 9; ++i) {
    expected.push_back(i < 3 ? 1.0 : i < 6 ? 1.0 - (best - scores[i]) / (best + 0.801) : 0.0);
  }
  const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
  for (double& value : expected) value /= sum;
  EXPECT_THAT(outcome.weights, Pointwise(DoubleNear(1e-6), expected));
  EXPECT_EQ(outcome.diagnostics.at("bought"), 6.0);
}

TEST(MartFl, where_too_few_are_good_some_others_are_drawn_as_candidates_without_weight) {
  const std::string text = "martfl { adjust_baseline: false candidates: 0.2 }";
  const Outcome outcome = run_rule(text, with_scores({0.9, 0.901, 0, 0.001, 0.002, 0.001, 0, 0.002, 0.001, 0}));
  EXPECT_EQ(outcome.diagnostics.at("bought"), 4.0);
  EXPECT_EQ(std::count_if(outcome.weights.begin(), outcome.weights.end(), [](double w) { return w > 0.0; }), 2);
}

TEST(MartFl, the_bought_update_with_the_best_kappa_is_the_next_baseline_and_is_not_weighed_against_itself) {
  RuleRound round = with_scores({0.9, 0.91, -0.5, 0.92, 0.905, -0.52, 0.915});
  QuadraticOracle oracle(Comm::self(), round.rows[3]);  // kappa is best at client 3
  round.losses = &oracle;
  const auto rule = make_rule("martfl {}");
  const Outcome first = run_rule(*rule, Comm::self(), round);
  const Outcome second = run_rule(*rule, Comm::self(), round);

  EXPECT_EQ(first.diagnostics.at("baseline"), -1.0);
  EXPECT_EQ(second.diagnostics.at("baseline"), 3.0);
  EXPECT_EQ(second.weights[3], 0.0);
  EXPECT_NEAR(second.scores[3], 1.0, 1e-6);
  round.agents = {10, 11, 12, 13, 14, 15, 16};  // client 3 is not there: back to the server's own update
  EXPECT_EQ(run_rule(*rule, Comm::self(), round).diagnostics.at("baseline"), -1.0);
}

TEST(MartFl, the_repositorys_clamp_decides_its_scores) {
  RuleRound round{.rows = {{5.0F, 0.001F}, {0.02F, -0.02F}, {-0.02F, 0.005F}}, .root_update = {1.0F, 0.01F}};
  const Outcome outcome = run_rule("martfl { variant: CODE adjust_baseline: false }", round);
  const auto cosine = [](double x, double y) {
    return (0.01 * x + 0.01 * y) / (std::hypot(x, y) * std::hypot(0.01, 0.01));
  };
  EXPECT_THAT(outcome.scores,
              Pointwise(DoubleNear(1e-6), {cosine(0.01, 0.001), cosine(0.01, -0.01), cosine(-0.01, 0.005)}));
}

/// Updates so short that the repository's clamp leaves them alone.
RuleRound short_with_scores(const std::vector<double>& scores) {
  RuleRound round = with_scores(scores);
  for (auto& row : round.rows) {
    for (float& value : row) value *= 0.005F;
  }
  for (float& value : round.root_update) value *= 0.005F;
  return round;
}

/// Says of each candidate the kappa that it is given, and keeps what it was asked about.
class KappaOracle final : public QuadraticOracle {
 public:
  explicit KappaOracle(std::function<double(const std::vector<float>&)> kappa)
      : QuadraticOracle(Comm::self(), {0, 0}), kappa_(std::move(kappa)) {}
  std::vector<Judgement> on_root(const ColumnMatrix& steps) override {
    asked = rows_of(steps);
    std::vector<Judgement> judged;
    for (const auto& row : asked) judged.push_back({.loss = 0.0, .error = 0.0, .skill = kappa_(row)});
    return judged;
  }
  Rows asked;

 private:
  std::function<double(const std::vector<float>&)> kappa_;
};

TEST(MartFl, the_repositorys_next_baseline_is_of_the_top_cluster_or_a_tenth_drawn_from_the_middling) {
  // Nine clients and the server: floor(0.1 * 10) = 1 of {3, 4, 5} beside {0, 1, 2}.
  RuleRound round = short_with_scores({.88, .867, .849, .572, .588, .602, -.374, -.317, -.281});
  KappaOracle oracle([](const auto&) { return 0.5; });
  round.losses = &oracle;
  std::set<std::size_t> drawn;
  for (std::uint32_t r = 1; r <= 40; ++r) {
    round.round = r;
    const Outcome outcome = run_rule("martfl { variant: CODE }", round);
    if (outcome.diagnostics.at("clusters") != 3.0) continue;  // its gap statistic has three references only
    ASSERT_EQ(oracle.asked.size(), 4U);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(oracle.asked[k], round.rows[k]);
    const auto at = std::find(round.rows.begin(), round.rows.end(), oracle.asked[3]) - round.rows.begin();
    drawn.insert(static_cast<std::size_t>(at));
    EXPECT_EQ(outcome.diagnostics.at("bought"), 6.0) << "candidates are not bought";
  }
  EXPECT_EQ(drawn, (std::set<std::size_t>{3, 4, 5}));
}

TEST(MartFl, the_repository_never_buys_the_baseline_client) {
  // All alike: one cluster, in paper and repository.
  RuleRound round = short_with_scores({.91, .92, .93, .9, .915});
  for (const std::string variant : {"PAPER", "CODE"}) {
    KappaOracle oracle([&](const auto& row) { return row == round.rows[3] ? 0.9 : 0.5; });
    round.losses = &oracle;
    const auto rule = make_rule("martfl { threshold: 2 max_clusters: 2 variant: " + variant + " }");
    run_rule(*rule, Comm::self(), round);
    const Outcome second = run_rule(*rule, Comm::self(), round);
    ASSERT_EQ(second.diagnostics.at("baseline"), 3.0) << variant;
    if (second.diagnostics.at("clusters") != 1.0) continue;
    const double own = variant == "CODE" ? 0.0 : 0.2, other = variant == "CODE" ? 0.25 : 0.2;
    EXPECT_THAT(second.weights, Pointwise(DoubleNear(1e-12), {other, other, other, own, other})) << variant;
  }
}

TEST(MartFl, the_repository_falls_back_on_the_first_client_where_no_kappa_is_above_0) {
  RuleRound round = short_with_scores({.9, .91, .92, -.5});
  round.agents = {4, 7, 8, 9};
  KappaOracle oracle([](const auto&) { return 0.0; });
  round.losses = &oracle;
  const auto next = [&](const std::string& variant) {
    const auto rule = make_rule("martfl { variant: " + variant + " }");
    run_rule(*rule, Comm::self(), round);
    return run_rule(*rule, Comm::self(), round).diagnostics.at("baseline");
  };
  EXPECT_EQ(next("CODE"), 4.0);
  EXPECT_THAT(next("PAPER"), testing::AnyOf(4.0, 7.0, 8.0)) << "the first of the bought: all are as good";
}

}  // namespace
}  // namespace souk::martfl_test
