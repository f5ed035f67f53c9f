// The program as a user runs it: arguments, exit codes, ranks, kill and resume. SOUK_PROGRAM is the binary.
#include "tests/app/app_fixture.hpp"

namespace souk::app_test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(App, one_two_three_and_four_ranks_give_the_same_results_bit_for_bit) {
  const Ended one = run_small("r1", 0);
  ASSERT_EQ(one.exit_code, 0) << one.err;
  EXPECT_THAT(one.out, testing::MatchesRegex("run r1\nparameters sha256 [0-9a-f]+\n"));
  EXPECT_EQ(one.err, "");
  for (const int ranks : {1, 2, 3, 4}) {
    const std::string out = "ranks" + std::to_string(ranks);
    const Ended many = run_small(out, ranks);
    EXPECT_EQ(many.exit_code, 0) << many.err;
    EXPECT_EQ(hash_of(many), hash_of(one)) << ranks;
    EXPECT_EQ(results(out), results("r1")) << ranks;
  }
}

TEST_F(App, a_run_killed_at_any_moment_and_resumed_ends_as_one_that_was_not) {
  const std::vector<std::string> longer{"--set", "rounds=30", "--set", "checkpoint.every=7"};
  const Ended whole = run_small("whole", 2, longer);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  struct Moment {
    const char* fault;
    const char* rounds_left;  ///< committed when the process dies
  };
  // Before the first checkpoint; just before a round is committed; between that and its checkpoint; on the other rank.
  for (const Moment& moment : {Moment{"rank=0,round=3,phase=train", "2\n"},
                               {"rank=0,round=12,phase=record", "11\n"},
                               {"rank=0,round=21,phase=checkpoint", "21\n"},
                               {"rank=1,round=25,phase=apply", "24\n"}}) {
    std::vector<std::string> more = longer;
    more.insert(more.end(), {"--resume", "--inject-fault", std::string(moment.fault) + ",kind=kill"});
    const Ended killed = run_small("cut", 2, more);
    EXPECT_EQ(killed.exit_code, 128 + SIGKILL) << killed.err;
    EXPECT_THAT(killed.err, HasSubstr("--resume continues"));
    wait_until_unlocked("cut");
    EXPECT_EQ(query(directory_ / "cut/results.sqlite", "SELECT max(round) FROM round"), moment.rounds_left);
  }
  std::vector<std::string> more = longer;
  more.emplace_back("--resume");
  const Ended resumed = run_small("cut", 3, more);  // on another number of ranks
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(hash_of(resumed), hash_of(whole));
  EXPECT_EQ(results("cut"), results("whole"));
}

/// Rules that remember: what they know travels through the checkpoint, on to another number of ranks.
TEST_F(App, rules_with_a_memory_go_on_after_a_kill_as_if_nothing_had_happened) {
  for (const std::string rule :
       {"foolsgold={}", "centered_clipping={}", "afa={}", "auror={}", "fldetector.start_round=4", "martfl={}",
        "clipped_clustering={}", "signguard.similarity=COSINE", "zeno_pp.refresh=3"}) {
    const std::string name = rule.substr(0, rule.find_first_of(".="));
    const std::vector<std::string> settings{"--set", "aggregator." + rule,
                                            "--set", "participants.everyone=true",
                                            "--set", "participants.availability.dropout=0"};
    const Ended whole = run_small(name, 0, settings);
    EXPECT_EQ(whole.exit_code, 0) << whole.err;
    std::vector<std::string> killed = settings;
    killed.insert(killed.end(), {"--inject-fault", "rank=0,round=5,phase=train,kind=kill"});
    EXPECT_NE(run_small(name + "_killed", 0, killed).exit_code, 0);
    std::vector<std::string> resumed = settings;
    resumed.push_back("--resume");
    EXPECT_EQ(hash_of(run_small(name + "_killed", 2, resumed)), hash_of(whole)) << rule;
    EXPECT_EQ(results(name + "_killed"), results(name)) << rule;
  }
}

