#include "sim/sweep/plan.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <unistd.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk::plan_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class PlanTest : public testing::Test {
 protected:
  PlanTest() : folder_(std::filesystem::temp_directory_path() / ("souk_plan_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    file("base.textproto", R"(name: "base" seed: 7 rounds: 3
      participants { clients: 10 everyone: true })");
  }
  ~PlanTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  SweepPlan plan(const std::string& text) const { return expand(load_grid(file("grid.textproto", text))); }
  std::string refusal(const std::string& text) const {
    try {
      plan(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  }
  static std::vector<std::string> labels(const SweepPlan& plan) {
    std::vector<std::string> out;
    for (const Cell& cell : plan.cells) out.push_back(coordinates_text(cell));
    return out;
  }
  static std::vector<std::string> values(const SweepPlan& plan, const std::string& path) {
    std::vector<std::string> out;
    for (const Cell& cell : plan.cells) out.push_back(value_of(plan, cell, path).value_or("-"));
    return out;
  }

  std::filesystem::path folder_;
};

TEST_F(PlanTest, combines_axes_the_last_one_fastest) {
  const SweepPlan grid = plan(R"(base: "base.textproto"
    axis { name: "rule" choice { label: "krum" set: "aggregator={ krum {} }" } choice { label: "mean" } }
    axis { path: "rounds" numbers: [2, 4] })");
  EXPECT_THAT(labels(grid), ElementsAre("rule=krum rounds=2 seed=7", "rule=krum rounds=4 seed=7",
                                        "rule=mean rounds=2 seed=7", "rule=mean rounds=4 seed=7"));
  EXPECT_THAT(values(grid, "aggregator"), ElementsAre("krum", "krum", "mean", "mean"));
  EXPECT_THAT(values(grid, "rounds"), ElementsAre("2", "4", "2", "4"));
  ASSERT_EQ(grid.axes.size(), 3u);
  EXPECT_EQ(grid.axes[2].name, "seed");
  EXPECT_EQ(grid.runs.size(), 4u);
}

TEST_F(PlanTest, counts_steps_and_ratios) {
  EXPECT_THAT(values(plan(R"(base: "base.textproto" axis { path: "task.training.learning_rate"
                              steps { from: 0.1 to: 0.5 by: 0.1 } })"),
                     "task.training.learning_rate"),
              ElementsAre("0.1", "0.2", "0.3", "0.4", "0.5"));
  EXPECT_THAT(values(plan(R"(base: "base.textproto" axis { path: "task.training.proximal_mu"
                              steps { from: 0.3 to: 0 by: -0.1 } })"),
                     "task.training.proximal_mu"),
              ElementsAre("0.3", "0.2", "0.1", "0"));  // 0.3 - 3 · 0.1 is not 0
  EXPECT_THAT(
      values(plan(R"(base: "base.textproto" axis { path: "rounds" steps { from: 9 to: 2 by: -3 } })"), "rounds"),
      ElementsAre("9", "6", "3"));
  EXPECT_THAT(values(plan(R"(base: "base.textproto" axis { path: "task.training.learning_rate"
                              log_steps { from: 0.001 to: 1 count: 4 } })"),
                     "task.training.learning_rate"),
              ElementsAre("0.001", "0.01", "0.1", "1"));
}

TEST_F(PlanTest, zip_moves_axes_in_step) {
  const SweepPlan grid = plan(R"(base: "base.textproto"
    axis { path: "rounds" numbers: [1, 2] }
    zip { axis { name: "clients" path: "participants.clients" numbers: [4, 8] }
          axis { name: "size" path: "task.training.batch_size" values: ["16", "32"] } })");
  EXPECT_THAT(labels(grid), ElementsAre("rounds=1 clients=4 size=16 seed=7", "rounds=1 clients=8 size=32 seed=7",
                                        "rounds=2 clients=4 size=16 seed=7", "rounds=2 clients=8 size=32 seed=7"));
  EXPECT_THAT(refusal(R"(base: "base.textproto" zip { axis { path: "rounds" numbers: [1, 2] }
                          axis { path: "participants.clients" numbers: 4 } })"),
              HasSubstr("'rounds' has 2 values and 'participants.clients' has 1"));
}

TEST_F(PlanTest, union_puts_one_block_after_another_and_shares_common_axes) {
  const SweepPlan grid = plan(R"(base: "base.textproto"
    axis { path: "rounds" numbers: [1, 2] }
    block { name: "rules" axis { name: "rule" choice { label: "median" set: "aggregator={ median {} }" } } }
    block { name: "wide" set: "participants.clients=20" axis { name: "rule" choice { label: "mean" } }
            where: "rounds > 1" })");
  EXPECT_THAT(labels(grid),
              ElementsAre("rounds=1 rule=median seed=7", "rounds=2 rule=median seed=7", "rounds=2 rule=mean seed=7"));
  EXPECT_EQ(grid.cells[2].block, "wide");
  EXPECT_THAT(values(grid, "participants.clients"), ElementsAre("10", "10", "20"));
  ASSERT_EQ(grid.axes[1].values.size(), 2u);
  EXPECT_EQ(grid.axes[1].values[0].label, "median");
}

