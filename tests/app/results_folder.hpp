#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/program.hpp"

namespace souk {

/// A folder in which the program runs, as a user who looks at results would use it.
class ResultsFolder : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / "souk_results" / test->test_suite_name() / test->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    write("base.textproto", R"(
name: "tiny"
rounds: 2
task { data { glyphs { train_samples: 200 test_samples: 50 } } model { logreg {} } training { batch_size: 16 } }
participants { clients: 5 }
attacks { count: 1 sign_flip {} }
)");
    write("grid.textproto", R"(
name: "made"
base: "base.textproto"
axis { name: "aggregator" choice { label: "mean" } choice { label: "median" set: "aggregator.median={}" } }
axis { name: "attack" choice { label: "sign_flip" } choice { label: "zero" set: "attacks[0].zero={}" } }
repeat: 2
)");
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(directory_ / name) << text; }
  Ended run(std::vector<std::string> words) const {
    words.insert(words.begin(), std::getenv("SOUK_PROGRAM"));
    return RunningProgram(words, directory_).wait();
  }
  void run_sweep(const std::string& out) const {
    const Ended ended = run({"sweep", "run", "grid.textproto", "--out", out, "-q"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
  }
  std::filesystem::path directory_;
};

}  // namespace souk
