#include "sim/app/sweep_screen.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "sim/app/duration_text.hpp"
#include "sim/base/error.hpp"
#include "sim/base/log.hpp"

namespace souk {
namespace {

std::size_t lines_shown = 0;

/// The cursor stands below the block.
void erase_block() {
  if (lines_shown > 0) std::fprintf(stderr, "\033[%zuA\033[J", lines_shown);
  lines_shown = 0;
}

}  // namespace

GroupReporter::GroupReporter(const std::filesystem::path& file)
    : file_(open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (file_ < 0) throw_input_error("cannot write {}: {}", file.string(), std::strerror(errno));
  publish();
}

GroupReporter::~GroupReporter() { close(file_); }

void GroupReporter::set_label(const std::string& text) {
  std::memset(status_.label, 0, sizeof status_.label);
  std::memcpy(status_.label, text.data(), std::min(text.size(), sizeof status_.label - 1));
}

void GroupReporter::publish() const {
  // A lost report is shown late, and nothing worse.
  static_cast<void>(!pwrite(file_, &status_, sizeof status_, 0));
}

std::vector<GroupStatus> read_groups(const std::vector<std::filesystem::path>& files) {
  std::vector<GroupStatus> groups;
  for (const auto& path : files) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    GroupStatus status;
    const bool whole = file >= 0 && pread(file, &status, sizeof status, 0) == static_cast<ssize_t>(sizeof status);
    if (file >= 0) close(file);
    groups.push_back(whole ? status : GroupStatus());
  }
  return groups;
}

SweepScreen::SweepScreen(std::vector<std::filesystem::path> groups, const SweepProgress& before, bool quiet)
    : files_(std::move(groups)), before_(before), quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {
  if (terminal_ && !quiet_) log::set_before_message(&erase_block);
}

SweepScreen::~SweepScreen() {
  refresh(true);
  lines_shown = 0;
  log::set_before_message(nullptr);
}

std::string SweepScreen::head(const std::vector<GroupStatus>& groups) const {
  GroupStatus sum;
  std::size_t running = 0;
  for (const GroupStatus& group : groups) {
    sum.done += group.done;
    sum.diverged += group.diverged;
    sum.failed += group.failed;
    sum.expected_seconds += group.expected_seconds;
    running += group.rounds > 0 ? 1 : 0;
  }
  const std::size_t done = before_.done + sum.done + sum.diverged;
  const std::size_t failed = before_.failed + sum.failed;
  std::string text = fmt::format("{} of {} runs done", done, before_.runs);
  if (sum.diverged > 0) text += fmt::format(" ({} diverged)", sum.diverged);
  if (failed > 0) text += fmt::format(", {} failed", failed);
  text += fmt::format(", {} running", running);
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  if (sum.expected_seconds > 0.0 && done + failed < before_.runs) {
    const double left = elapsed * (before_.expected_seconds - sum.expected_seconds) / sum.expected_seconds;
    text += ", left " + duration_text(std::max(0.0, left));
  }
  return text;
}

void SweepScreen::refresh(bool now) {
  if (quiet_) return;
  const auto time = Clock::now();
  if (!now && time - shown_ < std::chrono::milliseconds(terminal_ ? 200 : 5000)) return;
  shown_ = time;
  const std::vector<GroupStatus> groups = read_groups(files_);
  const std::string line = head(groups);
  if (!terminal_) {
    if (line != last_line_) std::fprintf(stderr, "%s\n", line.c_str());
    last_line_ = line;
    return;
  }
  erase_block();
  std::string block = line + "\n";
  lines_shown = 1;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].rounds == 0) continue;
    block += fmt::format("  group {}: round {}/{}  {:.90}\n", g, groups[g].round, groups[g].rounds, groups[g].label);
    ++lines_shown;
  }
  std::fputs(block.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace souk
