#include "agents/inference/victim_cases.hpp"

#include <algorithm>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/local_trainer.hpp"

namespace souk {
namespace {

/// The victim's row, and those that follow it among `rows`, round and round.
std::vector<std::size_t> cluster_from(std::size_t victim, std::span<const std::size_t> rows, std::size_t size) {
  const auto place = static_cast<std::size_t>(std::ranges::lower_bound(rows, victim) - rows.begin());
  std::vector<std::size_t> cluster;
  for (std::size_t i = 0; i < std::min(size, rows.size()); ++i) cluster.push_back(rows[(place + i) % rows.size()]);
  return cluster;
}

std::vector<std::size_t> rows_behind(const scenario::InferenceAttack& config, std::size_t victim,
                                     std::span<const std::size_t> honest, std::size_t all) {
  if (config.has_cluster()) return cluster_from(victim, honest, config.cluster().size());
  if (config.has_update() || config.has_isolated()) return {victim};
  std::vector<std::size_t> everybody(all);
  std::iota(everybody.begin(), everybody.end(), std::size_t{0});
  return cluster_from(victim, everybody, all);
}

std::vector<double> shares_in_mean(const scenario::InferenceAttack& config, std::size_t behind) {
  std::vector<double> shares(behind, 1.0 / static_cast<double>(behind));
  const double own = config.has_cluster() ? config.cluster().own_share() : 0.0;
  if (own == 0.0 || behind == 1) return shares;
  for (double& share : shares) share = (1.0 - own) / static_cast<double>(behind - 1);
  shares.front() = own;
  return shares;
}

/// The mini-batches of a client's training, as places among its samples, which ascend.
std::vector<BatchPlaces> batches_used(const TrainingTurn& turn, const scenario::Training& training,
                                      std::span<const SampleIndex> mine) {
  if (training.algorithm() == scenario::Training::FED_SGD) {
    BatchPlaces all(mine.size());
    std::iota(all.begin(), all.end(), 0U);
    return {all};
  }
  const std::size_t batch =
      training.batch_size() == 0 ? mine.size() : std::min<std::size_t>(training.batch_size(), mine.size());
  std::vector<BatchPlaces> batches;
  for (std::uint32_t pass = 0; pass < training.local_epochs(); ++pass) {
    const std::vector<SampleIndex> order = order_of_pass(turn, pass, mine);
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i % batch == 0) batches.emplace_back();
      batches.back().push_back(static_cast<std::uint32_t>(std::ranges::find(mine, order[i]) - mine.begin()));
    }
  }
  return batches;
}

Member member_of(const scenario::InferenceAttack& config, const TrainingTurn& turn, const Federation& federation,
                 std::span<const SampleIndex> mine) {
  Member member{.client = turn.agent};
  if (config.knows_training()) member.samples = mine.size();
  const auto labels = federation.task().labels();
  if (config.knows_labels()) {
    for (const SampleIndex sample : mine) member.labels.push_back(labels[sample]);
  }
  if (config.knows_counts()) {
    member.counts.resize(static_cast<std::size_t>(federation.task().classes()));
    for (const SampleIndex sample : mine) ++member.counts[static_cast<std::size_t>(labels[sample])];
  }
  if (config.knows_order()) member.batches = batches_used(turn, federation.scenario().task().training(), mine);
  return member;
}

}  // namespace

std::vector<std::size_t> honest_rows(const ServerRound& round, const Population& population) {
  std::vector<std::size_t> rows;
  for (std::size_t k = 0; k < round.clients.size(); ++k) {
    if (population.group_of(round.clients[k]) < 0) rows.push_back(k);
  }
  return rows;
}

std::vector<std::size_t> drawn_victims(std::span<const std::size_t> rows, std::size_t count, std::uint64_t seed,
                                       RoundIndex round) {
  std::vector<std::uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0U);
  Stream(seed, streams::victims(round)).shuffle(order);
  order.resize(std::min(order.size(), count));
  std::ranges::sort(order);
  std::vector<std::size_t> drawn;
  for (const std::uint32_t i : order) drawn.push_back(rows[i]);
  return drawn;
}

std::vector<VictimCase> victim_cases(const scenario::InferenceAttack& config, const ServerRound& round,
                                     std::span<const std::size_t> victims, std::span<const std::size_t> honest,
                                     const Federation& federation) {
  std::vector<VictimCase> cases;
  for (const std::size_t victim : victims) {
    VictimCase& one = cases.emplace_back();
    one.place = victim;
    one.rows = rows_behind(config, victim, honest, round.clients.size());
    one.shares = shares_in_mean(config, one.rows.size());
    for (const std::size_t row : one.rows) {
      const TrainingTurn turn{federation.scenario().seed(), round.clients[row], round.round};
      const std::vector<SampleIndex> mine = federation.validators().training_samples(turn.agent);
      one.members.push_back(member_of(config, turn, federation, mine));
      one.members.back().share = 1.0 / static_cast<double>(one.rows.size());
      one.hidden.samples.insert(one.hidden.samples.end(), mine.begin(), mine.end());
      if (one.members.size() == 1) one.hidden.of_victim = mine.size();
    }
  }
  return cases;
}

}  // namespace souk
