#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include <fcntl.h>
#include <gmock/gmock.h>

#include "tests/support/program.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Everything in a sweep that depends on the grid alone.
std::string sweep_results(const fs::path& sweep) {
  std::string text;
  for (const char* table : {"sweep", "axis", "axis_value", "cell", "coordinate"}) {
    text += query(sweep / "sweep.sqlite", std::string("SELECT * FROM ") + table);
  }
  std::set<std::string> ids;
  std::istringstream lines(query(sweep / "sweep.sqlite", "SELECT DISTINCT id FROM cell ORDER BY id"));
  for (std::string id; std::getline(lines, id);) {
    const fs::path run = sweep / "cells" / id;
    text += id + "\n" + results_of(run) +
            query(run / "results.sqlite",
                  "SELECT * FROM run WHERE name IN ('identity', 'scenario', 'seed', 'status', 'reason', 'failures', "
                  "'rounds_done', 'parameters_sha256', 'data_sha256')");
  }
  return text;
}

class SweepTest : public testing::Test {
 protected:
  SweepTest() : folder_(fs::temp_directory_path() / ("souk_sweep_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    file("base.textproto", R"(name: "tiny" rounds: 4
      task { data { glyphs { train_samples: 400 test_samples: 100 } } model { mlp { hidden: 16 } }
             training { batch_size: 16 learning_rate: 0.1 } }
      participants { clients: 6 everyone: true } checkpoint { every: 1 })");
    grid("grid.textproto", "seeds: [1, 2]");
  }
  ~SweepTest() override { fs::remove_all(folder_); }

  fs::path file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  /// Three cells for each seed, of which two come to the same run.
  void grid(const std::string& name, const std::string& more) const {
    file(name, R"(name: "tiny" base: "base.textproto"
      axis { name: "aggregator" choice { label: "mean" } choice { label: "median" set: "aggregator={ median {} }" } }
      axis { name: "attack" choice { label: "none" } choice { label: "flip" set: "attacks[0]={ sign_flip {} }" } }
      axis { name: "share" path: "attacks[0].fraction" numbers: [0.2, 0.4] }
      change { where: "attack = none" set: "attacks=" }
      where: "attack = flip || aggregator = mean" )" +
                   more);
  }
  static std::string program() { return std::getenv("SOUK_PROGRAM"); }
  RunningProgram start(std::vector<std::string> words) const {
    words.insert(words.begin(), program());
    return RunningProgram(words, folder_);
  }
  Ended souk(const std::vector<std::string>& words) const { return start(words).wait(); }
  std::string undisturbed(const std::string& file = "grid.textproto") const {
    const Ended ended = souk({"sweep", file, "--out", "undisturbed", "-q"});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const std::string results = sweep_results(folder_ / "undisturbed");
    EXPECT_THAT(results, HasSubstr("accuracy"));
    return results;
  }

