#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  EXPECT_EQ(refused({"s"}), "souk: say where to: --csv DIR, --sqlite FILE, or both\n");
  EXPECT_EQ(refused({"s", "--csv", "s"}),
            "souk: s: exists already and is no empty folder; an export replaces nothing\n");
  EXPECT_EQ(refused({"s", "--sqlite", "grid.textproto"}),
            "souk: grid.textproto: exists already; an export replaces nothing\n");
  EXPECT_THAT(refused({"nowhere", "--sqlite", "m.db"}), HasSubstr("nowhere"));
  EXPECT_FALSE(fs::exists(directory_ / "m.db"));
  EXPECT_FALSE(fs::exists(directory_ / "m.db.tmp"));
}

}  // namespace
}  // namespace souk::export_test
