#include "agents/inference/asked_samples.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/stats/binomial_interval.hpp"
#include "sim/stats/bootstrap.hpp"
#include "sim/stats/ranking.hpp"

namespace souk {
namespace {

constexpr std::uint32_t resamples = 2000;

/// So many of them, in random order.
std::vector<SampleIndex> some_of(std::span<const SampleIndex> samples, std::size_t count, Stream& random) {
  std::vector<std::uint32_t> drawn(samples.begin(), samples.end());
  random.shuffle(drawn);
  drawn.resize(std::min(drawn.size(), count));
  return {drawn.begin(), drawn.end()};
}

void append(const Dataset& data, std::span<const SampleIndex> samples, std::uint8_t is_member, AskedSamples& asked) {
  const std::size_t before = asked.features.size();
  asked.features.resize(before + samples.size() * data.features());
  data.copy_features(samples, std::span(asked.features).subspan(before));
  for (const SampleIndex sample : samples) {
    asked.labels.push_back(data.labels()[sample]);
    asked.is_member.push_back(is_member);
  }
}

/// Members stand in front, which would tell them.
AskedSamples shuffled(const AskedSamples& asked, Stream& random) {
  const std::size_t n = asked.labels.size(), width = n == 0 ? 0 : asked.features.size() / n;
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  AskedSamples mixed;
  for (const std::uint32_t i : order) {
    const auto row = std::span(asked.features).subspan(i * width, width);
    mixed.features.insert(mixed.features.end(), row.begin(), row.end());
    mixed.labels.push_back(asked.labels[i]);
    mixed.is_member.push_back(asked.is_member[i]);
  }
  return mixed;
}

/// The greatest mean of the shares of members and of others told right, over all thresholds, that beyond all scores
/// among them.
double best_balanced_accuracy(const Ranking& ranking) {
  double best = 0.5;
  for (const CurvePoint& point : ranking.roc_curve(std::numeric_limits<std::size_t>::max())) {
    best = std::max(best, 0.5 * (point.y + 1.0 - point.x));
  }
  return best;
}

/// All victims' samples as one list, each victim a cluster.
struct PooledScores {
  std::vector<double> scores;
  std::vector<std::uint8_t> truth;
  std::vector<std::uint32_t> cluster;
};

PooledScores pooled(std::span<const MembershipScore> victims) {
  PooledScores all;
  for (std::size_t v = 0; v < victims.size(); ++v) {
    all.scores.insert(all.scores.end(), victims[v].scores.begin(), victims[v].scores.end());
    all.truth.insert(all.truth.end(), victims[v].truth.begin(), victims[v].truth.end());
    all.cluster.resize(all.scores.size(), static_cast<std::uint32_t>(v));
  }
  return all;
}

Interval interval_of_area(const PooledScores& all, const Ranking& ranking, std::uint32_t clusters, std::uint64_t seed) {
  Stream random(seed, streams::membership_intervals());
  std::vector<std::uint32_t> drawn(clusters), counts(all.cluster.size());
  return bootstrap_of_clusters(clusters, resamples, random, [&](std::span<const std::uint32_t> sample) {
    std::ranges::fill(drawn, 0U);
    for (const std::uint32_t cluster : sample) ++drawn[cluster];
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = drawn[all.cluster[i]];
    return ranking.area_under_roc(counts).value_or(std::numeric_limits<double>::quiet_NaN());
  });
}

/// The client that has most of what is counted; of equal ones the first.
std::size_t largest(std::span<const std::size_t> counts) {
  return static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin());
}

}  // namespace

AskedSamples asked_samples(const Federation& federation, AgentId victim, std::span<const SampleIndex> mine,
                           std::size_t count, bool with_others, RoundIndex round) {
  const Dataset& test = federation.test();
  Stream random(federation.scenario().seed(), streams::asked_samples(victim, round));
  AskedSamples asked;
  const std::vector<SampleIndex> members = some_of(mine, count == 0 ? mine.size() : count, random);
  append(federation.train(), members, 1, asked);
  if (with_others) {
    std::vector<SampleIndex> all(test.size());
    std::iota(all.begin(), all.end(), SampleIndex{0});
    append(test, some_of(all, members.size(), random), 0, asked);
  }
  return shuffled(asked, random);
}

