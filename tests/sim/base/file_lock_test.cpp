#include "sim/base/file_lock.hpp"

#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/error.hpp"

namespace souk::file_lock_test {
namespace {

namespace fs = std::filesystem;
using Sharing = FileLock::Sharing;

class FileLockTest : public testing::Test {
 protected:
  FileLockTest() : file_(fs::temp_directory_path() / ("souk_lock_" + std::to_string(getpid()))) {}
  ~FileLockTest() override { fs::remove(file_); }
  fs::path file_;
};

TEST_F(FileLockTest, one_holds_it_alone_or_several_share_it) {
  EXPECT_FALSE(FileLock::is_taken(file_));  // there is no such file
  {
    FileLock alone, other;
    EXPECT_TRUE(alone.take(file_));
    EXPECT_TRUE(FileLock::is_taken(file_));
    EXPECT_FALSE(other.take(file_));
    EXPECT_FALSE(other.take(file_, Sharing::shared));
  }
  EXPECT_FALSE(FileLock::is_taken(file_));
  FileLock one, two, alone;
  EXPECT_TRUE(one.take(file_, Sharing::shared));
  EXPECT_TRUE(two.take(file_, Sharing::shared));
  EXPECT_TRUE(FileLock::is_taken(file_));
  EXPECT_FALSE(alone.take(file_));
}

TEST_F(FileLockTest, looking_takes_nothing) {
  FileLock lock;
  ASSERT_TRUE(lock.take(file_));
  lock = FileLock();
  for (int i = 0; i < 100; ++i) {
    ASSERT_FALSE(FileLock::is_taken(file_));
    FileLock again;
    ASSERT_TRUE(again.take(file_));
  }
}

TEST_F(FileLockTest, a_child_keeps_it_when_its_parent_lets_go) {
  int until_told[2];
  ASSERT_EQ(pipe(until_told), 0);
  pid_t child = 0;
  {
    FileLock lock;
    ASSERT_TRUE(lock.take(file_));
    child = fork();
    if (child == 0) {
      close(until_told[1]);
      char nothing = 0;
      static_cast<void>(!read(until_told[0], &nothing, 1));
      std::_Exit(0);
    }
  }
  FileLock mine;
  EXPECT_FALSE(mine.take(file_));
  close(until_told[1]);
  waitpid(child, nullptr, 0);
  close(until_told[0]);
  EXPECT_TRUE(mine.take(file_));
}

TEST_F(FileLockTest, waits_until_it_is_free) {
  FileLock first;
  ASSERT_TRUE(first.take(file_));
  std::thread release([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    first = FileLock();
  });
  FileLock second;
  second.wait(file_);
  EXPECT_TRUE(FileLock::is_taken(file_));
  release.join();
}

TEST_F(FileLockTest, says_where_it_cannot_write) {
  FileLock lock;
  EXPECT_THROW(lock.take("/nowhere/lock"), InputError);
}

}  // namespace
}  // namespace souk::file_lock_test
