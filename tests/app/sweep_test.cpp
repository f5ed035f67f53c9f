// Sweeps: every cell once, whoever shares the work, and however often it is broken off.
#include <fstream>
#include <map>
#include <numeric>
#include <random>

#include <gmock/gmock.h>

#include "tests/app/sweep_fixture.hpp"

namespace souk::sweep_test {
namespace {

using testing::HasSubstr;

TEST_F(SweepTest, runs_every_cell_once_and_again_nothing) {
  const Ended first = souk({"sweep", "run", "grid.textproto"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("sweep runs/tiny: 10 runs: 10 done, 0 diverged, 0 failed, 0 left"));
  EXPECT_EQ(query(folder_ / "runs/tiny/sweep.sqlite", "SELECT count(*), count(DISTINCT id) FROM cell"), "12|10\n");
  const Ended second = souk({"sweep", "run", "grid.textproto"});
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_THAT(second.err, HasSubstr("of these 10 done; 0 to do"));
}

TEST_F(SweepTest, any_number_of_groups_and_ranks_gives_the_same_results) {
  const std::string wanted = undisturbed();
  const std::vector<std::vector<std::string>> ways{{"--ranks", "2"},
                                                   {"--ranks", "4"},
                                                   {"--ranks", "2", "--ranks-per-run", "2"},
                                                   {"--ranks", "3", "--ranks-per-run", "2"}};
  for (std::size_t w = 0; w < ways.size(); ++w) {
    const std::string out = "way" + std::to_string(w);
    std::vector<std::string> words{"sweep", "run", "grid.textproto", "-q", "--out", out};
    words.insert(words.end(), ways[w].begin(), ways[w].end());
    const Ended ended = souk(words);
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(sweep_results(folder_ / out), wanted) << out;
  }
}

TEST_F(SweepTest, killed_at_any_moment_it_ends_as_if_undisturbed) {
  const std::string wanted = undisturbed();
  std::mt19937 random(20261123);
  int kills = 0;
  for (int sweep = 0; kills < 20; ++sweep) {
    const std::string out = "killed" + std::to_string(sweep);
    std::vector<std::string> words{"sweep", "run", "grid.textproto", "-q", "--out", out};
    if (sweep % 2 == 1) words.insert(words.end(), {"--ranks", "2"});
    Ended ended;
    for (unsigned longest = 800;; longest += 100) {  // or a slow machine would never get past its start
      RunningProgram program = start(words);
      const auto moment = std::chrono::milliseconds(random() % longest);
      const bool over = program.ended_within(moment);
      if (!over) program.send_to_all(SIGKILL);
      ended = program.wait();
      if (!over && !begun(out).empty()) ++kills;  // of a sweep that has something to lose
      // Ranks learn that mpirun is gone a moment later; until then the directory is theirs.
      if (over && ended.exit_code == 2 && ended.err.find("at work here") != std::string::npos) continue;
      if (over) break;
    }
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(sweep_results(folder_ / out), wanted) << out;
  }
}

TEST_F(SweepTest, a_signal_finishes_the_rounds_in_hand_and_the_same_command_goes_on) {
  file("long.textproto", R"(name: "long" base: "base.textproto" set: "rounds=3000" repeat: 2)");
  const std::vector<std::string> words{"sweep", "run", "long.textproto", "--ranks", "2", "--out", "long"};
  RunningProgram program = start(words);
  wait_for_a_round("long");
  program.send(SIGTERM);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 143) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("the same command goes on"));
  const Ended status = souk({"sweep", "status", "long.textproto", "--out", "long"});
  EXPECT_THAT(status.out, HasSubstr("2 interrupted"));
  EXPECT_THAT(status.out, HasSubstr("nobody is at work"));
}

TEST_F(SweepTest, a_signal_to_every_process_is_no_failure_of_any_run) {
  file("long.textproto", R"(name: "long" base: "base.textproto" set: "rounds=3000" retries: 0)");
  RunningProgram program = start({"sweep", "run", "long.textproto", "--out", "long"});
  wait_for_a_round("long");
  program.send_to_all(SIGTERM);  // to the child at work, and to its parent, which passes it on
  EXPECT_EQ(program.wait().exit_code, 143);
  ASSERT_EQ(begun("long").size(), 1u);
  EXPECT_EQ(fact(begun("long")[0], "status"), "interrupted");
  EXPECT_EQ(fact(begun("long")[0], "failures"), "0");
}

TEST_F(SweepTest, extending_a_grid_runs_only_what_is_new) {
  ASSERT_EQ(souk({"sweep", "grid.textproto", "-q"}).exit_code, 0);
  grid("more.textproto", "seeds: [1, 2, 3]");
  const Ended ended = souk({"sweep", "more.textproto"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("15 runs, of these 10 done; 5 to do"));
}

/// Runs that each group of a job ended, from the files in which the groups report.
std::vector<std::uint64_t> done_by_group(const fs::path& sweep) {
  std::map<std::string, std::uint64_t> done;
  for (const auto& entry : fs::directory_iterator(sweep / "groups")) {
    std::uint64_t count = 0;
    std::ifstream(entry.path(), std::ios::binary).read(reinterpret_cast<char*>(&count), sizeof count);
    done[entry.path().filename()] = count;
  }
  std::vector<std::uint64_t> counts;
  for (const auto& [file, count] : done) counts.push_back(count);
  return counts;
}

TEST_F(SweepTest, groups_share_one_queue_and_every_run_is_taken_once) {
  for (const int groups : {1, 2, 3, 4}) {
    const std::string out = "groups" + std::to_string(groups);
    std::vector<std::string> words{"sweep", "run", "grid.textproto", "-q", "--out", out};
    if (groups > 1) words.insert(words.end(), {"--ranks", std::to_string(groups)});
    ASSERT_EQ(souk(words).exit_code, 0);
    const std::vector<std::uint64_t> done = done_by_group(folder_ / out);
    EXPECT_EQ(done.size(), static_cast<std::size_t>(groups));
    EXPECT_EQ(std::accumulate(done.begin(), done.end(), std::uint64_t{0}), 10u);
  }
}

TEST_F(SweepTest, the_longest_run_is_taken_first_and_holds_up_nobody) {
  file("uneven.textproto", R"(name: "uneven" base: "base.textproto"
    axis { path: "rounds" numbers: [2, 3, 4, 5, 6, 7, 3000] })");
  ASSERT_EQ(souk({"sweep", "run", "uneven.textproto", "-q", "--ranks", "2", "--out", "uneven"}).exit_code, 0);
  // The last in the grid, but the first to be taken: its group had no time for another, and the other did all of them.
  EXPECT_THAT(done_by_group(folder_ / "uneven"), testing::UnorderedElementsAre(1, 6));
}

TEST_F(SweepTest, two_sweeps_do_not_share_a_directory_unless_they_are_shards) {
  file("long.textproto", R"(name: "long" base: "base.textproto" set: "rounds=3000" repeat: 2)");
  RunningProgram first = start({"sweep", "run", "long.textproto", "--shard", "1/2"});
  wait_for_a_round("runs/long");
  const fs::path elsewhere = folder_ / "elsewhere";
  fs::create_directories(elsewhere);
  const auto from_elsewhere = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {program(), "sweep", "run", (folder_ / "long.textproto").string(), "--out",
                                 (folder_ / "runs/long").string()});
    return RunningProgram(words, elsewhere).wait();
  };
  const Ended whole = from_elsewhere({});
  EXPECT_EQ(whole.exit_code, 2);
  EXPECT_THAT(whole.err, HasSubstr("another sweep is at work here"));
  const Ended same = from_elsewhere({"--shard", "1/2"});
  EXPECT_EQ(same.exit_code, 2);
  EXPECT_THAT(same.err, HasSubstr("another job is at work on shard 1/2"));
  EXPECT_EQ(from_elsewhere({"--shard", "2/2", "--filter", "seed = 1"}).exit_code, 0);  // none of this shard's
  first.send(SIGTERM);
  EXPECT_EQ(first.wait().exit_code, 143);
}

