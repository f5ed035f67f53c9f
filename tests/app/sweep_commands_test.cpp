// What looks at a sweep, and what tidies it up.
#include <filesystem>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <gmock/gmock.h>

#include "tests/app/sweep_fixture.hpp"

namespace souk::sweep_commands_test {
namespace {

using testing::HasSubstr;

/// Names of what lies below cells/.
std::set<std::string> cells_in(const fs::path& sweep) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(sweep / "cells")) names.insert(entry.path().filename().string());
  return names;
}

TEST_F(SweepTest, prune_removes_what_the_grid_no_longer_has_and_only_when_told_to) {
  ASSERT_EQ(souk({"sweep", "grid.textproto", "--out", "s", "-q"}).exit_code, 0);
  const std::set<std::string> all = cells_in(folder_ / "s");
  grid("grid.textproto", "seeds: [1]");
  ASSERT_EQ(souk({"sweep", "grid.textproto", "--out", "fresh", "-q"}).exit_code, 0);
  const std::set<std::string> kept = cells_in(folder_ / "fresh");
  ASSERT_EQ(all.size(), 10U);
  ASSERT_EQ(kept.size(), 5U);
  fs::create_directories(folder_ / "s/cells/notes");  // somebody's own

  const Ended listed = souk({"sweep", "prune", "grid.textproto", "--out", "s"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("5 of the 5 runs of the grid, and 5 that no cell of it has"));
  EXPECT_THAT(listed.out, HasSubstr("nothing was removed: that does --remove"));
  EXPECT_THAT(listed.out, HasSubstr("notes: is no cell's, and stays"));
  EXPECT_EQ(cells_in(folder_ / "s").size(), all.size() + 1);
  for (const std::string& id : all) EXPECT_EQ(listed.out.find(id) == std::string::npos, kept.contains(id)) << id;

  // one of the old ones is being run by hand
  std::string at_work;
  for (const std::string& id : all) at_work = kept.contains(id) ? at_work : id;
  const int lock = open((folder_ / "s/cells" / at_work / "lock").c_str(), O_RDWR | O_CREAT, 0644);
  struct flock whole_file = {};
  whole_file.l_type = F_WRLCK;
  ASSERT_EQ(fcntl(lock, F_OFD_SETLK, &whole_file), 0);
  const Ended removed = souk({"sweep", "prune", "grid.textproto", "--out", "s", "--remove"});
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_THAT(removed.out, HasSubstr(at_work + ": somebody is at work in it, and it stays"));
  EXPECT_THAT(removed.out, HasSubstr("4 removed"));
  std::set<std::string> left = kept;
  left.insert({at_work, "notes"});
  EXPECT_EQ(cells_in(folder_ / "s"), left);
  close(lock);
  EXPECT_EQ(query(folder_ / "s/sweep.sqlite", "SELECT count(DISTINCT id) FROM cell"), "5\n");
}

TEST_F(SweepTest, prune_refuses_the_wrong_grid_and_a_directory_in_use) {
  ASSERT_EQ(souk({"sweep", "grid.textproto", "--out", "s", "-q"}).exit_code, 0);
  grid("other.textproto", "seeds: [7]");
  Ended ended = souk({"sweep", "prune", "other.textproto", "--out", "s", "--remove"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("no run of the grid is there"));
  EXPECT_EQ(souk({"sweep", "prune", "grid.textproto", "--out", "nowhere"}).exit_code, 2);
  EXPECT_FALSE(fs::exists(folder_ / "nowhere"));
  const int lock = open((folder_ / "s/lock").c_str(), O_RDWR | O_CREAT, 0644);
  struct flock whole_file = {};
  whole_file.l_type = F_WRLCK;
  ASSERT_EQ(fcntl(lock, F_OFD_SETLK, &whole_file), 0);
  ended = souk({"sweep", "prune", "grid.textproto", "--out", "s", "--remove"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("another sweep is at work here"));
  EXPECT_EQ(cells_in(folder_ / "s").size(), 10U);
  close(lock);
}

TEST_F(SweepTest, a_plan_with_flshields_costly_default_says_so_once) {
  file("shield.textproto", R"(name: "shield" base: "base.textproto" set: "validators={ min_samples: 1 }"
      axis { name: "rule" choice { label: "mean" } choice { label: "default" set: "aggregator={ flshield {} }" }
             choice { label: "cheap" set: "aggregator={ flshield { imputation: MEAN } }" } } seeds: [1, 2])");
  const Ended plan = souk({"sweep", "plan", "shield.textproto"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.err, HasSubstr("2 runs: aggregator.flshield.imputation is ITERATIVE"));
  const auto check = [&](const std::string& rule) {
    const Ended ended =
        souk({"check", "base.textproto", "--set", "validators.min_samples=1", "--set", "aggregator=" + rule});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return ended.err;
  };
  EXPECT_THAT(check("{ flshield {} }"), HasSubstr("aggregator.flshield.imputation=MEAN is cheap"));
  EXPECT_EQ(check("{ flshield { imputation: MEAN } }"), "");
}

TEST_F(SweepTest, status_names_cells_of_another_schema_of_results) {
  ASSERT_EQ(souk({"sweep", "grid.textproto", "--out", "s", "-q"}).exit_code, 0);
  const std::string old = *cells_in(folder_ / "s").begin();
  execute(folder_ / "s/cells" / old / "results.sqlite", "PRAGMA user_version = 2");
  const Ended status = souk({"sweep", "status", "grid.textproto", "--out", "s"});
  EXPECT_EQ(status.exit_code, 0) << status.err;
  EXPECT_THAT(status.out, HasSubstr("10 runs: 9 done, 1 damaged"));
  EXPECT_THAT(status.out,
              testing::ContainsRegex(old + " \\(.*\\): damaged: .*schema version 2, this program reads and writes 3"));
  EXPECT_THAT(souk({"sweep", "plan", "grid.textproto", "--out", "s"}).out, HasSubstr("9 done, 1 damaged"));
}

TEST_F(SweepTest, a_grid_of_another_name_is_told_how_to_go_on) {
  file("first.textproto", R"(base: "base.textproto" axis { path: "rounds" numbers: [1, 2] })");
  ASSERT_EQ(souk({"sweep", "first.textproto", "-q", "--out", "runs_of_it"}).exit_code, 0);
  fs::rename(folder_ / "first.textproto", folder_ / "second.textproto");
  for (const char* part : {"run", "plan", "status"}) {
    const Ended ended = souk({"sweep", part, "second.textproto", "--out", "runs_of_it"});
    EXPECT_EQ(ended.exit_code, 2) << part;
    EXPECT_THAT(ended.err, HasSubstr("write name: \"first\" into the grid")) << part;
  }
}

TEST_F(SweepTest, bad_input_is_one_sentence_and_leaves_nothing) {
  EXPECT_THAT(souk({"sweep", "run", "gone.textproto"}).err, HasSubstr("gone.textproto"));
  file("typo.textproto", "base: \"base.textproto\"\naxis { path: \"aggregator.krum.ff\" numbers: 1 }");
  const Ended typo = souk({"sweep", "run", "typo.textproto"});
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_THAT(typo.err, HasSubstr("typo.textproto:2:"));
  EXPECT_FALSE(fs::exists(folder_ / "runs"));
  EXPECT_EQ(souk({"sweep", "run", "grid.textproto", "--shard", "3/2"}).exit_code, 2);
  const Ended filter = souk({"sweep", "run", "grid.textproto", "--filter", "aggregater = mean"});
  EXPECT_EQ(filter.exit_code, 2);
  EXPECT_THAT(filter.err, HasSubstr("Did you mean 'aggregator'?"));
  const Ended value = souk({"sweep", "plan", "grid.textproto", "--filter", "aggregator = medain"});
  EXPECT_EQ(value.exit_code, 2);
  EXPECT_THAT(value.err, HasSubstr("Did you mean 'median'?"));
  const Ended nothing = souk({"sweep", "plan", "grid.textproto", "--filter", "share > 0.5"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("--filter 'share > 0.5': no cell matches; there are share: 0.2, 0.4"));
  EXPECT_THAT(souk({"sweep", "plan", "grid.textproto", "--filter", "status = done"}).err, HasSubstr("cells have none"));
  file("taken", "");
  EXPECT_EQ(souk({"sweep", "run", "grid.textproto", "--out", "taken/below"}).exit_code, 2);
  EXPECT_FALSE(fs::exists(folder_ / "runs"));
}

TEST_F(SweepTest, shows_how_to_run_one_cell_by_itself) {
  ASSERT_EQ(souk({"sweep", "grid.textproto", "-q"}).exit_code, 0);
  const std::string id =
      query(folder_ / "runs/tiny/sweep.sqlite",
            "SELECT id FROM cell JOIN coordinate USING (number) WHERE axis = 'aggregator' AND value = 'median'")
          .substr(0, 12);
  const Ended shown = souk({"sweep", "show", "grid.textproto", id.substr(0, 6)});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("state      done"));
  const std::string before = "command    souk ";
  const std::size_t begin = shown.out.find(before);
  ASSERT_NE(begin, std::string::npos) << shown.out;
  const std::string command =
      shown.out.substr(begin + before.size(), shown.out.find('\n', begin) - begin - before.size());
  const Ended run = RunningProgram({"/bin/sh", "-c", program() + " " + command + " -q --out alone"}, folder_).wait();
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(results_of(folder_ / "alone"), results_of(folder_ / "runs/tiny/cells" / id));
  const char* identity = "SELECT value FROM run WHERE name = 'identity'";
  EXPECT_EQ(query(folder_ / "alone/results.sqlite", identity),
            query(folder_ / "runs/tiny/cells" / id / "results.sqlite", identity));
}

TEST_F(SweepTest, compares_two_cells) {
  ASSERT_EQ(souk({"sweep", "grid.textproto", "-q", "--filter", "seed = 1 && attack = flip"}).exit_code, 0);
  const auto id = [&](const std::string& aggregator) {
    return query(folder_ / "runs/tiny/sweep.sqlite",
                 "SELECT id FROM cell c WHERE EXISTS (SELECT 1 FROM coordinate WHERE number = c.number AND value = '" +
                     aggregator +
                     "') AND EXISTS (SELECT 1 FROM coordinate WHERE number = c.number AND value = 'flip') AND EXISTS "
                     "(SELECT 1 FROM coordinate WHERE number = c.number AND axis = 'seed' AND value = '1')")
        .substr(0, 12);
  };
  const Ended diff = souk({"sweep", "diff", "grid.textproto", id("mean"), id("median")});
  ASSERT_EQ(diff.exit_code, 0) << diff.err;
  EXPECT_THAT(diff.out, testing::ContainsRegex("aggregator.mean.weighting +BY_SAMPLES +-"));
  EXPECT_THAT(diff.out, testing::ContainsRegex("aggregator.median +- +set"));
  EXPECT_THAT(diff.out, testing::ContainsRegex("accuracy +0\\.[0-9]+ +0\\.[0-9]+"));
  EXPECT_EQ(souk({"sweep", "diff", "grid.textproto", "zzz", "zzz"}).exit_code, 2);
}

}  // namespace
}  // namespace souk::sweep_commands_test
