// What the report says of what was spent, leaked and paid.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/tables.hpp"
#include "tests/analysis/report_fixture.hpp"

namespace souk::report_privacy_test {
namespace {

using nlohmann::json;

/// A grid of noise and seeds: with it one of two clients has an epsilon of 3 or 5 at the end; without it nobody has
/// one.
class ReportPrivacy : public testing::Test {
 protected:
  explicit ReportPrivacy(const std::vector<std::string>& noises = {"0", "1"}) : folder_(fresh_folder() / "sweep") {
    std::vector<MadeCell> cells;
    for (const std::string& noise : noises) {
      for (const std::string seed : {"1", "2"}) {
        const std::string id = "n" + noise + "-" + seed;
        cells.push_back({id, {{"noise", noise}, {"seed", seed}}});
        run(id, std::stod(noise), seed == "1" ? 1 : 2);
      }
    }
    write_sweep(folder_, "grid", cells);
    view_.emplace(view_of(folder_));
    study_ = Study::read(view_->database());
  }
  void run(const std::string& id, double noise, std::uint64_t seed) const {
    const auto folder = folder_ / "cells" / id;
    write_run(folder, {.rule = "mean", .seed = seed, .metrics = {}});
    const auto sink = open_sqlite_sink(folder / "results.sqlite");
    const double last = (seed == 1 ? 3.0 : 5.0) / noise;
    for (std::uint32_t r = 1; r <= 2; ++r) {
      RoundRecord record;
      record.round = {r};
      record.add("accuracy", noise > 0.0 ? 0.5 / noise : 0.9);
      record.add("inference.weak.membership_auc", 0.5);
      record.add("inference.strong.membership_auc", noise > 0.0 ? 0.6 : 0.8);
      record.add("attack.0.class_share_error", 0.1);
      record.add("attack.0.class_share_guess", 0.4);
      record.add("edges.far.auc", 0.75);
      if (noise > 0.0) {
        record.add("privacy.epsilon", last);
        record.privacy.push_back({0, "client", "noise of clients", r, r == 1 ? 1.0 : last, 1e-5});
        if (r == 1) record.privacy.push_back({1, "client", "noise of clients", 1, std::nullopt, 1e-5});
        record.privacy.push_back({-2, "root data", "randomized response", 4 * r, 0.5 * r, 1e-5});
      }
      record.transfers.push_back({"payment", -1, 0, 2'000'000});
      record.transfers.push_back({"query", -1000, -2, 500'000});
      sink->commit(record);
    }
  }
  std::vector<json> rows(const std::string& whose, const std::string& noise) const {
    std::vector<json> found;
    for (const json& row : json::parse(privacy_ledger_table(study_, view_->database()).data.to_rows_json())) {
      if (row["whose"] == whose && row["axis1"] == noise) found.push_back(row);
    }
    return found;
  }
  std::filesystem::path folder_;
  std::optional<ResultsView> view_;
  Study study_;
};

TEST_F(ReportPrivacy, epsilon_is_the_largest_at_the_end_of_those_that_have_one) {
  const std::vector<json> clients = rows("clients", "1");
  ASSERT_EQ(clients.size(), 1U);
  EXPECT_EQ(clients[0]["epsilon"], 4.0) << "mean of 3 and 5";
  EXPECT_EQ(clients[0]["unbounded"], 1.0);
  EXPECT_EQ(clients[0]["unit"], "client");
  EXPECT_EQ(clients[0]["mechanism"], "noise of clients");
  EXPECT_EQ(rows("buyers", "1").at(0)["epsilon"], 1.0);
}

TEST_F(ReportPrivacy, the_strongest_attack_stands_beside_it_with_what_a_guess_comes_to) {
  EXPECT_EQ(rows("clients", "1").at(0)["strongest"], "strong");
  EXPECT_EQ(rows("clients", "1").at(0)["success"], 0.6);
  EXPECT_EQ(rows("clients", "1").at(0)["guess"], 0.5);
  EXPECT_EQ(rows("buyers", "1").at(0)["success"], 0.1);
  EXPECT_EQ(rows("buyers", "1").at(0)["guess"], 0.4);
}

TEST_F(ReportPrivacy, without_noise_there_is_no_epsilon_and_the_leak_is_there) {
  const std::vector<json> clients = rows("clients", "0");
  ASSERT_EQ(clients.size(), 1U);
  EXPECT_TRUE(clients[0]["epsilon"].is_null());
  EXPECT_EQ(clients[0]["mechanism"], "none");
  EXPECT_EQ(clients[0]["success"], 0.8);
  EXPECT_EQ(rows("edges", "0").at(0)["mechanism"], "none");
}

TEST_F(ReportPrivacy, credits_are_those_of_the_market_and_of_the_service) {
  EXPECT_EQ(rows("clients", "0").at(0)["credits"], 4.0);
  EXPECT_EQ(rows("edges", "0").at(0)["credits"], 1.0);
}

/// A second noise, half the epsilon.
class PriceOfPrivacy : public ReportPrivacy {
 protected:
  PriceOfPrivacy() : ReportPrivacy({"0", "1", "2"}) {}
};

TEST_F(PriceOfPrivacy, accuracy_stands_over_epsilon_and_runs_without_noise_have_none) {
  const std::vector<Figure> figures = price_of_privacy(study_);
  ASSERT_EQ(figures.size(), 1U);
  std::map<std::string, std::pair<json, json>> drawn;
  for (const json& row : json::parse(figures.front().data.to_rows_json())) {
    if (row["metric"] == "accuracy") drawn[row["axis1"]] = {row["epsilon"], row["mean"]};
  }
  const std::map<std::string, std::pair<json, json>> expected{
      {"0", {nullptr, 0.9}}, {"1", {4.0, 0.5}}, {"2", {2.0, 0.25}}};
  EXPECT_EQ(drawn, expected);
  const json spec = json::parse(figures.front().spec);
  EXPECT_EQ(spec["layer"].size(), 3U)
      << "a line and points where there is an epsilon, and thin lines where there is none";
}

TEST_F(ReportPrivacy, one_epsilon_alone_has_no_curve) { EXPECT_TRUE(price_of_privacy(study_).empty()); }

}  // namespace
}  // namespace souk::report_privacy_test