TEST_F(SweepTest, shards_together_make_the_whole) {
  const std::string wanted = undisturbed();
  for (const char* shard : {"1/3", "2/3", "3/3"}) {
    ASSERT_EQ(souk({"sweep", "run", "grid.textproto", "-q", "--out", "shards", "--shard", shard}).exit_code, 0);
  }
  EXPECT_EQ(sweep_results(folder_ / "shards"), wanted);
}

TEST_F(SweepTest, shards_may_begin_together) {
  const std::string wanted = undisturbed();
  for (int repetition = 0; repetition < 3; ++repetition) {
    const std::string out = "together" + std::to_string(repetition);
    std::vector<RunningProgram> jobs;
    for (int shard = 1; shard <= 4; ++shard) {
      jobs.push_back(
          start({"sweep", "run", "grid.textproto", "-q", "--out", out, "--shard", std::to_string(shard) + "/4"}));
    }
    for (RunningProgram& job : jobs) {
      const Ended ended = job.wait();
      EXPECT_EQ(ended.exit_code, 0) << ended.err;
    }
    EXPECT_EQ(sweep_results(folder_ / out), wanted);
  }
}

TEST_F(SweepTest, a_list_of_cells_that_was_never_written_holds_up_nobody) {
  fs::create_directories(folder_ / "torn");
  std::ofstream(folder_ / "torn/sweep.sqlite").close();  // killed between creating it and its first transaction
  EXPECT_EQ(souk({"sweep", "run", "grid.textproto", "-q", "--out", "torn", "--filter", "seed = 1"}).exit_code, 0);
}

}  // namespace
}  // namespace souk::sweep_test
