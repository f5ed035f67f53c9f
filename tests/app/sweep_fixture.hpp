#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/support/program.hpp"

namespace souk {

namespace fs = std::filesystem;

/// Everything in a sweep that depends on the grid alone.
inline std::string sweep_results(const fs::path& sweep) {
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
    EXPECT_THAT(results, testing::HasSubstr("accuracy"));
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

}  // namespace souk