TEST_F(PlanTest, conditions_read_axes_and_fields_of_the_scenario) {
  const char* axes = R"(base: "base.textproto"
    axis { name: "rule" choice { label: "k" set: "aggregator={ krum {} }" }
                        choice { label: "m" set: "aggregator={ mean {} }" } }
    axis { name: "share" path: "attacks[0].fraction" numbers: [0.1, 0.3] } set: "attacks[0]={ sign_flip {} }" )";
  EXPECT_THAT(labels(plan(std::string(axes) + R"(where: "rule != k || share <= 0.1")")),
              ElementsAre("rule=k share=0.1 seed=7", "rule=m share=0.1 seed=7", "rule=m share=0.3 seed=7"));
  EXPECT_THAT(labels(plan(std::string(axes) + R"(where: "aggregator = krum && attack.fraction > 0.2")")),
              ElementsAre("rule=k share=0.3 seed=7"));
  EXPECT_THAT(labels(plan(std::string(axes) + R"(where: "attacks = sign_flip" where: "aggregator.krum.f = -1")")),
              testing::SizeIs(2));
  EXPECT_THAT(refusal(std::string(axes) + R"(where: "shares = 1")"), HasSubstr("Did you mean"));
}

TEST_F(PlanTest, conditions_see_the_seed_and_axes_of_later_blocks) {
  const char* axes = R"(base: "base.textproto" seeds: [1, 2] axis { path: "rounds" numbers: [3, 4] } )";
  EXPECT_THAT(labels(plan(std::string(axes) + R"(where: "seed = 2 || rounds = 3")")),
              ElementsAre("rounds=3 seed=1", "rounds=3 seed=2", "rounds=4 seed=2"));
  EXPECT_THAT(values(plan(std::string(axes) + R"(change { where: "seed = 2" set: "participants.clients=9" })"),
                     "participants.clients"),
              ElementsAre("10", "9", "10", "9"));
  EXPECT_THAT(labels(plan(R"(base: "base.textproto" where: "clients != 5"
                             block { axis { path: "rounds" numbers: 2 } }
                             block { axis { name: "clients" path: "participants.clients" numbers: [4, 5] } })")),
              ElementsAre("rounds=2 seed=7", "clients=4 seed=7"));
}

TEST_F(PlanTest, a_value_that_an_axis_does_not_have_is_a_typing_error) {
  const std::string axes = R"(base: "base.textproto" axis { path: "rounds" numbers: [3, 4] }
    axis { name: "rule" choice { label: "mean" } choice { label: "median" set: "aggregator={ median {} }" } }
)";
  EXPECT_THAT(refusal(axes + R"(where: "rule != medain")"),
              AllOf(HasSubstr("grid.textproto:3:"), HasSubstr("no such value, but mean, median. Did you mean")));
  EXPECT_THAT(refusal(axes + R"(change { where: "rounds = 5" set: "rounds=1" })"),
              AllOf(HasSubstr("grid.textproto:3:"), HasSubstr("no such value, but 3, 4")));
  EXPECT_EQ(refusal(axes + R"(where: "rounds = 3.0")"), "accepted");
  EXPECT_EQ(refusal(axes + R"(where: "rounds < 5")"), "accepted");
  const SweepPlan grid = plan(axes);
  EXPECT_THROW(require_known_values(grid, Condition::parse("seed = 8")), InputError);
  EXPECT_NO_THROW(require_known_values(grid, Condition::parse("seed = 7 && participants.clients = 1")));
}

TEST_F(PlanTest, changes_apply_after_the_axes_and_equal_scenarios_run_once) {
  const SweepPlan grid = plan(R"(base: "base.textproto"
    axis { name: "attack" choice { label: "none" } choice { label: "flip" set: "attacks[0]={ sign_flip {} }" } }
    axis { name: "share" path: "attacks[0].fraction" numbers: [0.1, 0.3] }
    change { where: "attack = none" set: "attacks=" })");
  EXPECT_THAT(values(grid, "attacks"), ElementsAre("none", "none", "sign_flip", "sign_flip"));
  EXPECT_THAT(values(grid, "attacks[0].fraction"), ElementsAre("-", "-", "0.1", "0.3"));
  ASSERT_EQ(grid.runs.size(), 3u);  // without an attack the share changes nothing
  EXPECT_EQ(grid.cells[0].run, grid.cells[1].run);
  EXPECT_EQ(grid.runs[2].first_cell, 3u);
}

