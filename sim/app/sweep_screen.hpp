#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace souk {

/// How far one group of ranks has got. Plain bytes in a file of its own, written by the group and read by whoever
/// shows it.
struct GroupStatus {
  std::uint64_t done = 0, diverged = 0, failed = 0;  ///< runs that this group ended
  double expected_seconds = 0.0;                     ///< of these, as estimated
  std::uint32_t round = 0, rounds = 0;               ///< of the run at hand; rounds 0: none
  bool over = false;                                 ///< the group has nothing more to do
  char label[192] = {};                              ///< of the run at hand
};

/// Writes one group's status.
class GroupReporter {
 public:
  /// Throws InputError where the file cannot be written.
  explicit GroupReporter(const std::filesystem::path& file);
  ~GroupReporter();
  GroupReporter(const GroupReporter&) = delete;
  GroupReporter& operator=(const GroupReporter&) = delete;
  GroupStatus& status() { return status_; }
  void set_label(const std::string& text);
  void publish() const;

 private:
  int file_;
  GroupStatus status_;
};

/// What the groups last published, in the order of the files; a group that has not begun counts nothing.
std::vector<GroupStatus> read_groups(const std::vector<std::filesystem::path>& files);

/// Where a sweep stands before its groups begin.
struct SweepProgress {
  std::size_t runs = 0;  ///< of them:
  std::size_t done = 0;
  std::size_t failed = 0;         ///< as often as they were to be tried
  double expected_seconds = 0.0;  ///< of those left to do
};

/// Shows all groups on standard error: on a terminal a block rewritten in place, otherwise a line every five seconds.
class SweepScreen {
 public:
  SweepScreen(std::vector<std::filesystem::path> groups, const SweepProgress& before, bool quiet);
  ~SweepScreen();
  SweepScreen(const SweepScreen&) = delete;
  SweepScreen& operator=(const SweepScreen&) = delete;
  /// Draws anew if it is time to.
  void refresh(bool now = false);

 private:
  using Clock = std::chrono::steady_clock;
  std::string head(const std::vector<GroupStatus>& groups) const;
  std::vector<std::filesystem::path> files_;
  SweepProgress before_;
  bool quiet_, terminal_;
  Clock::time_point start_ = Clock::now(), shown_{};
  std::string last_line_;
};

}  // namespace souk
