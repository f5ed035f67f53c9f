#include "attacks/sybil/bandit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {

Bandits::Bandits(const scenario::Bandit& config, std::size_t arms)
    : bonus_(config.bonus()),
      epsilon_(config.epsilon()),
      final_epsilon_(config.final_epsilon()),
      gain_(config.gain()),
      exploration_(config.exploration()),
      window_(config.window()),
      arms_(arms) {}

std::size_t Bandits::choose(const PublicRound& round, AgentId id) {
  Member& member = members_[id.value];
  ++member.rounds;
  Stream random(round.seed, streams::bandit(id, round.round));
  const std::size_t arm = arm_of(member, random);
  member.pulled = static_cast<std::int64_t>(arm);
  return arm;
}

/// One never tried, by chance; else any, with probability epsilon; else the best.
std::size_t Bandits::arm_of(const Member& member, Stream& random) const {
  std::vector<double> pulls(arms_, 0.0), wins(arms_, 0.0);
  for (const Outcome& outcome : member.remembered) {
    pulls[static_cast<std::size_t>(outcome.arm)] += 1.0;
    wins[static_cast<std::size_t>(outcome.arm)] += static_cast<double>(outcome.selected);
  }
  std::vector<std::size_t> untried;
  for (std::size_t arm = 0; arm < arms_; ++arm) {
    if (pulls[arm] == 0.0) untried.push_back(arm);
  }
  if (!untried.empty()) return untried[random.below(static_cast<std::uint32_t>(untried.size()))];
  const double epsilon = member.rounds > exploration_ ? final_epsilon_ : epsilon_;
  if (random.uniform() < epsilon) return random.below(static_cast<std::uint32_t>(arms_));
  return best_arm(pulls, wins);
}

/// The largest upper confidence bound, ties to the smaller arm.
std::size_t Bandits::best_arm(const std::vector<double>& pulls, const std::vector<double>& wins) const {
  const double total = std::accumulate(pulls.begin(), pulls.end(), 0.0);
  std::size_t best = 0;
  double highest = 0.0;
  for (std::size_t arm = 0; arm < arms_; ++arm) {
    const double reward = wins[arm] * (1.0 + (arm == 0 ? 0.0 : gain_)) / pulls[arm];
    const double bound = reward + bonus_ * std::sqrt(2.0 * std::log(total) / pulls[arm]);
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
    member.remembered.push_back({member.pulled, published.selected[i] != 0.0 ? 1 : 0});
    if (member.remembered.size() > window_) member.remembered.pop_front();
  }
  // Who pulled and is not among the published learns nothing: its update did not arrive, or nothing is published.
  for (auto& [id, member] : members_) member.pulled = -1;
}

void Bandits::serialize(Archive& archive) {
  std::vector<std::int64_t> members, outcomes;  // member, rounds, how many are remembered; arm, selected of each
  for (const auto& [id, member] : members_) {
    members.insert(members.end(), {id, member.rounds, static_cast<std::int64_t>(member.remembered.size())});
    for (const Outcome& outcome : member.remembered) {
      outcomes.insert(outcomes.end(), {outcome.arm, outcome.selected});
    }
  }
  archive.field("bandits", members);
  archive.field("outcomes of bandits", outcomes);
  if (!archive.loading()) return;
  members_.clear();
  std::size_t next = 0;
  for (std::size_t i = 0; i + 2 < members.size(); i += 3) {
    Member& member = members_[static_cast<std::uint32_t>(members[i])];
    member.rounds = members[i + 1];
    const auto remembered = static_cast<std::size_t>(std::max<std::int64_t>(0, members[i + 2]));
    SOUK_REQUIRE(remembered <= (outcomes.size() - next) / 2, "saved state: a bandit remembers more than was saved");
    for (std::size_t k = 0; k < remembered; ++k, next += 2) {
      const std::int64_t arm = outcomes[next];
      SOUK_REQUIRE(arm >= 0 && static_cast<std::size_t>(arm) < arms_, "saved state: bandits of {} arms know arm {}",
                   arms_, arm);
      member.remembered.push_back({arm, outcomes[next + 1]});
    }
  }
}

}  // namespace souk
