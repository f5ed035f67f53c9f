#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/overview.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/tables.hpp"
#include "sim/stats/inequality.hpp"
#include "tests/analysis/report_fixture.hpp"

namespace souk::report_market_test {
namespace {

using nlohmann::json;

/// One run of four clients with a market: agent 3 is malicious.
class ReportMarket : public testing::Test {
 protected:
  ReportMarket() {
    const auto folder = fresh_folder() / "run";
    write_run(folder, {.rule = "mean", .attack = "sign_flip", .metrics = {}});
    const auto sink = open_sqlite_sink(folder / "results.sqlite");
    SetUpRecord set_up;
    for (std::uint32_t agent = 0; agent < 4; ++agent) {
      set_up.agents.push_back({{agent}, "client", 5, agent == 3 ? 0 : -1, 1e9, 1e6});
    }
    sink->commit_set_up(set_up);
    for (std::uint32_t round = 1; round <= 2; ++round) {
      RoundRecord record;
      record.round = {round};
      for (std::uint32_t agent = 0; agent < 4; ++agent) {
        const double weight = agent == 3 ? 0.4 : 0.2;
        record.selections.push_back({{agent}, SelectionOutcome::accepted, 5, 1.0, weight, std::nullopt});
        record.add("cosine_to_aggregate", agent == 3 ? -0.5 : 0.5, agent);
      }
      record.transfers.push_back({"deposit", 3, -1, 500'000});  // comes back: nobody's income
      record.transfers.push_back({"payment", -1, 0, 1'000'000});
      record.transfers.push_back({"payment", -1, 3, round * 2'000'000});
      record.transfers.push_back({"deposit back", -1, 3, 500'000});
      sink->commit(record);
    }
    view_.emplace(view_of(folder));
    study_ = Study::read(view_->database());
  }
  const Figure& figure(const std::string& id) {
    if (figures_.empty()) {
      figures_ = selection_and_payment(study_, view_->database());
      for (Figure& more : contribution_and_reward(study_, view_->database())) figures_.push_back(std::move(more));
    }
    for (const Figure& one : figures_) {
      if (one.id == id) return one;
    }
    throw std::runtime_error("no figure " + id);
  }
  std::optional<ResultsView> view_;
  Study study_;
  std::vector<Figure> figures_;
};

TEST_F(ReportMarket, attackers_have_their_share_of_weight_and_of_what_was_paid_so_far) {
  const auto weight = rows_with(figure("groups"), {{"metric", "malicious_weight_share"}});
  ASSERT_EQ(weight.size(), 2U);
  EXPECT_NEAR(weight[0]["mean"], 40.0, 1e-4);
  const auto income = rows_with(figure("groups"), {{"metric", "malicious_income_share"}});
  ASSERT_EQ(income.size(), 2U);
  EXPECT_NEAR(income[0]["mean"], 100.0 * 2 / 3, 1e-3);  // 2 of 3 credits
  EXPECT_NEAR(income[1]["mean"], 75.0, 1e-4);           // 6 of 8
  EXPECT_NEAR(*study_.runs[0].final_value(malicious_income_share), 0.75, 1e-12);
}

TEST_F(ReportMarket, income_of_a_group_is_per_member_and_adds_up) {
  const auto benign = rows_with(figure("income"), {{"group", "benign"}});
  const auto malicious = rows_with(figure("income"), {{"group", "malicious"}});
  ASSERT_EQ(benign.size(), 2U);
  EXPECT_NEAR(benign[1]["mean"], 2.0 / 3.0, 1e-5);
  EXPECT_NEAR(malicious[0]["mean"], 2.0, 1e-9);
  EXPECT_NEAR(malicious[1]["mean"], 6.0, 1e-9);
}

TEST_F(ReportMarket, lorenz_curves_of_weight_and_income) {
  // incomes 0 0 2 6: half of the clients have nothing, three quarters have a quarter
  const auto half = rows_with(figure("lorenz"), {{"metric", "income"}, {"part", 50.0}});
  ASSERT_EQ(half.size(), 1U);
  EXPECT_NEAR(half[0]["share"], 0.0, 1e-9);
  EXPECT_NEAR(rows_with(figure("lorenz"), {{"metric", "income"}, {"part", 75.0}}).at(0)["share"], 25.0, 1e-9);
  // weights 0.4 0.4 0.4 0.8
  EXPECT_NEAR(rows_with(figure("lorenz"), {{"metric", "weight"}, {"part", 75.0}}).at(0)["share"], 60.0, 1e-4);
}

TEST_F(ReportMarket, flows_are_sums_of_the_ledger) {
  const auto rows = rows_with(figure("flows"), {{"payer", "buyer 1"}, {"payee", "3"}});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_NEAR(rows[0]["credits"], 6.0, 1e-9);
  EXPECT_EQ(rows[0]["group"], "malicious");
}

TEST_F(ReportMarket, contribution_stands_against_reward_for_every_client) {
  const auto rows = rows_with(figure("contribution"), {{"agent", 3}});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["group"], "malicious");
  EXPECT_NEAR(rows[0]["contribution"], -0.5, 1e-9);
  EXPECT_NEAR(rows[0]["weight"], 0.8, 1e-6);
  EXPECT_NEAR(rows[0]["income"], 6.0, 1e-9);
}

TEST(ReportOfBuyers, every_buyers_model_and_money_are_shown) {
  const auto folder = fresh_folder() / "run";
  write_run(folder, {.attack = "zero {} } market { rivals { name: \"b\" } unit_price"});
  {
    const auto sink = open_sqlite_sink(folder / "results.sqlite");
    RoundRecord record;
    record.round = {1};
    record.add("accuracy", 0.9);
    record.add("asr", 0.001);
    record.add("buyer.b.accuracy", 0.8);
    record.add("buyer.b.asr", 0.9);
    record.transfers = {{"payment", -1, 0, 300}, {"payment", -1, 9, 100}};
    record.transfers.push_back({"payment", -1, 1, 100, first_buyer - 1});
    record.transfers.push_back({"payment", -1, 9, 300, first_buyer - 1});
    record.selections.push_back({{9}, SelectionOutcome::accepted, 5, 1.0, 1.0, std::nullopt, first_buyer - 1});
    sink->commit(record);
  }
  const ResultsView view = view_of(folder);
  const Study study = Study::read(view.database());
  const auto rows = buyer_table(study).data.to_rows_json();
  const json table = json::parse(rows);
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table[0]["buyer"], "first");
  EXPECT_NEAR(table[0]["malicious_income_share"], 25.0, 1e-9);
  EXPECT_EQ(table[1]["buyer"], "b");
  EXPECT_NEAR(table[1]["asr"], 90.0, 1e-9);
  EXPECT_NEAR(table[1]["malicious_income_share"], 75.0, 1e-9);
  EXPECT_NEAR(table[1]["malicious_weight_share"], 100.0, 1e-9);
  const std::string overview = overview_json(study, judge(study, {}), {});
  EXPECT_THAT(overview, testing::HasSubstr("first: accuracy 90.0 %, attack success 0.1 %, 25.0 % of its money"));
  EXPECT_THAT(overview, testing::HasSubstr("b: accuracy 80.0 %, attack success 90.0 %, 75.0 % of its money"));
  for (const Figure& one : selection_and_payment(study, view.database())) {
    if (one.id != "flows") continue;
    EXPECT_EQ(rows_with(one, {{"payer", "buyer 2"}, {"payee", "9"}}).size(), 1U);
    EXPECT_EQ(rows_with(one, {{"payer", "escrow"}}).size(), 0U);
  }
}

/// A market of two clients, the second of them malicious, in three rounds: seed 1 pays the benign one in round 2, and
/// seed 2 both in round 1.
class ReportMarketOfSeeds : public testing::Test {
 protected:
  ReportMarketOfSeeds() {
    const auto folder = fresh_folder() / "sweep";
    for (const std::string seed : {"1", "2"}) {
      const auto directory = folder / "cells" / seed;
      write_run(directory, {.rule = "mean", .attack = "sign_flip", .seed = seed == "1" ? 1U : 2U});
      const auto sink = open_sqlite_sink(directory / "results.sqlite");
      sink->commit_set_up({.agents = {{{0}, "seller", 5, -1, 1e9, 1e6}, {{1}, "seller", 5, 0, 1e9, 1e6}},
                           .partition = {},
                           .metrics = {},
                           .events = {},
                           .privacy = {}});
      for (std::uint32_t round = 1; round <= 3; ++round) {
        RoundRecord record;
        record.round = {round};
        if (round == 1) record.transfers.push_back({"issue", -2, -2, 9'000'000});
        for (std::uint32_t agent = 0; agent < 2; ++agent) record.add("cosine_to_aggregate", 0.5, agent);
        if (seed == "1" && round == 2) record.transfers.push_back({"payment", -1, 0, 4'000'000});
        if (seed == "2" && round == 1) {
          record.transfers.push_back({"payment", -1, 0, 1'000'000});
          record.transfers.push_back({"payment", -1, 1, 3'000'000});
        }
        sink->commit(record);
      }
    }
    write_sweep(folder, "market",
                {{"1", {{"aggregator", "mean"}, {"attack", "sign_flip"}, {"seed", "1"}}},
                 {"2", {{"aggregator", "mean"}, {"attack", "sign_flip"}, {"seed", "2"}}}});
    view_.emplace(view_of(folder));
    study_ = Study::read(view_->database());
  }
  std::vector<double> means(const std::string& figure, const json& wanted) {
    for (const Figure& one : selection_and_payment(study_, view_->database())) {
      if (one.id != figure) continue;
      std::vector<double> values;
      for (const json& row : rows_with(one, wanted)) values.push_back(row["mean"]);
      return values;
    }
    return {};
  }
  std::optional<ResultsView> view_;
  Study study_;
};

TEST_F(ReportMarketOfSeeds, rounds_and_runs_without_a_payment_count_as_none) {
  EXPECT_THAT(means("income", {{"group", "malicious"}}), testing::ElementsAre(1.5, 1.5, 1.5));
  EXPECT_THAT(means("income", {{"group", "benign"}}), testing::ElementsAre(0.5, 2.5, 2.5));
  // Seed 1 has no share before it pays.
  EXPECT_THAT(means("groups", {{"metric", "malicious_income_share"}}), testing::ElementsAre(75.0, 37.5, 37.5));
  EXPECT_DOUBLE_EQ(*study_.runs[0].paid, 4.0);
  EXPECT_DOUBLE_EQ(study_.runs[1].paid_to_attackers, 3.0);
}

TEST_F(ReportMarketOfSeeds, rounds_have_ticks_at_whole_numbers) {
  const auto figures = selection_and_payment(study_, view_->database());
  const auto income = std::ranges::find(figures, "income", &Figure::id);
  ASSERT_NE(income, figures.end());
  EXPECT_EQ(json::parse(income->spec)["encoding"]["x"]["axis"]["tickMinStep"], 1);
}

TEST_F(ReportMarketOfSeeds, clients_that_were_paid_nothing_are_drawn_at_0_and_points_have_the_seed_of_their_run) {
  const Figure figure = contribution_and_reward(study_, view_->database()).at(0);
  const auto refused = rows_with(figure, {{"agent", 1}, {"seed", "1"}});
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_DOUBLE_EQ(refused[0]["income"], 0.0);
  const auto paid = rows_with(figure, {{"agent", 1}, {"seed", "2"}});
  ASSERT_EQ(paid.size(), 1U);
  EXPECT_DOUBLE_EQ(paid[0]["income"], 3.0);
}

TEST(ReportValuation, contribution_is_what_the_valuation_says_where_there_is_one) {
  const auto folder = fresh_folder() / "run";
  write_run(folder, {.rule = "mean", .attack = "sign_flip", .metrics = {}});
  const auto sink = open_sqlite_sink(folder / "results.sqlite");
  sink->commit_set_up(
      {.agents = {{{0}, "seller", 5, -1, 1e9, 1e6}}, .partition = {}, .metrics = {}, .events = {}, .privacy = {}});
  for (std::uint32_t round = 1; round <= 2; ++round) {
    RoundRecord record;
    record.round = {round};
    record.selections.push_back({{0}, SelectionOutcome::accepted, 5, 1.0, 1.0, std::nullopt});
    record.add("cosine_to_aggregate", 0.9, 0);
    record.add("value", 0.25 * round, 0);
    sink->commit(record);
  }
  const ResultsView view = view_of(folder);
  const std::vector<Figure> figures = contribution_and_reward(Study::read(view.database()), view.database());
  ASSERT_EQ(figures.size(), 1U);
  EXPECT_NEAR(rows_with(figures[0], {{"agent", 0}}).at(0)["contribution"], 0.375, 1e-9);
  EXPECT_THAT(figures[0].spec, testing::HasSubstr("market's valuation"));
}

TEST(ReportValuation, values_and_cosines_are_never_on_one_axis) {
  const auto folder = fresh_folder();
  for (const std::string name : {"valued", "plain"}) {
    write_run(folder / name, {.rule = name == "plain" ? "median" : "mean", .metrics = {}});
    const auto sink = open_sqlite_sink(folder / name / "results.sqlite");
    RoundRecord record;
    record.round = {1};
    record.add("cosine_to_aggregate", 0.9, 0);
    if (name == "valued") record.add("value", 0.25, 0);
    sink->commit(record);
  }
  const std::vector<std::filesystem::path> places{folder / "valued", folder / "plain"};
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::federation);
  const std::vector<Figure> figures = contribution_and_reward(Study::read(view.database()), view.database());
  ASSERT_EQ(figures.size(), 2U);
  for (const Figure& figure : figures) {
    const bool valued = figure.id == "contribution-value";
    EXPECT_EQ(rows_with(figure, {}).size(), 1U);
    EXPECT_NEAR(rows_with(figure, {}).at(0)["contribution"], valued ? 0.25 : 0.9, 1e-9);
    EXPECT_EQ(figure.spec.find("valuation") != std::string::npos, valued);
  }
}

TEST(Lorenz, closed_forms) {
  const std::vector<double> equal{2, 2, 2, 2};
  for (const double part : {0.0, 0.25, 0.3, 0.9, 1.0}) EXPECT_NEAR(lorenz(equal, part), part, 1e-12);
  EXPECT_NEAR(gini(equal), 0.0, 1e-12);
  EXPECT_NEAR(gini({0, 0, 0, 7}), 0.75, 1e-12);  // 1 - 1/n
  // sum over all pairs of |a - b|, over 2 n^2 times the mean: 20 / 80
  EXPECT_NEAR(gini({1, 2, 3, 4}), 0.25, 1e-12);
  EXPECT_NEAR(lorenz({1, 2, 3, 4}, 0.625), (1 + 2 + 1.5) / 10, 1e-12);
}

TEST(Lorenz, gini_is_twice_the_area_above_the_curve) {
  const std::vector<double> amounts{0.5, 1, 1, 4, 9, 20};
  double area = 0.0;
  const int steps = 6000;  // a multiple of n, so that trapezoids are exact
  for (int i = 0; i < steps; ++i) {
    area += (lorenz(amounts, static_cast<double>(i) / steps) + lorenz(amounts, static_cast<double>(i + 1) / steps)) / 2;
  }
  EXPECT_NEAR(gini(amounts), 1.0 - 2.0 * area / steps, 1e-9);
}

}  // namespace
}  // namespace souk::report_market_test
