// What surrounds a run: how ranks are started and end, signals, files that are taken away, numbers of the command line.
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/app/app_fixture.hpp"

namespace souk::launch_test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Launch : public App {
 protected:
  /// A command line through the shell, for what a shell does: redirections, loops, ignored signals.
  Ended shell(const std::string& script) const {
    return RunningProgram({"/bin/sh", "-c", "souk=" + std::string(std::getenv("SOUK_PROGRAM")) + "; " + script},
                          directory_)
        .wait();
  }
  std::string fact(const std::string& run_name, const std::string& name) const {
    return query(directory_ / run_name / "results.sqlite", "SELECT value FROM run WHERE name = '" + name + "'");
  }
  /// A run that goes on until it is ended.
  RunningProgram start_endless(const std::string& out, int ranks, std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"run",
                                   "small.textproto",
                                   "-q",
                                   "--out",
                                   out,
                                   "--set",
                                   "rounds=100000",
                                   "--set",
                                   "evaluation.every=100",
                                   "--set",
                                   "evaluation.target_accuracy=0",
                                   "--set",
                                   "checkpoint.every=2"};
    if (ranks > 0) words.insert(words.end(), {"--ranks", std::to_string(ranks)});
    words.insert(words.end(), more.begin(), more.end());
    return start(words);
  }
  /// The process that is this rank of the run that writes to `out`; 0 if there is none.
  static pid_t process_of_rank(const std::string& out, int rank) {
    const std::string wanted = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto text_of = [&](const char* name) {
        std::ifstream file(entry.path() / name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
      };
      const std::string words = text_of("cmdline");
      if (words.find(std::string("--out") + '\0' + out + '\0') == std::string::npos) continue;
      if (text_of("environ").find(wanted + '\0') != std::string::npos) return std::stoi(entry.path().filename());
    }
    return 0;
  }
};

TEST_F(Launch, ranks_leave_the_rest_of_a_loops_list_alone) {
  const Ended ended = shell(
      "printf '1\\n2\\n3\\n' | while read s; do $souk run small.textproto -q --ranks 2 --set rounds=1 --seed $s --out "
      "s$s; "
      "done");
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  for (const char* seed : {"1", "2", "3"}) EXPECT_EQ(fact(std::string("s") + seed, "seed"), std::string(seed) + "\n");
}

TEST_F(Launch, a_scenario_from_standard_input_reaches_the_ranks) {
  const Ended ended = shell("$souk run /dev/stdin -q --ranks 2 --out piped --set rounds=1 < small.textproto");
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  const Ended plain = run_small("plain", 0, {"--set", "rounds=1"});
  EXPECT_EQ(hash_of(ended), hash_of(plain));
}

TEST_F(Launch, closed_standard_files_change_nothing) {
  for (int i = 0; i < 4; ++i) {
    const std::string out = "closed" + std::to_string(i);
    EXPECT_EQ(shell("$souk run small.textproto -q --ranks 2 --set rounds=1 --out " + out + " <&- >&- 2>&-").exit_code,
              0);
    EXPECT_EQ(fact(out, "status"), "done\n");
  }
}

TEST_F(Launch, a_parent_that_ignores_the_end_of_children_hides_no_failure) {
  EXPECT_EQ(
      shell("exec env --ignore-signal=CHLD $souk run small.textproto -q --ranks 2 --out bad --set rounds=0").exit_code,
      2);
}

TEST_F(Launch, a_rank_that_is_killed_is_named_in_the_results) {
  RunningProgram running = start_endless("killed", 2);
  wait_for_round("killed", 3);
  ASSERT_GT(process_of_rank("killed", 1), 0);
  kill(process_of_rank("killed", 1), SIGKILL);
  const Ended ended = running.wait();
  EXPECT_EQ(ended.exit_code, 128 + SIGKILL);
  EXPECT_THAT(ended.err, HasSubstr("rank 1 was ended by signal 9"));
  EXPECT_EQ(fact("killed", "status"), "crashed\n");
  EXPECT_THAT(fact("killed", "reason"), HasSubstr("rank 1 was ended by signal 9"));
  wait_until_unlocked("killed");
  EXPECT_EQ(run_small("killed", 2, {"--resume", "--set", "rounds=100000"}).exit_code, 2);  // of another scenario
}