TEST_F(PlanTest, seeds_are_the_fastest_axis) {
  EXPECT_THAT(labels(plan(R"(base: "base.textproto" seeds: [3, 1] axis { path: "rounds" numbers: [1, 2] })")),
              ElementsAre("rounds=1 seed=3", "rounds=1 seed=1", "rounds=2 seed=3", "rounds=2 seed=1"));
  EXPECT_THAT(labels(plan(R"(base: "base.textproto" repeat: 3)")), ElementsAre("seed=7", "seed=8", "seed=9"));
  EXPECT_THAT(refusal(R"(base: "base.textproto" repeat: 3 seeds: 1)"), HasSubstr("seeds or repeat, not both"));
  EXPECT_THAT(refusal(R"(base: "base.textproto" seeds: [1, 2, 1])"), HasSubstr("1 is there twice"));
}

TEST_F(PlanTest, cells_share_random_numbers_unless_they_are_told_not_to) {
  const std::string axes = R"(base: "base.textproto" seeds: [1, 2] axis { path: "rounds" numbers: [1, 2] } )";
  EXPECT_THAT(values(plan(axes), "seed"), ElementsAre("1", "2", "1", "2"));
  const SweepPlan independent = plan(axes + "random_numbers: INDEPENDENT");
  std::set<std::uint64_t> seeds;
  for (const PlannedRun& run : independent.runs) {
    seeds.insert(resolve_scenario({"", run.scenario, {}}).scenario->seed());
  }
  EXPECT_EQ(seeds.size(), 4u);
  EXPECT_THAT(values(independent, "seed"), ElementsAre("1", "2", "1", "2"));  // coordinates keep the one given
}

TEST_F(PlanTest, blocks_that_set_other_things_draw_their_own_random_numbers_too) {
  const SweepPlan two = plan(R"(base: "base.textproto" random_numbers: INDEPENDENT
    block { name: "a" set: "rounds=3" axis { path: "participants.clients" numbers: [4, 5] } }
    block { name: "b" set: "rounds=4" axis { path: "participants.clients" numbers: [4, 5] } })");
  std::set<std::string> seeds;
  for (const PlannedRun& run : two.runs) {
    const auto at = run.scenario.find("seed: ");
    seeds.insert(run.scenario.substr(at, run.scenario.find('\n', at) - at));
  }
  EXPECT_EQ(two.runs.size(), 4);
  EXPECT_EQ(seeds.size(), 4);
}

TEST_F(PlanTest, a_seed_is_varied_by_seeds_alone) {
  for (const char* grid : {R"(axis { name: "s" path: "seed" numbers: [1, 2] })", R"(set: "seed=3")",
                           R"(change { where: "rounds = 3" set: "seed=8" })",
                           R"(axis { name: "c" choice { label: "x" set: "seed=3" } })"}) {
    EXPECT_THAT(refusal(std::string("base: \"base.textproto\" ") + grid), HasSubstr("seeds are varied with")) << grid;
  }
}

TEST_F(PlanTest, extending_a_grid_keeps_the_runs_it_had) {
  const auto hashes = [](const SweepPlan& grid) {
    std::map<std::string, std::string> out;
    for (const Cell& cell : grid.cells) out[coordinates_text(cell)] = grid.runs[cell.run].scenario_hash;
    return out;
  };
  const auto before = hashes(plan(R"(base: "base.textproto" seeds: 1 axis { path: "rounds" numbers: [1, 2] })"));
  const auto after =
      hashes(plan(R"(name: "other" base: "base.textproto" seeds: [9, 1] axis { path: "rounds" numbers: [5, 2, 1] })"));
  for (const auto& [cell, hash] : before) EXPECT_EQ(after.at(cell), hash) << cell;
  EXPECT_EQ(after.size(), 6u);
}

TEST_F(PlanTest, included_grids_come_first) {
  std::filesystem::create_directories(folder_ / "parts");
  file("parts/rules.textproto", R"(base: "../base.textproto" retries: 5 seeds: 4
    axis { name: "rule" choice { label: "mean" } choice { label: "median" set: "aggregator={ median {} }" } })");
  const SweepPlan grid =
      plan(R"(include: "parts/rules.textproto" seeds: 5 axis { path: "rounds" numbers: 2 } name: "mine")");
  EXPECT_THAT(labels(grid), ElementsAre("rule=mean rounds=2 seed=4", "rule=mean rounds=2 seed=5",
                                        "rule=median rounds=2 seed=4", "rule=median rounds=2 seed=5"));
  EXPECT_EQ(load_grid(folder_ / "grid.textproto").retries, 5u);
  EXPECT_EQ(grid.name, "mine");
  EXPECT_THAT(labels(plan(R"(include: "parts/rules.textproto" include: "parts/rules.textproto")")),
              ElementsAre("rule=mean seed=4", "rule=median seed=4"));  // each file once
  file("loop.textproto", R"(include: "loop.textproto")");
  EXPECT_THAT(refusal(R"(base: "base.textproto" include: "loop.textproto")"), HasSubstr("includes itself"));
}

