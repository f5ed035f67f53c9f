// What the report says of attacks on a served graph's edges.
#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/figure_states.hpp"
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"
#include "tests/analysis/report_fixture.hpp"

namespace souk::report_edges_test {
namespace {

using nlohmann::json;

json rows_of_table(const ReportTable& table) { return json::parse(table.data.to_rows_json()); }

/// A grid of noise on the edges and seeds: none, epsilon 1 and epsilon 4, in which the attack "far" finds the less the
/// more noise there is, and "blind" finds nothing.
class ReportEdges : public testing::Test {
 protected:
  ReportEdges() : folder_(fresh_folder() / "sweep") {
    std::vector<MadeCell> cells;
    for (const std::string epsilon : {"none", "1", "4"}) {
      for (const std::string seed : {"1", "2"}) {
        const std::string id = "e" + epsilon + "-" + seed;
        cells.push_back({id, {{"noise", epsilon}, {"seed", seed}}});
        run(id, epsilon, seed == "1" ? 1 : 2);
      }
    }
    write_sweep(folder_, "grid", cells);
    view_.emplace(view_of(folder_));
    study_ = Study::read(view_->database());
  }
  void run(const std::string& id, const std::string& epsilon, std::uint64_t seed) const {
    const double auc = epsilon == "none" ? 1.0 : epsilon == "4" ? 0.8 : 0.6;
    const auto folder = folder_ / "cells" / id;
    write_run(folder, {.rule = "mean", .seed = seed, .metrics = {}});
    const auto sink = open_sqlite_sink(folder / "results.sqlite");
    if (epsilon != "none") {
      sink->describe(
          {{"scenario", "name: \"made\"\nseed: " + std::to_string(seed) +
                            "\nrounds: 1\ntask { data { planetoid { graph { edge_rand { epsilon: " + epsilon +
                            " } } } } }\nparticipants { clients: 10 }\naggregator { mean {} }\n"}});
    }
    RoundRecord record;
    record.round = {1};
    record.add("accuracy", 0.5);
    record.add("edges.far.auc", auc + (seed == 1 ? 0.0 : -0.1));
    record.add("edges.far.f1", 0.5);
    record.add("edges.far.pairs", 4);
    record.add("edges.blind.auc", 0.5);
    record.pairs = {{"far", 7, 1, 9.0, true, true},   {"far", 7, 2, seed == 1 ? 8.0 : 6.0, true, true},
                    {"far", 7, 3, 7.0, false, true},  {"far", 7, 4, std::nullopt, false, true},
                    {"blind", 7, 1, 1.0, true, true}, {"blind", 7, 2, 1.0, false, true}};
    record.requests = {{"user", "far", "read", 7, 8, 2, 1, 3'000'000},
                       {"user", "far", "edge", 7, 4, 0, 1, 0},
                       {"user", "far", "read", 8, seed == 1 ? 2U : 4U, 0, 1, 0}};
    sink->commit(record);
  }
  Figure figure(const std::string& id) const {
    for (Figure& one : edge_inference(study_, view_->database())) {
      if (one.id == id) return one;
    }
    throw std::runtime_error("no figure " + id);
  }
  std::filesystem::path folder_;
  std::optional<ResultsView> view_;
  Study study_;
};

TEST_F(ReportEdges, roc_curves_are_means_over_seeds_at_equal_rates) {
  const Figure roc = figure("edge-roc");
  const auto at = [&](const char* attack, double x) {
    return rows_with(roc, {{"inference", attack}, {"axis1", "none"}, {"x", x}}).at(0);
  };
  EXPECT_EQ(at("far", 0.0)["mean"], 75.0);  // both edges before the first other pair, and one
  EXPECT_EQ(at("far", 0.0)["least"], 50.0);
  EXPECT_EQ(at("far", 50.0)["mean"], 100.0);
  EXPECT_EQ(at("far", 45.0)["mean"], 75.0);
  EXPECT_EQ(at("far", 0.0)["runs"], 2);
  EXPECT_EQ(at("blind", 25.0)["mean"], 25.0);  // equal scores: the diagonal
  EXPECT_EQ(at("blind", 100.0)["mean"], 100.0);
}

TEST_F(ReportEdges, precision_is_that_of_the_threshold_that_finds_so_much) {
  const Figure curve = figure("edge-precision");
  const auto mean = [&](const char* attack, double x) {
    return rows_with(curve, {{"inference", attack}, {"axis1", "4"}, {"x", x}}).at(0)["mean"].get<double>();
  };
  EXPECT_EQ(mean("far", 50.0), 100.0);
  EXPECT_NEAR(mean("far", 100.0), 0.5 * (100.0 + 200.0 / 3.0), 1e-3);
  EXPECT_EQ(mean("blind", 0.0), 50.0);
}

TEST_F(ReportEdges, lines_are_the_attacks_as_long_as_nothing_else_is_chosen) {
  const json spec = json::parse(figure("edge-roc").spec);
  const json& lines = spec["params"].at(0);
  EXPECT_EQ(lines["name"], "lines");
  EXPECT_EQ(lines["bind"]["options"], (json{"inference", "axis1"}));
  std::vector<std::string> names;
  for (const FigureState& state : states_of(figure("edge-roc"))) names.push_back(state.name);
  EXPECT_THAT(names,
              testing::IsSupersetOf({"edge-roc-by-edge_attack-noise-none", "edge-roc-by-noise-edge_attack-far"}));
}

TEST_F(ReportEdges, ranks_say_where_edges_lie_whatever_the_scale_of_scores) {
  const Figure ranks = figure("edge-ranks");
  const auto share = [&](const char* kind, double from) {
    return rows_with(ranks, {{"inference", "far"}, {"axis1", "1"}, {"kind", kind}, {"from", from}}).at(0)["mean"];
  };
  // Four pairs lie in the twentieths from 10, 35, 60 and 85 %; the second edge is the third or, in the other seed, the
  // second.
  EXPECT_EQ(share("edges", 85.0), 50.0);
  EXPECT_EQ(share("edges", 60.0), 25.0);
  EXPECT_EQ(share("edges", 35.0), 25.0);
  EXPECT_EQ(share("other pairs", 10.0), 50.0);  // the one without a score
  EXPECT_EQ(share("other pairs", 0.0), 0.0);
}

TEST_F(ReportEdges, success_stands_along_epsilon_beside_the_accuracy) {
  const Figure noise = figure("edge-noise");
  const auto rows = rows_with(noise, {{"inference", "far"}, {"mechanism", "edge_rand"}});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_TRUE(rows[0]["epsilon"].is_null());  // without noise
  EXPECT_NEAR(rows[0]["mean"], 0.95, 1e-9);
  EXPECT_EQ(rows[1]["epsilon"], 1.0);
  EXPECT_NEAR(rows[1]["mean"], 0.55, 1e-9);
  EXPECT_EQ(rows[2]["epsilon"], 4.0);
  EXPECT_EQ(rows[2]["runs"], 2);
  EXPECT_EQ(rows_with(noise, {{"measure", "quality"}, {"inference", "accuracy"}}).size(), 3U);
  // The axis whose values are the noise is what is drawn along: nothing is left to choose.
  EXPECT_TRUE(json::parse(noise.spec)["params"].empty());
}

TEST_F(ReportEdges, tables_have_what_attacks_reached_and_asked_for) {
  const json attacks = rows_of_table(edge_table(study_, view_->database()));
  ASSERT_EQ(attacks.size(), 6U);
  EXPECT_EQ(attacks[0]["inference"], "blind");
  EXPECT_EQ(attacks[1]["inference"], "far");
  EXPECT_NEAR(attacks[1]["auc"], 0.95, 1e-9);
  EXPECT_EQ(attacks[1]["f1"], 50.0);
  EXPECT_EQ(attacks[1]["pairs"], 4.0);
  EXPECT_TRUE(attacks[1]["list_f1"].is_null());

  const json requests = rows_of_table(request_table(study_, view_->database()));
  ASSERT_EQ(requests.size(), 6U);
  EXPECT_EQ(requests[0]["kind"], "read");  // in the order of the schema
  EXPECT_EQ(requests[0]["requests"], 11.0);
  EXPECT_EQ(requests[0]["refused"], 2.0);
  EXPECT_EQ(requests[0]["credits"], 3.0);
  EXPECT_EQ(requests[1]["kind"], "edge");
  EXPECT_EQ(requests[1]["runs"], 2);
}

TEST_F(ReportEdges, the_section_is_on_the_page) {
  const Report report = make_report(view_->database());
  EXPECT_NE(figure_of(report, "edge-roc"), nullptr);
  const auto section = std::ranges::find(report.sections, "edges", &Section::id);
  ASSERT_NE(section, report.sections.end());
  EXPECT_EQ(section->figures.size(), 4U);
  EXPECT_EQ(section->tables.size(), 2U);
}

TEST(ReportWithoutEdges, has_no_section_of_them) {
  const auto folder = fresh_folder() / "run";
  write_run(folder, {.metrics = {{"accuracy", {0.5}}}});
  const Report report = make_report(view_of(folder).database());
  EXPECT_EQ(std::ranges::find(report.sections, "edges", &Section::id), report.sections.end());
}

TEST(ReportOfOneAttackOnEdges, has_it_as_its_line) {
  const auto folder = fresh_folder() / "run";
  write_run(folder, {});
  RoundRecord record;
  record.round = {1};
  record.pairs = {{"far", 7, 1, 9.0, true, true}, {"far", 7, 2, 8.0, false, true}};
  open_sqlite_sink(folder / "results.sqlite")->commit(record);
  const ResultsView view = view_of(folder);
  const auto figures = edge_inference(Study::read(view.database()), view.database());
  ASSERT_EQ(figures.size(), 3U);  // no noise
  const json spec = json::parse(figures[0].spec);
  EXPECT_TRUE(spec["params"].empty());
  EXPECT_EQ(spec["layer"][0]["transform"][0]["calculate"], "datum.inference");
}

}  // namespace
}  // namespace souk::report_edges_test
