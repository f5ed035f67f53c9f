#include "agents/inference/ranking_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/stats/binomial_interval.hpp"
#include "sim/stats/bootstrap.hpp"
#include "sim/stats/ranking.hpp"

namespace souk {
namespace {

constexpr std::uint32_t resamples = 2000;

/// The greatest mean of the shares of positives and of others told right, over all thresholds, that beyond all scores
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

PooledScores pooled(std::span<const ScoredTruth> victims) {
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

}  // namespace

void record_ranking(const std::string& prefix, std::span<const ScoredTruth> victims, std::uint64_t seed,
                    RoundRecord& record) {
  if (victims.empty()) return;
  const PooledScores all = pooled(victims);
  const Ranking ranking(all.scores, all.truth);
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

void record_properties(const std::string& prefix, std::span<const ScoredTruth> victims, RoundRecord& record) {
  if (victims.empty()) return;
  double right = 0.0, have = 0.0;
  for (const ScoredTruth& victim : victims) {
    const bool has = victim.truth.front() != 0;
    right += (victim.scores.front() > 0.0) == has ? 1.0 : 0.0;
    have += has ? 1.0 : 0.0;
  }
  const auto count = static_cast<double>(victims.size());
  record.add(prefix + "accuracy", right / count);
  record.add(prefix + "share", have / count);
}

}  // namespace souk
