#include "analysis/report/selection_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/report.hpp"
#include "analysis/results/results_view.hpp"
#include "tests/analysis/made_results.hpp"

namespace souk::selection_map_test {
namespace {

using nlohmann::json;
using Detail = ResultsView::Detail;

/// A run of `clients` clients, every fifth of them malicious, of whom every one is asked in every round; what becomes
/// of it is scattered by arithmetic.
std::filesystem::path made_run(int clients, int rounds) {
  const auto folder = fresh_folder() / "run";
  write_run(folder, {.attack = "sign_flip", .metrics = {{"accuracy", {0.5}}}});
  Database db(folder / "results.sqlite", Database::Mode::write);
  db.in_transaction([&] {
    db.execute("DELETE FROM agent; DELETE FROM round");
    Statement(db,
              "INSERT INTO agent WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"
              " SELECT i, 'client', 5, CASE WHEN i % 5 = 2 THEN 0 ELSE -1 END, 1e9, 1e6 FROM n")
        .run(clients);
    Statement(db,
              "INSERT INTO round WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
              " SELECT i, 1.0, i, NULL FROM n")
        .run(rounds);
    db.execute(
        "INSERT INTO selection SELECT round, -2, agent, CASE (agent * 7 + round * round * 3) % 6 WHEN 0 THEN "
        "'rejected' "
        "WHEN 1 THEN 'dropout' WHEN 2 THEN 'late' ELSE 'accepted' END, 5, 1.0, 0, NULL FROM round, agent");
    db.execute("UPDATE selection SET weight = (agent % 7 + 1) / 1024.0 WHERE outcome = 'accepted'");
  });
  return folder;
}

ResultsView load(const std::filesystem::path& run, Detail detail) {
  const std::vector<std::filesystem::path> places{run};
  return ResultsView::load(places, detail);
}

class SelectionMapOf : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(SelectionMapOf, its_fields_count_the_rows_of_selection_that_lie_in_them) {
  const auto [clients, rounds] = GetParam();
  const ResultsView view = load(made_run(clients, rounds), Detail::everything);
  const Database& db = view.database();
  // every field against the rows of its rounds and of the clients of its side between its first and last
  EXPECT_EQ(rows_of(db,
                    "SELECT count(*) FROM selection_map f WHERE (asked, judged, accepted) IS NOT"
                    " (SELECT count(*), sum(outcome != 'dropout' AND outcome != 'late'), sum(outcome = 'accepted')"
                    "  FROM selection s JOIN agent a USING (run, agent) WHERE s.run = f.run AND s.round BETWEEN "
                    "first_round AND last_round"
                    "  AND s.agent BETWEEN first_agent AND last_agent AND (attacker_group >= 0) = malicious)"
                    " OR abs(weight - (SELECT sum(s.weight) FROM selection s JOIN agent a USING (run, agent)"
                    "  WHERE s.run = f.run AND s.round BETWEEN first_round AND last_round AND s.agent BETWEEN "
                    "first_agent AND last_agent"
                    "  AND (attacker_group >= 0) = malicious)) > 1e-9"),
            "0\n");
  // and nobody is lost or twice
  EXPECT_EQ(rows_of(db, "SELECT sum(asked) FROM selection_map"), rows_of(db, "SELECT count(*) FROM selection"));
  const bool fits = clients <= 100 && rounds <= 100;
  EXPECT_EQ(rows_of(db, "SELECT max(agents) = 1 AND max(last_round - first_round) = 0 FROM selection_map"),
            fits ? "1\n" : "0\n");
}

INSTANTIATE_TEST_SUITE_P(Sizes, SelectionMapOf,
                         testing::Values(std::pair(20, 15), std::pair(100, 100), std::pair(101, 30), std::pair(30, 101),
                                         std::pair(137, 203)));

TEST(SelectionMap, of_the_report_has_malicious_clients_first_and_says_who_was_accepted) {
  const ResultsView view = load(made_run(10, 4), Detail::federation);
  const Study study = Study::read(view.database());
  const SelectionMap map = selection_map(view.database(), study, 1);
  const json rows = json::parse(map.data.to_rows_json());
  ASSERT_EQ(rows.size(), 40U);
  EXPECT_EQ(map.note, "");
  EXPECT_TRUE(map.weighed);
  EXPECT_EQ(rows[0]["clients"], "malicious 2");
  EXPECT_EQ(rows[0]["place"], 0);
  EXPECT_EQ(rows[0]["begin"], 0.5);
  EXPECT_EQ(rows[0]["end"], 1.5);
  // client 2 in round 1: (2 * 7 + 3) % 6 = 5, accepted with weight 3/1024; in round 2: (14 + 12) % 6 = 2, late
  EXPECT_EQ(rows[0]["accepted"], 1);
  EXPECT_NEAR(rows[0]["weight"], 3.0 / 1024, 1e-8);
  EXPECT_EQ(rows[1]["judged"], 0);
  EXPECT_EQ(rows[8]["clients"], "0");  // benign ones after the two malicious
  EXPECT_EQ(rows[8]["place"], 2);
  std::vector<std::string> ids;
  const Report report = make_report(view.database());
  for (const Figure* figure : figures_of(report)) ids.push_back(figure->id);
  EXPECT_THAT(ids, testing::IsSupersetOf({"decisions", "weights"}));
}

TEST(SelectionMap, rules_by_coordinate_have_no_weights) {
  const auto folder = made_run(4, 2);
  Database(folder / "results.sqlite", Database::Mode::write)
      .execute("UPDATE selection SET weight = NULL WHERE outcome = 'accepted'");
  const ResultsView view = load(folder, Detail::federation);
  EXPECT_EQ(rows_of(view.database(), "SELECT sum(weight) FROM selection_map WHERE accepted > 0"), "null\n");
}

TEST(SelectionMap, of_a_thousand_clients_in_a_thousand_rounds_stays_small_and_says_what_a_field_is) {
  const ResultsView view = load(made_run(1000, 1000), Detail::federation);
  const Study study = Study::read(view.database());
  const SelectionMap map = selection_map(view.database(), study, 1);
  EXPECT_LE(map.data.rows(), 101U * 100U);
  EXPECT_LE(map.data.to_columns_json().size(), 600'000U);
  EXPECT_THAT(map.note, testing::HasSubstr("a field is up to 10 clients of one side and up to 10 rounds"));
  const json first = json::parse(map.data.to_rows_json())[0];
  EXPECT_EQ(first["clients"], "malicious 2…47");
  EXPECT_EQ(first["rounds"], "1–10");
  EXPECT_EQ(first["asked"], 100);
}

}  // namespace
}  // namespace souk::selection_map_test
