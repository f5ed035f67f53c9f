#include "sim/base/atomic_file.hpp"

#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/error.hpp"

namespace souk::atomic_file_test {
namespace {

namespace fs = std::filesystem;

class WrittenFile : public testing::Test {
 protected:
  WrittenFile() : folder_(fs::path(testing::TempDir()) / ("souk_atomic_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~WrittenFile() override { fs::remove_all(folder_); }
  /// Names in the folder, for what was left there.
  std::size_t entries() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {})); }
  fs::path folder_;
};

TEST_F(WrittenFile, replaces_what_is_there_and_leaves_nothing_beside_it) {
  write_file_atomically(folder_ / "a", "one");
  write_file_atomically(folder_ / "a", "two");
  EXPECT_EQ(read_text_file(folder_ / "a"), "two");
  EXPECT_EQ(entries(), 1);
}

TEST_F(WrittenFile, follows_links_even_to_what_is_not_there_yet) {
  fs::create_directory(folder_ / "below");
  fs::create_symlink("below/target", folder_ / "link");
  fs::create_symlink("link", folder_ / "link_to_link");
  for (const char* text : {"first", "second"}) {
    write_file_atomically(folder_ / "link_to_link", text);
    EXPECT_TRUE(fs::is_symlink(folder_ / "link_to_link"));
    EXPECT_EQ(read_text_file(folder_ / "below/target"), text);
  }
}

TEST_F(WrittenFile, writes_into_a_pipe_as_it_is) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  write_file_atomically(pipe, "through");
  char text[16] = {};
  EXPECT_EQ(read(reader, text, sizeof text), 7);
  close(reader);
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_EQ(entries(), 1);
}

TEST_F(WrittenFile, writes_behind_what_an_open_file_holds) {
  const int file = open((folder_ / "log").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(write(file, "before ", 7), 7);
  write_file_atomically("/dev/fd/" + std::to_string(file), "after");
  close(file);
  EXPECT_EQ(read_text_file(folder_ / "log"), "before after");
}

TEST_F(WrittenFile, leaves_nothing_where_it_fails) {
  fs::create_directory(folder_ / "folder");
  EXPECT_THROW(write_file_atomically(folder_ / "folder", "x"), std::runtime_error);
  EXPECT_THROW(write_file_atomically(folder_ / "none/x", "x"), std::runtime_error);
  EXPECT_THROW(write_file_atomically("/dev/full", "x"), std::runtime_error);
  EXPECT_EQ(entries(), 1);
  std::ofstream(folder_ / "part") << "x";
  EXPECT_THROW(put_in_place(folder_ / "part", folder_ / "folder"), std::runtime_error);
  EXPECT_EQ(entries(), 1);
}

TEST_F(WrittenFile, says_beforehand_what_cannot_be_written) {
  EXPECT_THROW(require_writable(folder_), InputError);
  EXPECT_THROW(require_writable(folder_ / "none/x"), InputError);
  EXPECT_THROW(require_writable(""), InputError);
  EXPECT_NO_THROW(require_writable(folder_ / "x"));
  EXPECT_NO_THROW(require_writable("/dev/null"));
  EXPECT_EQ(entries(), 0);
}

}  // namespace
}  // namespace souk::atomic_file_test
