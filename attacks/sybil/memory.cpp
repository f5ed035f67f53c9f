#include "attacks/sybil/memory.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attacks/update_tools.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/params/linear.hpp"

namespace souk {

SybilMemory::SybilMemory(const scenario::SybilMemory& config)
    : window_(config.window()),
      current_(config.followed() == scenario::SybilMemory::CURRENT),
      roles_(config.roles()),
      winners_too_(config.winners_too()),
      attackers_(config.attackers()),
      explorers_(config.explorers()),
      exploration_(config.exploration()) {}

bool SybilMemory::won(AgentId member) const {
  const auto found = outcomes_.find(member.value);
  return found != outcomes_.end() && found->second.last == 1;
}

std::optional<ColumnVector> SybilMemory::winners_mean(std::span<const AgentId> members, const ColumnMatrix& own) const {
  if (!current_) return mean_of_window(own);
  std::vector<double> shares;
  for (const AgentId member : members) shares.push_back(won(member) ? 1.0 : 0.0);
  const double winners = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (winners == 0.0) return std::nullopt;
  for (double& share : shares) share /= winners;
  return combine(own, shares);
}

std::optional<ColumnVector> SybilMemory::mean_of_window(const ColumnMatrix& like) const {
  std::int64_t count = 0;
  for (const Wins& wins : wins_) count += wins.count;
  if (count == 0) return std::nullopt;
  ColumnVector mean(like);
  for (const Wins& wins : wins_) {
    const auto share = 1.0F / static_cast<float>(count);
    const auto sum = wins.sum.values();
    for (std::size_t c = 0; c < sum.size(); ++c) mean.values()[c] += share * sum[c];
  }
  return mean;
}

double SybilMemory::rate_of(AgentId member) const {
  const auto found = outcomes_.find(member.value);
  if (found == outcomes_.end() || found->second.rounds == 0) return 0.0;
  return static_cast<double>(found->second.selected) / static_cast<double>(found->second.rounds);
}

std::vector<SybilPart> SybilMemory::parts(std::span<const AgentId> members) const {
  std::vector<SybilPart> parts(members.size(), SybilPart::follow);
  if (!roles_) {
    for (std::size_t i = 0; i < members.size() && !winners_too_; ++i) {
      if (won(members[i])) parts[i] = SybilPart::submit_own;
    }
    return parts;
  }
  std::vector<std::size_t> order(members.size());  // best rates first, ties to the smaller number
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return rate_of(members[i]); });
  const auto first = [&](double share) {  // rounded down; the margin makes 0.29 of 100 members 29
    return static_cast<std::size_t>(share * static_cast<double>(members.size()) + 1e-9);
  };
  const std::size_t attackers = first(attackers_);
  const std::size_t explorers = members.size() - std::max(attackers, first(1.0 - explorers_));
  for (std::size_t k = 0; k < attackers; ++k) parts[order[k]] = SybilPart::submit_own;
  for (std::size_t k = members.size() - explorers; k < members.size(); ++k) parts[order[k]] = SybilPart::explore;
  return parts;
}

void SybilMemory::submitted(std::span<const AgentId> members, const ColumnMatrix& rows) {
  if (current_) return;
  dimension_ = rows.dimension();
  for (std::size_t i = 0; i < members.size(); ++i) {
    submitters_.push_back(members[i]);
    std::ranges::copy(rows.row(i), submissions_.of(members[i], rows).values().begin());
  }
}

void SybilMemory::observe(const Published& published) {
  std::optional<Wins> wins;
  for (std::size_t i = 0; i < published.selected.size(); ++i) {
    const AgentId agent = published.agents[i];
    const bool selected = published.selected[i] != 0.0;
    Outcomes& outcomes = outcomes_[agent.value];
    ++outcomes.rounds;
    outcomes.selected += selected ? 1 : 0;
    outcomes.last = selected ? 1 : 0;
    if (!selected || std::ranges::find(submitters_, agent) == submitters_.end()) continue;
    const ColumnVector& submission = submissions_.at(agent);
    if (!wins) wins.emplace(Wins{submission, 0});
    const auto sum = wins->sum.values();
    for (std::size_t c = 0; c < sum.size() && wins->count > 0; ++c) sum[c] += submission.values()[c];
    ++wins->count;
  }
  // A round in which members submitted and nobody won pushes older winners out of the window, too.
  if (!submitters_.empty()) {
    wins_.push_back(wins ? *std::move(wins) : Wins{});
    if (wins_.size() > window_) wins_.pop_front();
  }
  submitters_.clear();
}

void SybilMemory::serialize(Archive& archive, const Comm& comm) {
  auto dimension = static_cast<std::int64_t>(dimension_);
  std::vector<std::int64_t> outcomes, counts;
  for (const auto& [agent, of] : outcomes_) outcomes.insert(outcomes.end(), {agent, of.rounds, of.selected, of.last});
  for (const Wins& wins : wins_) counts.push_back(wins.count);
  archive.field("dimension", dimension);
  archive.field("outcomes", outcomes);
  archive.field("wins", counts);
  if (archive.loading()) {
    dimension_ = static_cast<std::size_t>(dimension);
    outcomes_.clear();
    for (std::size_t i = 0; i + 3 < outcomes.size(); i += 4) {
      outcomes_[static_cast<std::uint32_t>(outcomes[i])] = {outcomes[i + 1], outcomes[i + 2], outcomes[i + 3]};
    }
    wins_.assign(counts.size(), {});
    for (std::size_t i = 0; i < counts.size(); ++i) wins_[i].count = counts[i];
  }
  for (Wins& wins : wins_) {
    if (wins.count > 0) serialize_columns(archive, "winners", comm, dimension_, wins.sum);
  }
}

void add_relative_noise(const PublicRound& round, AgentId member, const ColumnMatrix& like, double share,
                        std::span<float> row) {
  ColumnVector values(like);
  std::ranges::copy(row, values.values().begin());
  const double square = squared_norm(round.comm, like.plan(), values);
  const auto deviation = static_cast<float>(share * std::sqrt(square / static_cast<double>(like.dimension())));
  fill_normal(round, member, 1, like, values.values());
  for (std::size_t c = 0; c < row.size(); ++c) row[c] += deviation * values.values()[c];
}

}  // namespace souk
