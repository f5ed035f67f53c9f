#include "sim/stats/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

std::vector<double> comparable(std::span<const double> scores) {
  std::vector<double> keys(scores.begin(), scores.end());
  for (double& key : keys) {
    if (std::isnan(key)) key = -std::numeric_limits<double>::infinity();
  }
  return keys;
}

std::optional<double> share(double part, double whole) {
  return whole > 0.0 ? std::optional(part / whole) : std::nullopt;
}

}  // namespace

Ranking::Ranking(std::span<const double> scores, std::span<const std::uint8_t> truth)
    : order_(scores.size()), truth_(truth.begin(), truth.end()) {
  SOUK_EXPECT(scores.size() == truth.size());
  for (std::uint8_t& positive : truth_) positive = positive != 0;
  const std::vector<double> keys = comparable(scores);
  std::iota(order_.begin(), order_.end(), 0U);
  std::ranges::sort(order_,
                    [&](std::uint32_t a, std::uint32_t b) { return keys[a] != keys[b] ? keys[a] > keys[b] : a < b; });
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const bool last = i + 1 == order_.size() || keys[order_[i + 1]] != keys[order_[i]];
    if (last) ends_.push_back(static_cast<std::uint32_t>(i + 1));
  }
}

/// visit(above the threshold before, above this one) for each threshold, falling; returns what lies above the last one.
/// Counts in doubles: sums of whole numbers, exact in any order.
template <class Visit>
Ranking::Above Ranking::walk(Counts counts, Visit visit) const {
  SOUK_EXPECT(counts.empty() || counts.size() == size());
  Above above{0.0, 0.0};
  std::size_t at = 0;
  for (const std::uint32_t end : ends_) {
    const Above before = above;
    for (; at < end; ++at) {
      const std::uint32_t thing = order_[at];
      (truth_[thing] != 0 ? above.positives : above.negatives) += counts.empty() ? 1.0 : counts[thing];
    }
    visit(before, above);
  }
  return above;
}

std::optional<double> Ranking::area_under_roc(Counts counts) const {
  double won = 0.0;  // pairs
  const Above all = walk(counts, [&](const Above& before, const Above& here) {
    won += (here.negatives - before.negatives) * 0.5 * (before.positives + here.positives);
  });
  return share(won, all.positives * all.negatives);
}

std::optional<double> Ranking::average_precision(Counts counts) const {
  double sum = 0.0;  // of positives times precision
  const Above all = walk(counts, [&](const Above& before, const Above& here) {
    const double added = here.positives - before.positives;
    if (added > 0.0) sum += added * (here.positives / (here.positives + here.negatives));
  });
  return share(sum, all.positives);
}

std::optional<double> Ranking::true_positive_rate_at(double false_positive_rate, Counts counts) const {
  const Above all = walk(counts, [](const Above&, const Above&) {});
  if (all.positives == 0.0 || all.negatives == 0.0) return std::nullopt;
  double most = 0.0;
  walk(counts, [&](const Above&, const Above& here) {
    // A quotient of whole numbers is rounded as the rate was: 1 of 100 is not above 0.01.
    if (here.negatives / all.negatives <= false_positive_rate) most = here.positives;
  });
  return most / all.positives;
}

Retrieval Ranking::at(std::size_t k, Ties ties) const {
  const double taken = static_cast<double>(std::min(k, size()));
  double found = 0.0;
  const Above all = walk({}, [&](const Above& before, const Above& here) {
    const double first = before.positives + before.negatives;
    const double end = here.positives + here.negatives;
    if (ties == Ties::by_position || taken <= first) return;
    found += (here.positives - before.positives) * (std::min(taken, end) - first) / (end - first);
  });
  if (ties == Ties::by_position) {
    for (std::size_t i = 0; i < std::min(k, size()); ++i) found += truth_[order_[i]];
  }
  return {share(found, taken), share(found, all.positives), share(2.0 * found, taken + all.positives)};
}

/// Those of the points that come first at or beyond steps of equal length on the way from (0, 0) to (1, 1), and both
/// ends. `points` are followed by those of all thresholds. Empty without positives or without negatives.
std::vector<Ranking::Above> Ranking::thinned(std::vector<Above> points, std::size_t limit) const {
  SOUK_EXPECT(limit >= 2);
  const Above all = walk({}, [&](const Above&, const Above& here) { points.push_back(here); });
  if (all.positives == 0.0 || all.negatives == 0.0) return {};
  if (points.size() <= limit) return points;
  const auto steps = static_cast<double>(limit - 1);
  const auto step_of = [&](const Above& point) {
    return std::floor(0.5 * (point.positives / all.positives + point.negatives / all.negatives) * steps);
  };
  std::vector<Above> kept{points.front()};
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    if (step_of(points[i]) > step_of(kept.back()) && step_of(points[i]) < steps) kept.push_back(points[i]);
  }
  kept.push_back(points.back());
  return kept;
}

std::vector<CurvePoint> Ranking::roc_curve(std::size_t limit) const {
  const std::vector<Above> points = thinned({{0.0, 0.0}}, limit);
  std::vector<CurvePoint> curve;
  for (const Above& point : points) {
    curve.push_back({point.negatives / points.back().negatives, point.positives / points.back().positives});
  }
  return curve;
}

std::vector<CurvePoint> Ranking::precision_recall_curve(std::size_t limit) const {
  const std::vector<Above> points = thinned({}, limit);
  std::vector<CurvePoint> curve;
  for (const Above& point : points) {
    curve.push_back({point.positives / points.back().positives, point.positives / (point.positives + point.negatives)});
  }
  return curve;
}

std::optional<double> area_under_roc(std::span<const double> scores, std::span<const std::uint8_t> truth) {
  return Ranking(scores, truth).area_under_roc();
}

std::optional<double> average_precision(std::span<const double> scores, std::span<const std::uint8_t> truth) {
  return Ranking(scores, truth).average_precision();
}

std::optional<double> true_positive_rate_at(std::span<const double> scores, std::span<const std::uint8_t> truth,
                                            double false_positive_rate) {
  return Ranking(scores, truth).true_positive_rate_at(false_positive_rate);
}

Retrieval at_k(std::span<const double> scores, std::span<const std::uint8_t> truth, std::size_t k, Ties ties) {
  return Ranking(scores, truth).at(k, ties);
}

std::vector<CurvePoint> roc_curve(std::span<const double> scores, std::span<const std::uint8_t> truth,
                                  std::size_t limit) {
  return Ranking(scores, truth).roc_curve(limit);
}

std::vector<CurvePoint> precision_recall_curve(std::span<const double> scores, std::span<const std::uint8_t> truth,
                                               std::size_t limit) {
  return Ranking(scores, truth).precision_recall_curve(limit);
}

}  // namespace souk