constexpr const char* market = R"(
root { samples: 40 }
aggregator { martfl {} }
market {
  deposit_penalty { buyer_deposit: 2 seller_deposit: 0.5 }
  round_budget: 5
  budget: 60
  payment_noise: 0.1
  costs { per_round: 0.2 sigma: 0.5 }
  cgsv {}
  sellers { rational {} adaptive_ask {} capital: 3 }
  misconduct { underpay {} from_round: 3 }
  audit { probability: 0.7 }
  rivals { name: "b" aggregator { fltrust {} } root { samples: 30 } round_budget: 3 }
  sale: EXCLUSIVE
}
)";

TEST_F(App, a_market_killed_at_any_moment_and_resumed_pays_nobody_twice) {
  write("small.textproto", small_scenario + std::string(market));
  const std::vector<std::string> longer{
      "--set", "rounds=16", "--set", "checkpoint.every=3", "--set", "server.sgd.momentum=0"};
  const Ended whole = run_small("whole", 2, longer);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_THAT(whole.out, HasSubstr("\nbuyer.b: accuracy "));
  for (const char* fault : {"rank=0,round=3,phase=settle", "rank=1,round=5,phase=value", "rank=0,round=8,phase=record",
                            "rank=0,round=12,phase=checkpoint", "rank=1,round=14,phase=apply"}) {
    std::vector<std::string> more = longer;
    more.insert(more.end(), {"--resume", "--inject-fault", std::string(fault) + ",kind=kill"});
    EXPECT_EQ(run_small("cut", 2, more).exit_code, 128 + SIGKILL) << fault;
    wait_until_unlocked("cut");
  }
  std::vector<std::string> more = longer;
  more.emplace_back("--resume");
  EXPECT_EQ(hash_of(run_small("cut", 3, more)), hash_of(whole));
  EXPECT_EQ(results("cut"), results("whole"));
  const fs::path database = directory_ / "cut" / "results.sqlite";
  EXPECT_EQ(query(database,
                  "SELECT count(*) FROM (SELECT account, sum(amount) AS balance FROM "
                  "(SELECT payee AS account, micro_credits AS amount FROM ledger UNION ALL "
                  "SELECT payer, -micro_credits FROM ledger WHERE payer <> payee) GROUP BY account) "
                  "WHERE balance < 0 OR (account = -1 AND balance <> 0)"),
            "0\n");
  EXPECT_NE(query(database, "SELECT count(*) FROM ledger WHERE kind = 'penalty'"), "0\n");
}

