// Runs that fail, crash, stop or cannot be read, and what becomes of their sweep.
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>

#include "tests/app/sweep_fixture.hpp"

namespace souk::sweep_failures_test {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace souk::sweep_failures_test