TEST_F(Launch, a_rank_that_is_stopped_ends_the_run_within_the_stall_time) {
  RunningProgram running = start_endless("stopped", 3, {"--stall-timeout", "3"});
  wait_for_round("stopped", 3);
  ASSERT_GT(process_of_rank("stopped", 1), 0);
  kill(process_of_rank("stopped", 1), SIGSTOP);
  ASSERT_TRUE(running.ended_within(std::chrono::seconds(30)));
  const Ended ended = running.wait();
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("rank 1 has given no sign of life for 3 s"));
  EXPECT_EQ(fact("stopped", "status"), "failed\n");
}

TEST_F(Launch, a_hang_up_and_the_end_of_processor_time_are_requests_to_stop) {
  for (const auto& [signal, ranks] : {std::pair{SIGHUP, 0}, {SIGHUP, 2}, {SIGXCPU, 0}}) {
    const std::string out = "signal" + std::to_string(signal) + "on" + std::to_string(ranks);
    RunningProgram running = start_endless(out, ranks);
    wait_for_round(out, 3);
    running.send(signal);
    EXPECT_EQ(running.wait().exit_code, 143) << out;
    EXPECT_EQ(fact(out, "status"), "interrupted\n") << out;
    EXPECT_FALSE(fs::is_empty(directory_ / out / "checkpoint")) << out;
  }
}

TEST_F(Launch, under_nohup_a_hang_up_changes_nothing) {
  const Ended ended =
      shell("trap '' HUP; $souk run small.textproto -q --out kept --set rounds=30 & sleep 0.3; kill -HUP $!; wait $!");
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(fact("kept", "status"), "done\n");
}

TEST_F(Launch, a_directory_without_room_for_mpirun_is_said_before_it_hangs) {
  const Ended missing = shell("TMPDIR=$PWD/nowhere $souk run small.textproto -q --ranks 2 --out none");
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("mpirun needs"), HasSubstr("nowhere")));
  const fs::path full = directory_ / "full";
  fs::create_directory(full);
  if (mount("none", full.c_str(), "tmpfs", 0, "size=2m") != 0) GTEST_SKIP() << "may not mount a small file system";
  const Ended ended = shell("TMPDIR=$PWD/full timeout 60 $souk run small.textproto -q --ranks 2 --out none");
  umount(full.c_str());
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("mpirun needs"), HasSubstr("No space left")));
}

/// Of ours: mpirun of Open MPI 5 adds a paragraph of its own, which no option keeps it from.
std::size_t sentences(const std::string& err) {
  std::size_t count = 0;
  for (std::size_t at = err.find("souk: "); at != std::string::npos; at = err.find("souk: ", at + 1)) {
    if (at == 0 || err[at - 1] == '\n') ++count;
  }
  return count;
}

TEST_F(Launch, a_directory_taken_away_ends_the_run_with_one_sentence) {
  for (const int ranks : {0, 2}) {
    const std::string gone = "gone" + std::to_string(ranks), moved = "moved" + std::to_string(ranks);
    RunningProgram removed = start_endless(gone, ranks);
    wait_for_round(gone, 3);
    fs::rename(directory_ / gone, directory_ / (gone + "_away"));
    fs::remove_all(directory_ / (gone + "_away"));
    const Ended ended = removed.wait();
    EXPECT_EQ(ended.exit_code, 3) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(gone + ": was removed or renamed"));
    EXPECT_EQ(sentences(ended.err), 1U) << ended.err;
    EXPECT_FALSE(fs::exists(directory_ / gone));

    RunningProgram renamed = start_endless(moved, ranks);
    wait_for_round(moved, 3);
    fs::rename(directory_ / moved, directory_ / (moved + "_away"));
    EXPECT_EQ(renamed.wait().exit_code, 3);
    EXPECT_EQ(fact(moved + "_away", "status"), "failed\n");
    EXPECT_FALSE(fs::exists(directory_ / moved));
  }
}