  /// Directories of the runs that have anything on record.
  std::vector<fs::path> begun(const std::string& out) const {
    std::vector<fs::path> runs;
    if (!fs::exists(folder_ / out / "cells")) return runs;
    for (const auto& entry : fs::directory_iterator(folder_ / out / "cells")) {
      if (fs::exists(entry.path() / "results.sqlite")) runs.push_back(entry.path());
    }
    return runs;
  }
  void wait_for_a_round(const std::string& out) const {
    for (int i = 0; i < 12000; ++i) {
      for (const fs::path& run : begun(out)) {
        try {
          if (query(run / "results.sqlite", "SELECT count(*) > 0 FROM round") == "1\n") return;
        } catch (const std::runtime_error&) {  // has no tables yet
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL() << "no round was ever committed";
  }
  static std::string first_child(const std::string& process) {
    std::string child;
    std::ifstream("/proc/" + process + "/task/" + process + "/children") >> child;
    return child;
  }
  static std::string fact(const fs::path& run, const std::string& name) {
    const std::string line = query(run / "results.sqlite", "SELECT value FROM run WHERE name = '" + name + "'");
    return line.substr(0, line.find('\n'));
  }

  fs::path folder_;
};

TEST_F(SweepTest, runs_every_cell_once_and_again_nothing) {
  const Ended first = souk({"sweep", "run", "grid.textproto"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("sweep runs/tiny: 10 runs: 10 done, 0 diverged, 0 failed, 0 left"));
  EXPECT_EQ(query(folder_ / "runs/tiny/sweep.sqlite", "SELECT count(*), count(DISTINCT id) FROM cell"), "12|10\n");
  const Ended second = souk({"sweep", "run", "grid.textproto"});
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_THAT(second.err, HasSubstr("of these 10 done; 0 to do"));
}

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

TEST_F(SweepTest, a_failed_run_is_recorded_and_stops_no_other) {
  // Krum cannot withstand 2 of 4, and a step of this length ends in infinity.
  file("bad.textproto", R"(name: "bad" base: "base.textproto" retries: 2
    axis { name: "case" choice { label: "good" }
           choice { label: "refused" set: "participants.clients=4" set: "aggregator={ krum { f: 2 } }" }
           choice { label: "diverging" set: "server.learning_rate=1e300" }
           choice { label: "exploding" set: "task.training.learning_rate=1e30" } })");  // no update is ever finite
  const Ended ended = souk({"sweep", "run", "bad.textproto"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.out, HasSubstr("4 runs: 1 done, 2 diverged, 1 failed, 0 left"));
  EXPECT_THAT(ended.err, HasSubstr("case=refused seed=1) failed: aggregator.krum"));
  const Ended again = souk({"sweep", "run", "bad.textproto"});
  EXPECT_EQ(again.exit_code, 3);
  EXPECT_THAT(again.err, HasSubstr("0 to do"));
  EXPECT_THAT(again.err, HasSubstr("3 of 4 runs done, 1 failed"));
  EXPECT_THAT(souk({"sweep", "run", "bad.textproto", "--retry-failed"}).err, HasSubstr("1 to do"));
  const Ended plan = souk({"sweep", "plan", "bad.textproto"});
  EXPECT_THAT(plan.out, HasSubstr("1 done, 2 diverged, 1 failed; about 0 s left"));
  EXPECT_THAT(plan.out, HasSubstr("refused (1): aggregator.krum"));
}

TEST_F(SweepTest, an_unreachable_time_limit_is_recorded_after_its_retries) {
  file("slow.textproto", R"(name: "slow" base: "base.textproto" retries: 1 timeout: 0.000001
    axis { path: "rounds" numbers: 50 })");
  const Ended ended = souk({"sweep", "run", "slow.textproto"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("timed_out: took longer than 1e-06 s; trying again"));
  const std::string id = query(folder_ / "runs/slow/sweep.sqlite", "SELECT id FROM cell").substr(0, 12);
  const fs::path run = folder_ / "runs/slow/cells" / id;
  EXPECT_EQ(query(run / "results.sqlite", "SELECT value FROM run WHERE name IN ('status', 'failures') ORDER BY name"),
            "2\ntimed_out\n");
  EXPECT_EQ(query(run / "results.sqlite", "SELECT max(round) FROM round"), "2\n");  // each attempt goes on
}

TEST_F(SweepTest, a_crash_of_one_run_is_recorded_and_stops_no_other) {
  file("long.textproto", R"(name: "long" base: "base.textproto" set: "rounds=400" repeat: 2)");
  RunningProgram program = start({"sweep", "run", "long.textproto", "-q", "--out", "long"});
  wait_for_a_round("long");
  const std::string child = first_child(std::to_string(program.id()));
  ASSERT_FALSE(child.empty());
  kill(std::stoi(child), SIGSEGV);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("crashed: signal 11"));
  EXPECT_THAT(ended.err, HasSubstr("trying again"));
  EXPECT_THAT(ended.out, HasSubstr("2 done"));
}

TEST_F(SweepTest, a_run_that_is_stopped_is_ended_recorded_and_tried_again) {
  file("long.textproto", R"(name: "long" base: "base.textproto" set: "rounds=400")");
  RunningProgram program = start({"sweep", "run", "long.textproto", "-q", "--out", "long", "--stall-timeout", "2"});
  wait_for_a_round("long");
  const std::string child = first_child(std::to_string(program.id()));
  ASSERT_FALSE(child.empty());
  kill(std::stoi(child), SIGSTOP);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("crashed: the process gave no sign of life for 2 s: stopped?; trying again"));
}

TEST_F(SweepTest, a_directory_that_is_taken_away_ends_the_sweep_and_is_not_made_anew) {
  for (const char* ranks : {"1", "2"}) {
    RunningProgram program = start({"sweep", "run", "grid.textproto", "-q", "--out", "moved", "--ranks", ranks});
    wait_for_a_round("moved");
    fs::rename(folder_ / "moved", folder_ / "elsewhere");
    const Ended ended = program.wait();
    EXPECT_EQ(ended.exit_code, 3);
    EXPECT_THAT(ended.err, HasSubstr("was removed or renamed"));
    EXPECT_FALSE(fs::exists(folder_ / "moved"));
    fs::remove_all(folder_ / "elsewhere");
  }
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

/// Stands for mpirun: notes that it was started, says what ranks would, and ends as a job whose rank crashed.
void write_crashing_mpirun(const fs::path& folder, const std::string& says) {
  fs::create_directories(folder);
  std::ofstream(folder / "mpirun") << "#!/bin/sh\necho x >> " << (folder / "starts").string() << "\necho 'rank 0 '$$ > "
                                   << "$SOUK_LAUNCHER\n"
                                   << says << "\nkill -SEGV $$\n";
  fs::permissions(folder / "mpirun", fs::perms::owner_all);
}

TEST_F(SweepTest, a_crash_outside_of_any_run_is_not_repeated_for_ever) {
  const auto starts = [&](const std::string& name, const std::string& says) {
    write_crashing_mpirun(folder_ / name, says);
    const std::string command =
        "PATH=" + (folder_ / name).string() + ":$PATH " + program() + " sweep grid.textproto --ranks 2";
    const Ended ended = RunningProgram({"/bin/sh", "-c", command}, folder_).wait();
    EXPECT_EQ(ended.exit_code, 128 + SIGSEGV) << ended.err;
    std::ifstream file(folder_ / name / "starts");
    return std::count(std::istreambuf_iterator<char>(file), {}, 'x');
  };
  EXPECT_EQ(starts("before", ""), 1);  // before a run was taken: the next start would crash as this one did
  const auto with_run = starts("within", "echo 'takes abc' > $SOUK_LAUNCHER");
  EXPECT_GT(with_run, 1);  // counted against a run, the sweep can go on
  EXPECT_LT(with_run, 20);
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

TEST_F(SweepTest, a_crash_in_a_larger_group_is_counted_and_the_job_started_again) {
  file("one.textproto", R"(name: "one" base: "base.textproto" set: "rounds=400" retries: 1)");
  RunningProgram program =
      start({"sweep", "run", "one.textproto", "-q", "--ranks", "2", "--ranks-per-run", "2", "--out", "one"});
  wait_for_a_round("one");  // not before both ranks keep their last words: once a round is on record, they do
  const std::string rank = first_child(first_child(std::to_string(program.id())));
  ASSERT_FALSE(rank.empty());
  kill(std::stoi(rank), SIGSEGV);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  const std::string id = query(folder_ / "one/sweep.sqlite", "SELECT id FROM cell").substr(0, 12);
  EXPECT_EQ(query(folder_ / "one/cells" / id / "results.sqlite",
                  "SELECT value FROM run WHERE name IN ('failures', 'rounds_done', 'status') ORDER BY name"),
            "1\n400\ndone\n");
}

TEST_F(SweepTest, a_rank_of_a_larger_group_that_is_killed_without_a_word_is_counted_by_the_next_job) {
  const std::vector<std::string> words{
      "sweep",   "run", "grid.textproto",  "-q", "--filter", "seed = 1 && attack = none",
      "--ranks", "2",   "--ranks-per-run", "2"};
  ASSERT_EQ(souk(words).exit_code, 0);
  const fs::path run = begun("runs/tiny").at(0);
  EXPECT_FALSE(fs::exists(run / "attempt"));
  // As a killed job leaves it: round 1 is committed and its checkpoint is not, and nobody is there to say so.
  execute(run / "results.sqlite",
          "DELETE FROM round WHERE round > 1; UPDATE run SET value = 'running' WHERE name = 'status'");
  std::ofstream(run / "attempt") << 1;
  fs::remove_all(run / "checkpoint");
  const Ended ended = souk(words);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(fact(run, "status"), "done");
  EXPECT_EQ(fact(run, "failures"), "1");
  EXPECT_FALSE(fs::exists(run / "attempt"));
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

TEST_F(SweepTest, a_damaged_run_stops_no_other_and_can_be_begun_anew) {
  const std::string wanted = undisturbed();
  const std::vector<fs::path> runs = begun("undisturbed");
  std::ofstream(runs[0] / "results.sqlite") << std::string(5000, '?');
  fs::remove(runs[1] / "results.sqlite");  // its checkpoints stay
  const Ended ended = souk({"sweep", "run", "grid.textproto", "--out", "undisturbed"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.out, HasSubstr("10 runs: 8 done, 0 diverged, 2 failed, 0 left"));
  EXPECT_THAT(ended.err, HasSubstr("holds checkpoints of a run whose results.sqlite is gone"));
  const Ended status = souk({"sweep", "status", "grid.textproto", "--out", "undisturbed"});
  EXPECT_THAT(status.out, HasSubstr("1 damaged"));
  EXPECT_THAT(status.out, HasSubstr("not a database"));
  fs::remove_all(runs[1] / "checkpoint");
  EXPECT_EQ(souk({"sweep", "run", "grid.textproto", "--out", "undisturbed", "--retry-failed"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(runs[0].string() + ".damaged-1"));
  EXPECT_THAT(souk({"sweep", "status", "grid.textproto", "--out", "undisturbed"}).out, HasSubstr("10 done"));
}

TEST_F(SweepTest, a_full_disk_stops_the_sweep_and_nothing_is_lost) {
  const std::string wanted = undisturbed();
  // A limit on the size of files stands for the disk: it allows the list of cells, and not what runs write.
  Ended ended = RunningProgram({"/bin/sh", "-c", "ulimit -f 100; exec \"$0\" \"$@\"", program(), "sweep", "run",
                                "grid.textproto", "--out", "full"},
                               folder_)
                    .wait();
  EXPECT_EQ(ended.exit_code, 3) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("nothing that was done is lost"));
  ended = souk({"sweep", "run", "grid.textproto", "-q", "--out", "full"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(sweep_results(folder_ / "full"), wanted);
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
}  // namespace souk
