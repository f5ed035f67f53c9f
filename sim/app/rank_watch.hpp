#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace souk {

/// What `souk … --ranks N` learns of its ranks, which are mpirun's children and not its own: their messages
/// (sim/base/launcher_line.hpp), and which of them ended first.
class RankWatch {
 public:
  /// Opens the pipe and names it in the environment of processes started from now on.
  RankWatch();
  ~RankWatch();
  RankWatch(const RankWatch&) = delete;
  RankWatch& operator=(const RankWatch&) = delete;

  /// Whether ranks can open the pipe.
  bool works() const { return works_; }
  /// Takes what was said, and notices who has ended, for this long.
  void listen(std::chrono::milliseconds time);
  bool has_started() const { return !ranks_.empty(); }
  const std::string& run_directory() const { return directory_; }
  const std::string& last_run() const { return last_run_; }  ///< of a sweep
  /// Why the job ended with this code: what a rank said, or which rank ended first without a word. Empty: unknown.
  std::string why(int exit_code) const;

 private:
  struct Rank {
    int number = 0;
    int process = -1;  ///< a file descriptor that becomes readable when the process has ended
    bool has_left = false;
  };
  void take_messages();
  void take(const std::string& line);
  void notice_ends();

  int reading_ = -1, writing_ = -1;
  bool works_ = false;
  std::string unread_;
  std::vector<Rank> ranks_;
  int first_to_end_ = -1;  ///< its number
  std::string directory_, last_run_, because_;
};

}  // namespace souk
