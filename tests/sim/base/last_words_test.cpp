#include "sim/base/last_words.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/contract.hpp"

namespace souk::last_words_test {
namespace {

class LastWordsTest : public testing::Test {
 protected:
  ~LastWordsTest() override { std::filesystem::remove(file_); }
  /// How a process ended that keeps its last words and then does this.
  template <class Act>
  int end_of(Act act) const {
    const pid_t child = fork();
    if (child == 0) {
      if (std::freopen("/dev/null", "w", stderr) == nullptr) std::_Exit(99);
      last_words::keep_in(file_);
      act();
      std::_Exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }
  std::string words() const {
    std::stringstream text;
    text << std::ifstream(file_).rdbuf();
    return text.str();
  }
  std::filesystem::path file_ =
      std::filesystem::temp_directory_path() / ("souk_last_words_" + std::to_string(getpid()));
};

TEST_F(LastWordsTest, a_fault_leaves_its_signal_and_still_ends_the_process_by_it) {
  const int status = end_of([] { std::raise(SIGSEGV); });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  EXPECT_EQ(words(), "signal 11 (segmentation fault)");
}

TEST_F(LastWordsTest, a_broken_contract_leaves_its_sentence) {
  const int status = end_of([] { end_fatally("broken on purpose", exit_our_fault); });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == exit_our_fault);
  EXPECT_EQ(words(), "broken on purpose");
}

TEST_F(LastWordsTest, an_orderly_end_leaves_nothing) {
  EXPECT_EQ(end_of([] {}), 0);
  EXPECT_EQ(words(), "");
}

TEST_F(LastWordsTest, nothing_is_kept_afterwards) {
  const int status = end_of([] {
    last_words::keep_nowhere();
    std::raise(SIGFPE);
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(words(), "");
}

}  // namespace
}  // namespace souk::last_words_test
