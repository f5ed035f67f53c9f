#include "attacks/sybil/bandit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"

namespace souk {

Bandits::Bandits(const scenario::Bandit& config, std::size_t arms)
    : bonus_(config.bonus()),
      epsilon_(config.epsilon()),
      final_epsilon_(config.final_epsilon()),
      exploration_(config.exploration()),
      gain_(config.gain()),
      arms_(arms) {}

std::int64_t Bandits::Member::total() const { return std::accumulate(pulls.begin(), pulls.end(), std::int64_t{0}); }

std::size_t Bandits::choose(const Round& round, AgentId id) {
  Member& member = members_[id.value];
  member.pulls.resize(arms_);
  member.rewards.resize(arms_);
  const double progress = exploration_ > 0.0 ? std::min(1.0, static_cast<double>(member.total()) / exploration_) : 1.0;
  const double epsilon = epsilon_ + (final_epsilon_ - epsilon_) * progress;
  Stream random(round.seed, Purpose::sybil, id, round.round);
  const bool any = random.uniform() < epsilon;
  const std::size_t arm = any ? random.below(static_cast<std::uint32_t>(arms_)) : best_arm(member);
  member.pulled = static_cast<std::int64_t>(arm);
  return arm;
}

/// The first arm never tried; else the one of the largest upper confidence bound, ties to the smaller.
std::size_t Bandits::best_arm(const Member& member) const {
  std::size_t best = 0;
  double highest = -1.0;
  for (std::size_t arm = 0; arm < arms_; ++arm) {
    if (member.pulls[arm] == 0) return arm;
    const auto pulls = static_cast<double>(member.pulls[arm]);
    const double bound =
        member.rewards[arm] / pulls + bonus_ * std::sqrt(2.0 * std::log(static_cast<double>(member.total())) / pulls);
    if (arm > 0 && !(bound > highest)) continue;
    highest = bound;
    best = arm;
  }
  return best;
}

void Bandits::observe(const Published& published) {
  for (std::size_t i = 0; i < published.selected.size(); ++i) {
    const auto found = members_.find(published.agents[i].value);
    if (found == members_.end() || found->second.pulled < 0) continue;
    Member& member = found->second;
    const auto arm = static_cast<std::size_t>(member.pulled);
    ++member.pulls[arm];
    if (published.selected[i] != 0.0) member.rewards[arm] += 1.0 + (arm == 0 ? 0.0 : gain_);
  }
  // Who pulled and is not among the published learns nothing: its update did not arrive, or nothing is published.
  for (auto& [id, member] : members_) member.pulled = -1;
}

void Bandits::serialize(Archive& archive) {
  std::vector<std::int64_t> members, pulls;
  std::vector<double> rewards;
  for (const auto& [id, member] : members_) {
    members.push_back(id);
    pulls.insert(pulls.end(), member.pulls.begin(), member.pulls.end());
    rewards.insert(rewards.end(), member.rewards.begin(), member.rewards.end());
  }
  archive.field("bandits", members);
  archive.field("pulls", pulls);
  archive.field("rewards", rewards);
  if (!archive.loading()) return;
  SOUK_REQUIRE(pulls.size() == members.size() * arms_ && rewards.size() == pulls.size(),
               "saved state: {} bandits of {} arms have {} counts", members.size(), arms_, pulls.size());
  members_.clear();
  for (std::size_t i = 0; i < members.size(); ++i) {
    Member& member = members_[static_cast<std::uint32_t>(members[i])];
    const auto first = static_cast<std::ptrdiff_t>(i * arms_), end = static_cast<std::ptrdiff_t>((i + 1) * arms_);
    member.pulls.assign(pulls.begin() + first, pulls.begin() + end);
    member.rewards.assign(rewards.begin() + first, rewards.begin() + end);
  }
}

}  // namespace souk
