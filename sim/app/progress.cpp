#include "sim/app/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "sim/app/duration_text.hpp"
#include "sim/base/log.hpp"

namespace souk {
namespace {

constexpr std::size_t bar_width = 24;

/// The two phases that took longest, e.g. "train 84 % evaluate 11 %".
std::string phase_shares(std::vector<PhaseTime> phases) {
  double total = 0.0;
  for (const PhaseTime& phase : phases) total += phase.seconds;
  std::sort(phases.begin(), phases.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, phases.size()); ++i) {
    text += fmt::format("  {} {:.0f} %", phases[i].phase, 100.0 * phases[i].seconds / total);
  }
  return text;
}

void erase_line() { std::fputs("\r\033[K", stderr); }

}  // namespace

Progress::Progress(std::uint32_t rounds, bool quiet)
    : rounds_(rounds), quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {
  if (terminal_ && !quiet_) log::set_before_message(&erase_line);
}

Progress::~Progress() {
  log::set_before_message(nullptr);
  if (terminal_ && !quiet_ && started_) std::fputs("\n", stderr);
}

std::string Progress::line(const RoundRecord& record) const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const double per_round = elapsed / static_cast<double>(record.round.value - rounds_before_);
  std::string bar;
  if (terminal_) {
    const std::size_t filled = bar_width * record.round.value / rounds_;
    bar = fmt::format("[{}{}] ", std::string(filled, '#'), std::string(bar_width - filled, '.'));
  }
  return fmt::format("{}round {}/{}  {}  {:.3f} s/round  left {}{}", bar, record.round.value, rounds_, last_quality_,
                     per_round, duration_text(per_round * (rounds_ - record.round.value)), phase_shares(record.phases));
}

void Progress::round_done(const RoundRecord& record) {
  if (quiet_) return;
  if (!started_) {
    rounds_before_ = record.round.value - 1;
    started_ = true;
  }
  if (record.quality) last_quality_ = fmt::format("{} {:.4f}", record.quality->name, record.quality->value);
  const auto now = Clock::now();
  const bool last = record.round.value == rounds_ || record.stop.has_value();
  if (!last && now - shown_ < std::chrono::milliseconds(terminal_ ? 50 : 1000)) return;
  shown_ = now;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line(record).c_str());
  std::fflush(stderr);
}

}  // namespace souk
