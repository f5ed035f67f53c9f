#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/program.hpp"

namespace souk {

inline const char* const small_scenario = R"(
name: "small"
rounds: 6
task {
  data { glyphs { train_samples: 600 test_samples: 300 } }
  model { mlp { hidden: [32] } }
  training { local_epochs: 1 batch_size: 16 learning_rate: 0.1 }
}
participants { clients: 20 per_round: 6
  availability { dropout: 0.1 over_selection: 1.5 compute_sigma: 0.5 bandwidth_sigma: 0.5 } }
partition { dirichlet { alpha: 0.5 } min_samples: 2 }
server { sgd { momentum: 0.5 } }
attacks { count: 3 sign_flip { scale: 2 } }
attacks { count: 2 from_round: 2 label_flip {} }
evaluation { batch_size: 64 target_accuracy: 0.2 }
checkpoint { every: 2 }
)";

class App : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / "souk_app" / info->test_suite_name() / info->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    write("small.textproto", small_scenario);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(directory_ / name) << text; }
  RunningProgram start(std::vector<std::string> words) const {
    words.insert(words.begin(), std::getenv("SOUK_PROGRAM"));
    return {words, directory_};
  }
  Ended run(const std::vector<std::string>& words) const { return start(words).wait(); }
  Ended run_small(const std::string& out, int ranks, std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"run", "small.textproto", "-q", "--out", out};
    if (ranks > 0) words.insert(words.end(), {"--ranks", std::to_string(ranks)});
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  std::string results(const std::string& run_name) const { return results_of(directory_ / run_name); }
  static std::string hash_of(const Ended& ended) {
    const auto at = ended.out.find("parameters sha256 ");
    return at == std::string::npos ? "no hash in: " + ended.out + ended.err : ended.out.substr(at + 18, 64);
  }
  /// Waits until the run has committed this round.
  void wait_for_round(const std::string& run_name, int round) const {
    for (int i = 0; i < 600; ++i) {
      try {
        const std::string last = query(directory_ / run_name / "results.sqlite", "SELECT max(round) FROM round");
        if (std::atoi(last.c_str()) >= round) return;
      } catch (const std::runtime_error&) {  // not yet
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    FAIL() << "round " << round << " was never committed";
  }
  /// The last rank of a killed run dies a moment after the process that started it.
  void wait_until_unlocked(const std::string& run_name) const {
    const int lock = open((directory_ / run_name / "lock").c_str(), O_RDWR);
    ASSERT_GE(lock, 0);
    struct flock whole_file = {};
    whole_file.l_type = F_WRLCK;
    EXPECT_EQ(fcntl(lock, F_OFD_SETLKW, &whole_file), 0);
    close(lock);
  }
  std::filesystem::path directory_;
};

}  // namespace souk
