#include "agents/training/attack_schedule.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "scenarios/attacks.pb.h"
#include "sim/base/contract.hpp"

namespace souk {

AttackSchedule::AttackSchedule(const scenario::Attack& config, int group)
    : group_(group),
      from_(config.from_round()),
      to_(config.to_round() > 0 ? config.to_round() : std::numeric_limits<std::uint32_t>::max()),
      every_(config.every()),
      on_(config.on()),
      off_(config.off()),
      at_(config.at_rounds().begin(), config.at_rounds().end()) {
  SOUK_REQUIRE(to_ >= from_, "attacks[{}].to_round = {}: is before from_round = {}", group, to_, from_);
  SOUK_REQUIRE(every_ == 1 || off_ == 0, "attacks[{}].every = {}: cannot be combined with off = {}", group, every_,
               off_);
  std::ranges::sort(at_);
}

bool AttackSchedule::acts(RoundIndex round) const {
  if (!at_.empty()) return std::ranges::binary_search(at_, round.value);
  if (round.value < from_ || round.value > to_) return false;
  const std::uint32_t since = round.value - from_;
  return off_ > 0 ? since % (on_ + off_) < on_ : since % every_ == 0;
}

std::string AttackSchedule::idle_part(std::uint32_t rounds) const {
  if (at_.empty()) {
    if (from_ <= rounds) return "";
    return fmt::format("never acts: from_round = {} is after the last round, {}", from_, rounds);
  }
  SOUK_REQUIRE(at_.front() <= rounds, "attacks[{}].at_rounds: names no round of the run, which has {}", group_, rounds);
  if (at_.back() <= rounds) return "";
  return fmt::format("does not act in round {} of at_rounds, which is after the last, {}", at_.back(), rounds);
}

RoundIndex AttackSchedule::first() const { return {at_.empty() ? from_ : at_.front()}; }

}  // namespace souk