std::string table_of(int rows, int first_label) {
  std::string text = "a,b,y\n";
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i % 17) + "," + std::to_string(i % 5) + "," + std::to_string(i == 0 ? first_label : i % 2) +
            "\n";
  }
  return text;
}

TEST_F(Launch, a_run_goes_on_with_the_data_it_began_with_or_not_at_all) {
  const std::string data = "task.data={ csv { train: \"table.csv\" label: \"y\" } }";
  const std::vector<std::string> on_table{"--set", data, "--set", "attacks="};
  write("table.csv", table_of(300, 0));
  ASSERT_EQ(run_small("table", 0, on_table).exit_code, 0);
  const std::string before = fact("table", "data_sha256"), results_before = results("table");
  std::vector<std::string> resumed = on_table;
  resumed.emplace_back("--resume");
  EXPECT_EQ(run_small("table", 0, resumed).exit_code, 0);  // the same data: nothing to do
  write("table.csv", table_of(300, 1));
  const Ended other = run_small("table", 0, resumed);
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err,
              AllOf(HasSubstr("another one than this run began with"), HasSubstr(before.substr(0, before.size() - 1))));
  EXPECT_EQ(fact("table", "data_sha256"), before);
  EXPECT_EQ(results("table"), results_before);
}

TEST_F(Launch, rounds_are_not_computed_anew_where_their_checkpoints_are_lost) {
  ASSERT_EQ(run_small("lost", 0).exit_code, 0);
  const std::string before = results("lost");
  for (const auto& entry : fs::directory_iterator(directory_ / "lost/checkpoint")) fs::remove(entry);
  const Ended ended = run_small("lost", 0, {"--resume"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("none of their checkpoints is left"));
  EXPECT_EQ(results("lost"), before);
}

TEST_F(Launch, going_on_with_another_program_is_warned_of_and_recorded) {
  const std::vector<std::string> stopped_early{"--inject-fault", "rank=0,round=5,phase=train"};
  ASSERT_EQ(run_small("other", 0, stopped_early).exit_code, 3);
  execute(directory_ / "other/results.sqlite", "UPDATE run SET value = 'another BLAS' WHERE name = 'blas'");
  const Ended ended = run({"run", "small.textproto", "--out", "other", "--resume"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.err, HasSubstr("blas: another BLAS before"));
  EXPECT_THAT(fact("other", "continued_elsewhere"), HasSubstr("another BLAS"));
}

TEST_F(Launch, numbers_of_the_command_line_are_decimal_and_in_range) {
  const std::vector<std::vector<std::string>> wrong{{"--seed", "010"},
                                                    {"--seed", "-1"},
                                                    {"--seed", "18446744073709551616"},
                                                    {"--seed", "1e3"},
                                                    {"--ranks", "010"},
                                                    {"--ranks", "0x2"},
                                                    {"--stall-timeout", "010"},
                                                    {"--set", "rounds=010"},
                                                    {"--set", "rounds=0x10"},
                                                    {"--set", "task.training.learning_rate=0,1"},
                                                    {"--set", "attacks[0]={ count: 010 sign_flip {} }"}};
  for (const auto& words : wrong) {
    const Ended ended = run_small("none", 0, words);
    EXPECT_EQ(ended.exit_code, 2) << words.back();
    EXPECT_THAT(ended.err, HasSubstr(words.back().substr(words.back().rfind('=') + 1).substr(0, 3))) << ended.err;
    EXPECT_FALSE(fs::exists(directory_ / "none")) << words.back();
  }
  EXPECT_EQ(run_small("largest", 0, {"--seed", "18446744073709551615", "--set", "rounds=1"}).exit_code, 0);
  EXPECT_EQ(fact("largest", "seed"), "18446744073709551615\n");
  write("octal.textproto", std::string(small_scenario) + "seed: 010\n");
  const Ended file = run({"run", "octal.textproto", "--out", "none"});
  EXPECT_EQ(file.exit_code, 2);
  EXPECT_THAT(file.err, AllOf(HasSubstr("octal.textproto:17:7"), HasSubstr("not a decimal number")));
}

TEST_F(Launch, errors_name_the_override_that_caused_them) {
  const Ended inside = run_small("none", 0, {"--set", "aggregator={ krum { f: 99 } }"});
  EXPECT_THAT(inside.err, HasSubstr("souk: --set aggregator.krum.f = 99"));
  const Ended dotted = run_small("none", 0, {"--set", "attacks.0.fraction=7"});
  EXPECT_THAT(dotted.err, HasSubstr("souk: --set attacks[0].fraction = 7"));
  const Ended two = run_small("none", 0, {"--set", "rounds=5 seed: 7"});
  EXPECT_THAT(two.err, HasSubstr("sets seed as well"));
  const Ended rule = run_small("none", 0, {"--set", "aggregator=fltrust"});
  EXPECT_THAT(rule.err, HasSubstr("Did you mean aggregator.fltrust={}?"));
  const Ended path = run_small("none", 0, {"--set", "optimizer=adam"});
  EXPECT_THAT(path.err, HasSubstr("task.training.optimizer"));
}

TEST_F(Launch, a_federation_without_benign_clients_is_said_to_be_one) {
  const std::vector<std::string> all{"--set", "attacks=", "--set", "attacks[0]={ fraction: 1 sign_flip {} }",
                                     "--set", "rounds=1"};
  ASSERT_EQ(run_small("all", 0, all).exit_code, 0);
  EXPECT_EQ(query(directory_ / "all/results.sqlite", "SELECT count(*) FROM event WHERE kind = 'no benign client'"),
            "1\n");
  ASSERT_EQ(run_small("some", 0, {"--set", "rounds=1"}).exit_code, 0);
  EXPECT_EQ(query(directory_ / "some/results.sqlite", "SELECT count(*) FROM event WHERE kind = 'no benign client'"),
            "0\n");
}

TEST_F(Launch, a_directory_with_other_files_is_used_with_a_warning) {
  fs::create_directories(directory_ / "mixed");
  write("mixed/note.txt", "mine");
  const Ended ended = run({"run", "small.textproto", "--out", "mixed", "--set", "rounds=1"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.err, HasSubstr("mixed: holds other files"));
  EXPECT_TRUE(fs::exists(directory_ / "mixed/note.txt"));
}

TEST_F(Launch, an_empty_grid_name_is_bad_input) { EXPECT_EQ(run({"sweep", ""}).exit_code, 2); }

TEST_F(Launch, output_that_goes_nowhere_is_no_success) {
  EXPECT_EQ(shell("$souk list aggregators > /dev/full").exit_code, 3);
  EXPECT_EQ(shell("$souk reference | head -n 1").exit_code, 0);
}

/// What a path leads to stays what it is, and gets the bytes.
TEST_F(Launch, outputs_go_into_devices_pipes_and_through_links) {
  ASSERT_EQ(run_small("shown", 0, {"--set", "rounds=1"}).exit_code, 0);
  ASSERT_EQ(run({"report", "shown", "-o", "page.html"}).exit_code, 0);
  const auto size = fs::file_size(directory_ / "page.html");
  ASSERT_EQ(mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  const Ended piped = shell("wc -c < pipe & $souk report shown -o pipe; wait");
  EXPECT_THAT(piped.out, HasSubstr(std::to_string(size)));
  EXPECT_TRUE(fs::is_fifo(directory_ / "pipe"));
  const Ended output = shell("$souk report shown -o /dev/stdout | wc -c");
  EXPECT_EQ(std::stoul(output.out), size);
  EXPECT_EQ(shell("$souk report shown -o /dev/null").exit_code, 0);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  fs::create_symlink("target.html", directory_ / "link.html");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(run({"report", "shown", "-o", "link.html"}).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(directory_ / "link.html"));
  EXPECT_EQ(fs::file_size(directory_ / "target.html"), size);
  write("note.txt", "mine");
  for (const char* path : {"note.txt", "shown", "nowhere/page.html"}) {
    EXPECT_EQ(run({"report", "shown", "-o", path}).exit_code, 2) << path;
  }
  EXPECT_EQ(fs::file_size(directory_ / "note.txt"), 4);
  EXPECT_FALSE(fs::exists(directory_ / "shown.tmp"));
}

}  // namespace
}  // namespace souk::launch_test