TEST_F(App, federated_sgd_runs) {
  const Ended ended = run_small("sgd", 0, {"--set", "task.training.algorithm=FED_SGD"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
}

TEST_F(App, output_that_cannot_be_written_is_bad_input) {
  write("file", "");
  const Ended ended = run_small("file/below", 0);
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("cannot create file/below"));
  EXPECT_EQ(run({"run", "small.textproto", "--set", "name=../../x"}).exit_code, 2);
}

TEST_F(App, termination_finishes_the_round_writes_a_checkpoint_and_can_be_continued) {
  const std::vector<std::string> longer{"--set", "rounds=400", "--set", "checkpoint.every=0"};
  std::vector<std::string> words{"run", "small.textproto", "-q", "--out", "stopped"};
  words.insert(words.end(), longer.begin(), longer.end());
  RunningProgram running = start(words);
  wait_for_round("stopped", 3);
  running.send(SIGTERM);
  const Ended ended = running.wait();
  EXPECT_EQ(ended.exit_code, 143);
  EXPECT_EQ(query(directory_ / "stopped/results.sqlite", "SELECT value FROM run WHERE name='status'"), "interrupted\n");
  EXPECT_TRUE(fs::exists(directory_ / "stopped/checkpoint"));
  const Ended other = run_small("stopped", 0, {"--resume", "--set", "rounds=401"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, AllOf(HasSubstr("rounds is 400"), HasSubstr("401")));
  std::vector<std::string> more = longer;
  const Ended whole = run_small("whole", 0, more);
  more.emplace_back("--resume");
  EXPECT_EQ(hash_of(run_small("stopped", 0, more)), hash_of(whole));
  EXPECT_EQ(results("stopped"), results("whole"));
}

TEST_F(App, interrupting_several_ranks_does_the_same) {
  RunningProgram running = start({"run", "small.textproto", "-q", "--out", "stopped", "--ranks", "2", "--set",
                                  "rounds=100000", "--set", "checkpoint.every=0", "--set", "evaluation.every=100"});
  wait_for_round("stopped", 3);
  running.send(SIGINT);
  EXPECT_EQ(running.wait().exit_code, 130);
  EXPECT_EQ(query(directory_ / "stopped/results.sqlite", "SELECT value FROM run WHERE name='status'"), "interrupted\n");
  EXPECT_FALSE(fs::is_empty(directory_ / "stopped/checkpoint"));
}

TEST_F(App, a_fault_in_any_phase_on_any_rank_ends_all_ranks_with_one_message) {
  for (const char* phase : {"announce", "train", "collect", "aggregate", "apply", "measure", "evaluate", "gather test",
                            "record", "checkpoint"}) {
    for (const int rank : {0, 2}) {
      const std::string out = std::string(phase) + std::to_string(rank);
      const Ended ended =
          run_small(out, 3, {"--inject-fault", "rank=" + std::to_string(rank) + ",round=2,phase=" + phase});
      EXPECT_EQ(ended.exit_code, 3) << out;
      const std::string message = "injected fault on rank " + std::to_string(rank) + " in round 2";
      const auto first = ended.err.find(message);
      ASSERT_NE(first, std::string::npos) << ended.err;
      EXPECT_EQ(ended.err.find(message, first + 1), std::string::npos) << ended.err;
      // Rank 0 records: a fault beside it, or after it, finds the round in the database, and resuming replaces it.
      const std::string where = phase;
      const bool recorded = where == "checkpoint" || (where == "record" && rank != 0);
      const std::string committed = recorded ? "2\n" : "1\n";
      EXPECT_EQ(query(directory_ / out / "results.sqlite", "SELECT max(round) FROM round"), committed);
      EXPECT_EQ(query(directory_ / out / "results.sqlite", "SELECT value FROM run WHERE name='status'"), "failed\n");
    }
  }
}

TEST_F(App, a_rank_that_hangs_is_named_by_the_watchdog) {
  const Ended ended =
      run_small("hung", 2, {"--stall-timeout", "2", "--inject-fault", "rank=1,round=2,phase=train,kind=hang"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("rank 1 is stuck in phase 'train' of round 2"));
}

TEST_F(App, a_rank_that_waits_long_for_another_at_work_is_not_stuck) {
  const Ended ended = run_small("uneven", 2,
                                {"--stall-timeout", "0.4", "--set", "participants.per_round=1", "--set", "rounds=1",
                                 "--set", "task.training.local_epochs=4000"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
}

TEST_F(App, checkpoints_whose_results_are_gone_are_neither_continued_nor_touched) {
  ASSERT_EQ(run_small("lost", 0).exit_code, 0);
  fs::remove(directory_ / "lost/results.sqlite");
  for (const auto& more : {std::vector<std::string>{"--resume"}, std::vector<std::string>{}}) {
    const Ended ended = run_small("lost", 0, more);
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("results.sqlite is gone"));
  }
  EXPECT_TRUE(fs::exists(directory_ / "lost/checkpoint/round-0000006.souk"));
  EXPECT_FALSE(fs::exists(directory_ / "lost/results.sqlite"));
}

TEST_F(App, bad_input_is_exit_code_2_one_message_and_nothing_written) {
  write("bad.textproto", "rounds: 0\naggregator { trimed_mean {} }\nparticipants { cliens: 3 }\n");
  for (const int ranks : {0, 2}) {
    std::vector<std::string> words{"run", "bad.textproto", "--out", "none"};
    if (ranks > 0) words.insert(words.end(), {"--ranks", std::to_string(ranks)});
    const Ended ended = run(words);
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("bad.textproto:2:14"), HasSubstr("bad.textproto:3:16"),
                                 HasSubstr("Did you mean 'clients'?")));
    EXPECT_EQ(ended.err.find("bad.textproto:2"), ended.err.rfind("bad.textproto:2")) << ended.err;
    EXPECT_FALSE(fs::exists(directory_ / "none"));
  }
  const Ended range = run_small("none", 2, {"--set", "partition.dirichlet.alpha=-1"});
  EXPECT_EQ(range.exit_code, 2);
  EXPECT_THAT(range.err, HasSubstr("partition.dirichlet.alpha = -1 is outside [1e-06, 1000000]"));
  const Ended many = run_small("none", 0, {"--set", "participants.per_round=21"});
  EXPECT_EQ(many.exit_code, 2);
  EXPECT_THAT(many.err, HasSubstr("--set participants.per_round = 21: there are 20 clients"));
  EXPECT_EQ(run({"run", "no_such_file.textproto"}).exit_code, 2);
  EXPECT_EQ(run({"fly"}).exit_code, 2);
  EXPECT_FALSE(fs::exists(directory_ / "none"));
}

TEST_F(App, a_finished_run_is_not_overwritten_and_resuming_it_changes_nothing) {
  const Ended first = run_small("kept", 0);
  const std::string before = results("kept");
  const Ended again = run_small("kept", 0);
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.err, HasSubstr("--resume"));
  const Ended resumed = run_small("kept", 0, {"--resume"});
  EXPECT_EQ(resumed.exit_code, 0);
  EXPECT_EQ(hash_of(resumed), hash_of(first));
  EXPECT_EQ(results("kept"), before);
}

TEST_F(App, default_directories_are_numbered) {
  for (const char* expected : {"", "-2", "-3"}) {
    const Ended ended = run({"run", "small.textproto", "-q", "--set", "rounds=1"});
    const std::string path = ended.out.substr(4, ended.out.find('\n') - 4);
    EXPECT_THAT(path, testing::MatchesRegex("runs/small-[0-9a-f]+" + std::string(expected)));
  }
}

TEST_F(App, a_damaged_checkpoint_is_skipped_for_an_older_one) {
  const Ended whole = run_small("whole", 0);
  ASSERT_EQ(run_small("hurt", 0).exit_code, 0);
  std::ofstream(directory_ / "hurt/checkpoint/round-0000006.souk", std::ios::app) << "x";
  const Ended resumed = run_small("hurt", 0, {"--resume"});
  EXPECT_EQ(hash_of(resumed), hash_of(whole)) << resumed.err;
  EXPECT_EQ(results("hurt"), results("whole"));
}

TEST_F(App, an_attack_leaves_partition_sampling_and_benign_updates_alone) {
  ASSERT_EQ(run_small("attacked", 0, {"--set", "rounds=1"}).exit_code, 0);
  write("small.textproto", [] {
    std::string text = small_scenario;
    for (auto at = text.find("attacks"); at != std::string::npos; at = text.find("attacks")) {
      text.erase(at, text.find('\n', at) - at);
    }
    return text;
  }());
  ASSERT_EQ(run_small("clean", 0, {"--set", "rounds=1"}).exit_code, 0);
  const auto both = [&](const std::string& sql) {
    EXPECT_EQ(query(directory_ / "attacked/results.sqlite", sql), query(directory_ / "clean/results.sqlite", sql));
  };
  both("SELECT * FROM partition");
  both("SELECT round, agent, outcome, arrival_seconds FROM selection");
  const std::string benign =
      query(directory_ / "attacked/results.sqlite", "SELECT agent FROM agent WHERE attacker_group = -1 ORDER BY agent");
  std::stringstream lines(benign);
  for (std::string agent; std::getline(lines, agent);) {
    both("SELECT * FROM metric WHERE name = 'local_loss' AND agent = " + agent);
  }
}

TEST_F(App, tensorboard_files_follow_the_run) {
  ASSERT_EQ(run_small("board", 0, {"--set", "output.tensorboard=true"}).exit_code, 0);
  bool found = false;
  for (const auto& entry : fs::directory_iterator(directory_ / "board/tensorboard")) {
    found = entry.path().filename().string().rfind("events.out.tfevents", 0) == 0 && entry.file_size() > 500;
  }
  EXPECT_TRUE(found);
}

TEST_F(App, check_list_describe_template_and_citations_answer) {
  const Ended check = run({"check", "small.textproto"});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  EXPECT_THAT(check.out, AllOf(HasSubstr("parameters"), HasSubstr("peak memory per rank")));
  const Ended resolved = run({"check", "--print", "small.textproto"});
  EXPECT_THAT(resolved.out, HasSubstr("alpha: 0.5"));
  write("resolved.textproto", resolved.out);
  EXPECT_EQ(run({"check", "--print", "resolved.textproto"}).out, resolved.out);  // resolving is idempotent
  const Ended huge = run({"check", "small.textproto", "--set", "task.data.glyphs.train_samples=100000000"});
  EXPECT_EQ(huge.exit_code, 2);
  EXPECT_THAT(huge.err, HasSubstr("this node has"));
  EXPECT_THAT(run({"list", "aggregators"}).out, AllOf(HasSubstr("median"), Not(HasSubstr("dirichlet"))));
  EXPECT_THAT(run({"describe", "median"}).out, HasSubstr("@inproceedings{yin2018byzantine"));
  EXPECT_THAT(run({"describe", "medain"}).err, HasSubstr("Did you mean 'median'?"));
  EXPECT_THAT(run({"run", "--citations", "small.textproto"}).out, HasSubstr("mcmahan2017"));
  for (const std::vector<std::string>& words : {std::vector<std::string>{"template"}, {"template", "--all"}}) {
    write("template.textproto", run(words).out);
    const Ended from_template = run({"check", "--print", "template.textproto"});
    EXPECT_EQ(from_template.exit_code, 0) << from_template.err;
  }

  EXPECT_THAT(run({"--version"}).out, AllOf(HasSubstr("commit"), HasSubstr("LibTorch"), HasSubstr("MPI")));
}

TEST_F(App, the_small_template_runs_as_it_is) {
  const std::string text = run({"template"}).out;
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 40);
  write("mine.textproto", text);
  const Ended ended = run({"run", "mine.textproto", "-q", "--out", "mine", "--set", "rounds=2"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
}

TEST_F(App, what_is_typed_wrongly_gets_a_useful_hint) {
  EXPECT_THAT(run({"runn", "small.textproto"}).err, HasSubstr("Did you mean 'run'?"));
  EXPECT_THAT(run({"run", "small.textproto", "--lr", "0.1"}).err,
              AllOf(HasSubstr("no option '--lr'"), HasSubstr("--set PATH=VALUE")));
  EXPECT_THAT(run({"run", "small.textproto", "--rank", "2"}).err, HasSubstr("Did you mean '--ranks'?"));
  write("grid.textproto", "base: \"small.textproto\" axis { path: \"rounds\" numbers: [1, 2] }");
  const Ended grid = run({"run", "grid.textproto"});
  EXPECT_EQ(grid.err, "souk: grid.textproto: is a grid, not a scenario: 'souk sweep grid.textproto' runs it\n");
  const Ended scenario = run({"sweep", "small.textproto"});
  EXPECT_THAT(scenario.err, HasSubstr("small.textproto: is a scenario, not a grid"));
  EXPECT_EQ(std::count(scenario.err.begin(), scenario.err.end(), '\n'), 1) << scenario.err;
}

TEST_F(App, citations_are_of_what_a_scenario_uses) {
  const std::string plain = run({"run", "--citations", "small.textproto"}).out;
  EXPECT_THAT(plain,
              AllOf(HasSubstr("mcmahan2017"), Not(HasSubstr("kabir2024flshield")), Not(HasSubstr("cao2021fltrust"))));
  EXPECT_THAT(run({"run", "--citations", "small.textproto", "--set", "aggregator.fltrust={}"}).out,
              HasSubstr("cao2021fltrust"));
  EXPECT_THAT(run({"run", "--citations", "small.textproto", "--set", "root.samples=50"}).out,
              HasSubstr("cao2021fltrust"));
}

}  // namespace
}  // namespace souk::app_test