TEST_F(PlanTest, every_error_is_reported_once_with_its_place) {
  const std::string text = refusal(R"(base: "base.textproto"
axis { path: "task.training.batchsize" numbers: [1, 2] }
axis { path: "attacks[0].fraction" numbers: [0.5, 1.5] })");
  EXPECT_THAT(text, HasSubstr("grid.textproto:2:"));
  EXPECT_THAT(text, HasSubstr("Did you mean 'batch_size'?"));
  const std::string range = refusal(R"(base: "base.textproto"
axis { path: "attacks[0].fraction" numbers: [0.5, 1.5] } axis { path: "rounds" numbers: [1, 2] })");
  EXPECT_THAT(range, HasSubstr("grid.textproto:2:36: attacks[0].fraction = 1.5 is outside (0, 1]"));
  EXPECT_EQ(std::count(range.begin(), range.end(), '\n'), 0) << range;
}

TEST_F(PlanTest, refuses_grids_that_make_no_sense) {
  EXPECT_THAT(refusal("axis { path: \"rounds\" numbers: 1 }"), HasSubstr("names no scenario"));
  EXPECT_THAT(refusal(R"(base: "gone.textproto")"), AllOf(HasSubstr("grid.textproto:1:"), HasSubstr("gone.textproto")));
  EXPECT_THAT(refusal(R"(base: "base.textproto" axis { path: "rounds" })"), HasSubstr("exactly one of"));
  EXPECT_THAT(refusal(R"(base: "base.textproto" axis { path: "rounds" numbers: [1, 1] })"), HasSubstr("twice"));
  EXPECT_THAT(refusal(R"(base: "base.textproto" axis { path: "seed" numbers: [1, 2] })"),
              HasSubstr("'seeds' or 'repeat'"));
  EXPECT_THAT(
      refusal(R"(base: "base.textproto" axis { path: "rounds" numbers: 1 } axis { path: "rounds" numbers: 2 })"),
      AllOf(HasSubstr("grid.textproto:1:"), HasSubstr("two axes are called 'rounds'")));
  EXPECT_THAT(refusal(R"(base: "base.textproto" axis { path: "rounds" numbers: 1 }
                         axis { name: "length" path: "rounds" numbers: 2 })"),
              AllOf(HasSubstr("grid.textproto:2:"), HasSubstr("'length' sets rounds again, after another axis")));
  const std::string whole = R"(axis { path: "aggregator" values: "{ krum {} }" } )";
  const std::string part = R"(axis { path: "aggregator.tolerated_f" numbers: 2 } )";
  EXPECT_EQ(refusal(R"(base: "base.textproto" )" + whole + part), "accepted");
  EXPECT_THAT(refusal(R"(base: "base.textproto" )" + part + whole), HasSubstr("sets aggregator again"));
  EXPECT_THAT(refusal(R"(base: "base.textproto"
                         include: "gone.textproto")"),
              AllOf(HasSubstr("grid.textproto:2:"), HasSubstr("there is no file")));
  EXPECT_THAT(refusal(R"(base: "base.textproto" repeat: 1000
                         axis { path: "rounds" steps { from: 1 to: 1000 by: 1 } })"),
              HasSubstr("1000000 combinations; a sweep takes at most 100000"));
  EXPECT_THAT(refusal(R"(base: "base.textproto" axis { path: "rounds" numbers: 1 } where: "rounds > 1")"),
              HasSubstr("no combination meets"));
  EXPECT_THAT(refusal(R"(base: "base.textproto" axis { name: "status" path: "rounds" numbers: 1 })"),
              HasSubstr("grid.textproto:1:24: 'status' means something else"));
  EXPECT_THAT(refusal(R"(base: "base.textproto" axes { })"), HasSubstr("has no field named \"axes\""));
  EXPECT_THAT(refusal(R"(base: "base.textproto" axis { path: "rounds" steps { from: 1 to: 5 by: -1 } })"),
              HasSubstr("do not arrive"));
  EXPECT_THAT(refusal(R"(base: "base.textproto" set: "rounds")"), HasSubstr("expected PATH=VALUE"));
}

TEST_F(PlanTest, the_identity_changes_with_scenario_data_and_schema) {
  const std::string identity = run_identity("a", "b", 2);
  EXPECT_EQ(identity.size(), 64u);
  EXPECT_EQ(identity, run_identity("a", "b", 2));
  EXPECT_NE(identity, run_identity("x", "b", 2));
  EXPECT_NE(identity, run_identity("a", "x", 2));
  EXPECT_NE(identity, run_identity("a", "b", 3));
}

}  // namespace
}  // namespace souk::plan_test
