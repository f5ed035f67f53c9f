#include "sim/app/rank_watch.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/base/launcher_line.hpp"

namespace souk {

RankWatch::RankWatch() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
  reading_ = ends[0];
  writing_ = ends[1];  // held open, so that reading meets no end between two messages
  const std::string path = fmt::format("/proc/{}/fd/{}", getpid(), writing_);
  const int trial = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  works_ = trial >= 0;
  if (works_) {
    close(trial);
    setenv(launcher_line::variable, path.c_str(), 1);
  }
}

RankWatch::~RankWatch() {
  unsetenv(launcher_line::variable);
  for (const Rank& rank : ranks_) {
    if (rank.process >= 0) close(rank.process);
  }
  if (reading_ >= 0) close(reading_);
  if (writing_ >= 0) close(writing_);
}

void RankWatch::listen(std::chrono::milliseconds time) {
  std::vector<pollfd> waited{{.fd = reading_, .events = POLLIN, .revents = 0}};
  for (const Rank& rank : ranks_) {
    if (first_to_end_ < 0 && !rank.has_left) waited.push_back({.fd = rank.process, .events = POLLIN, .revents = 0});
  }
  poll(waited.data(), waited.size(), static_cast<int>(time.count()));  // a signal only shortens it
  take_messages();
  notice_ends();
}

void RankWatch::take_messages() {
  char piece[4096];
  for (ssize_t size = read(reading_, piece, sizeof piece); size > 0; size = read(reading_, piece, sizeof piece)) {
    unread_.append(piece, static_cast<std::size_t>(size));
  }
  for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
    take(unread_.substr(0, end));
    unread_.erase(0, end + 1);
  }
}

void RankWatch::take(const std::string& line) {
  const auto space = std::min(line.find(' '), line.size());
  const std::string verb = line.substr(0, space);
  const std::string text = line.substr(std::min(space + 1, line.size()));
  if (verb == launcher_line::rank) {
    Rank rank;
    int process = 0;
    if (std::sscanf(text.c_str(), "%d %d", &rank.number, &process) != 2) return;
    rank.process = static_cast<int>(syscall(SYS_pidfd_open, process, 0));  // no wrapper in the C libraries of 2022
    ranks_.push_back(rank);
  } else if (verb == launcher_line::leaves) {
    for (Rank& rank : ranks_) rank.has_left = rank.has_left || std::to_string(rank.number) == text;
  } else if (verb == launcher_line::directory) {
    directory_ = text;
  } else if (verb == launcher_line::takes) {
    last_run_ = text;
  } else if (verb == launcher_line::because && because_.empty()) {
    because_ = text;
  }
}

void RankWatch::notice_ends() {
  if (first_to_end_ >= 0) return;
  for (const Rank& rank : ranks_) {
    pollfd process{.fd = rank.process, .events = POLLIN, .revents = 0};
    if (rank.has_left || rank.process < 0 || poll(&process, 1, 0) <= 0) continue;
    first_to_end_ = rank.number;
    return;
  }
}

std::string RankWatch::why(int exit_code) const {
  if (!because_.empty()) return because_;
  if (first_to_end_ < 0 || exit_code <= 128) return "";
  const int signal = exit_code - 128;
  return fmt::format("rank {} was ended by signal {} ({}){}", first_to_end_, signal, strsignal(signal),
                     signal == SIGKILL ? ": out of memory?" : "");
}

}  // namespace souk
