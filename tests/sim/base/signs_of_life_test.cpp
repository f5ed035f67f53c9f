#include "sim/base/signs_of_life.hpp"

#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace souk::signs_of_life_test {
namespace {

TEST(SignsOfLife, are_missing_only_once_a_child_is_stopped) {
  SignsOfLife life;
  const pid_t child = fork();
  if (child == 0) {
    life.give();
    while (true) pause();
  }
  const auto missing_within = [&](int looks) {
    for (int i = 0; i < looks; ++i) {
      if (life.are_missing_for(0.5)) return true;
      std::this_thread::sleep_for(SignsOfLife::look);
    }
    return false;
  };
  EXPECT_FALSE(missing_within(300));
  kill(child, SIGSTOP);
  EXPECT_TRUE(missing_within(300));
  EXPECT_FALSE(life.are_missing_for(0.0));  // 0: never
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace souk::signs_of_life_test
