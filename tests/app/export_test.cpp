#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/app_fixture.hpp"
#include "tests/app/results_folder.hpp"

namespace souk::export_test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

using Export = ResultsFolder;

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST_F(Export, results_of_the_same_sweep_run_twice_are_the_same_file) {
  for (const char* name : {"a", "b"}) {
    run_sweep(name);
    const Ended ended = run({"export", name, "--results-only", "--sqlite", std::string(name) + ".db"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.out, std::string(name) + ".db\n");
  }
  EXPECT_EQ(query(directory_ / "a.db", "SELECT count(*), count(path), count(seconds) FROM run"), "8|0|0\n");
  EXPECT_EQ(query(directory_ / "a.db", "SELECT count(*) FROM selection"), "80\n");  // 8 runs, 2 rounds, 5 clients
  EXPECT_TRUE(bytes_of(directory_ / "a.db") == bytes_of(directory_ / "b.db"));
}

TEST_F(Export, writes_one_file_per_table_and_what_they_mean) {
  run_sweep("s");
  const Ended ended = run({"export", "s", "--csv", "out", "--federation-only"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const std::string metric = bytes_of(directory_ / "out/metric.csv");
  EXPECT_EQ(metric.substr(0, metric.find('\n')), "run,round,name,agent,class,value");
  EXPECT_THAT(bytes_of(directory_ / "out/README.md"), HasSubstr("| `micro_credits` | INTEGER |"));
  EXPECT_EQ(bytes_of(directory_ / "out/selection.csv"),
            "run,round,buyer,agent,outcome,samples,arrival_seconds,weight,score\n");
}

TEST_F(Export, refuses_in_one_sentence_and_writes_nothing) {
  run_sweep("s");
  const auto refused = [&](std::vector<std::string> options) {
    options.insert(options.begin(), "export");
    const Ended ended = run(options);
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_EQ(ended.out, "");
    return ended.err;
  };
  EXPECT_EQ(refused({"s"}), "souk: say where to: --csv DIR, --sqlite FILE, --parameters FILE, or several of them\n");
  EXPECT_EQ(refused({"s", "--csv", "s"}),
            "souk: s: exists already and is no empty folder; an export replaces nothing\n");
  EXPECT_EQ(refused({"s", "--sqlite", "grid.textproto"}),
            "souk: grid.textproto: exists already; an export replaces nothing\n");
  EXPECT_THAT(refused({"nowhere", "--sqlite", "m.db"}), HasSubstr("nowhere"));
  EXPECT_FALSE(fs::exists(directory_ / "m.db"));
  EXPECT_FALSE(fs::exists(directory_ / "m.db.tmp"));
}

using ExportParameters = App;

TEST_F(ExportParameters, give_the_model_with_which_another_run_begins) {
  const Ended trained = run_small("trained", 2);
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  for (const char* file : {"model.npz", "again.npz", "model.pt"}) {
    const Ended ended = run({"export", "trained", "--parameters", file});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.out, std::string(file) + "\nparameters sha256 " + hash_of(trained) + "\n");
  }
  EXPECT_EQ(bytes_of(directory_ / "model.npz"), bytes_of(directory_ / "again.npz"));
  for (const char* from : {"trained", "model.npz"}) {
    const std::string start = std::string("server.start_from=") + from;
    const Ended untrained = run_small(std::string("from-") + from, 1, {"--set", start, "--set", "training_rounds=0"});
    ASSERT_EQ(untrained.exit_code, 0) << untrained.err;
    EXPECT_EQ(hash_of(untrained), hash_of(trained));
  }
}

TEST_F(ExportParameters, are_refused_in_one_sentence) {
  ASSERT_EQ(run_small("r", 0).exit_code, 0);
  const auto refused = [&](std::vector<std::string> options) {
    options.insert(options.begin(), "export");
    const Ended ended = run(options);
    EXPECT_EQ(ended.exit_code, 2) << ended.err;
    EXPECT_EQ(ended.out, "");
    return ended.err;
  };
  EXPECT_EQ(refused({"r", "--parameters", "model.txt"}), "souk: --parameters model.txt: must end in .npz or .pt\n");
  EXPECT_EQ(refused({"r", "r", "--parameters", "m.npz"}),
            "souk: --parameters m.npz: takes the model of one run, and 2 are named\n");
  EXPECT_EQ(refused({"none", "--parameters", "m.npz"}), "souk: none: there is no such run, checkpoint or archive\n");
  EXPECT_THAT(refused({".", "--parameters", "m.npz"}), HasSubstr("holds no checkpoint"));
  EXPECT_FALSE(fs::exists(directory_ / "m.npz"));
  write("m.npz", "");
  EXPECT_EQ(refused({"r", "--parameters", "m.npz"}), "souk: m.npz: exists already; an export replaces nothing\n");
  EXPECT_THAT(refused({"m.npz", "--parameters", "m.pt"}), HasSubstr("m.npz: not a zip archive"));
}

}  // namespace
}  // namespace souk::export_test