SourceScore source_score(const ClaimedSources& claim, const AskedSamples& asked, std::span<const AgentId> clients,
                         AgentId victim, const Federation& federation) {
  SOUK_EXPECT(claim.sources.size() == asked.labels.size());
  const auto place = static_cast<std::size_t>(std::ranges::find(clients, victim) - clients.begin());
  const auto classes = static_cast<std::size_t>(federation.task().classes());
  std::vector<std::size_t> sizes;
  std::vector<std::vector<std::size_t>> of_class(classes, std::vector<std::size_t>(clients.size()));
  for (std::size_t k = 0; k < clients.size(); ++k) {
    const std::vector<SampleIndex> held = federation.validators().training_samples(clients[k]);
    sizes.push_back(held.size());
    for (const SampleIndex sample : held) {
      ++of_class[static_cast<std::size_t>(federation.train().labels()[sample])][k];
    }
  }
  std::size_t right = 0, by_class = 0;
  for (std::size_t i = 0; i < asked.labels.size(); ++i) {
    right += claim.sources[i] == place ? 1 : 0;
    by_class += largest(of_class[static_cast<std::size_t>(asked.labels[i])]) == place ? 1 : 0;
  }
  const auto all = static_cast<double>(asked.labels.size());
  return {.right = static_cast<double>(right) / all,
          .by_size = largest(sizes) == place ? 1.0 : 0.0,
          .by_class = static_cast<double>(by_class) / all};
}

void record_membership(const std::string& name, std::span<const MembershipScore> victims, std::uint64_t seed,
                       RoundRecord& record) {
  if (victims.empty()) return;
  const PooledScores all = pooled(victims);
  const Ranking ranking(all.scores, all.truth);
  const std::string prefix = "inference." + name + ".membership_";
  const auto add = [&](const char* metric, std::optional<double> value) {
    if (value && !std::isnan(*value)) record.add(prefix + metric, *value);
  };
  const auto others = static_cast<double>(std::ranges::count(all.truth, 0));
  add("auc", ranking.area_under_roc());
  const auto at_one_percent = ranking.true_positive_rate_at(0.01);
  if (others >= 1000.0) add("tpr_at_01", at_one_percent);
  if (others >= 10000.0) add("tpr_at_001", ranking.true_positive_rate_at(0.001));
  if (ranking.area_under_roc()) add("balanced_accuracy", best_balanced_accuracy(ranking));
  if (victims.size() < 2) {
    const std::size_t members = all.truth.size() - static_cast<std::size_t>(others);
    if (others < 1000.0 || !at_one_percent) return;
    const auto found = std::llround(*at_one_percent * static_cast<double>(members));
    const Interval limits = clopper_pearson(static_cast<std::uint64_t>(found), members, 0.95);
    add("tpr_at_01_low", limits.low);
    add("tpr_at_01_high", limits.high);
    return;
  }
  const Interval interval = interval_of_area(all, ranking, static_cast<std::uint32_t>(victims.size()), seed);
  add("auc_low", interval.low);
  add("auc_high", interval.high);
}

void record_sources(const std::string& name, std::span<const SourceScore> victims, RoundRecord& record) {
  if (victims.empty()) return;
  SourceScore sum;
  for (const SourceScore& victim : victims) {
    sum.right += victim.right;
    sum.by_size += victim.by_size;
    sum.by_class += victim.by_class;
  }
  const auto count = static_cast<double>(victims.size());
  const std::string prefix = "inference." + name + ".source_";
  record.add(prefix + "accuracy", sum.right / count);
  record.add(prefix + "by_size", sum.by_size / count);
  record.add(prefix + "by_class", sum.by_class / count);
}

}  // namespace souk
