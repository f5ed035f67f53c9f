#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace souk {

/// Who of equal scores comes first where only some of them are taken.
enum class Ties : std::uint8_t {
  by_position,  ///< the one that stands first; favours positives where these stand before the others
  shared,       ///< nobody: what is expected of a random order
};

/// What it comes to to take some things for positive. Null where it is 0 of 0.
struct Retrieval {
  std::optional<double> precision;  ///< share of positives among those taken
  std::optional<double> recall;     ///< share of the positives that were taken
  std::optional<double> f1;         ///< harmonic mean of the two: 2 positives taken / (taken + positives)
};

struct CurvePoint {
  double x, y;
};

/// Things in the order of their scores, sorted once: the higher the score, the rather it is positive; equal scores in
/// the order of their positions. NaN counts as minus infinity. Thresholds are the distinct scores: all things of a
/// score are on one side. No number but Ties::by_position depends on the order of positions.
class Ranking {
 public:
  /// How often each thing counts, [n]; empty: once. What a bootstrap drew is counted so without sorting it.
  using Counts = std::span<const std::uint32_t>;

  /// scores [n]; truth [n]: 0 for negatives. n log n; all below takes n. Contract: as many of one as of the other.
  Ranking(std::span<const double> scores, std::span<const std::uint8_t> truth);

  std::size_t size() const { return order_.size(); }
  /// Positions, the highest score first.
  std::span<const std::uint32_t> order() const { return order_; }

  /// Share of the pairs of a positive and a negative in which the positive has the higher score, equal ones counted
  /// half (Mann and Whitney, 1947). Null without positives or without negatives.
  std::optional<double> area_under_roc(Counts counts = {}) const;
  /// Sum over thresholds, falling, of the recall that the threshold adds times the precision there, without
  /// interpolation (scikit-learn's average_precision_score). Null without positives.
  std::optional<double> average_precision(Counts counts = {}) const;
  /// The largest share of positives above a threshold above which lie at most this share of the negatives; 0 where even
  /// the first threshold takes more. Null without positives or without negatives.
  std::optional<double> true_positive_rate_at(double false_positive_rate, Counts counts = {}) const;
  /// The first k are taken for positive; all where there are fewer.
  Retrieval at(std::size_t k, Ties ties = Ties::by_position) const;
  /// From (0, 0) to (1, 1): x the share of negatives, y that of positives above each threshold. At most `limit` points,
  /// both ends among them, spread evenly over x + y. Empty without positives or without negatives. Contract: limit
  /// >= 2.
  std::vector<CurvePoint> roc_curve(std::size_t limit) const;
  /// x the recall, y the precision at each threshold, from the highest to the lowest score; thinned likewise. Empty
  /// without positives or without negatives. Contract: limit >= 2.
  std::vector<CurvePoint> precision_recall_curve(std::size_t limit) const;

 private:
  /// Of what lies above a threshold.
  struct Above {
    double positives, negatives;
  };
  template <class Visit>
  Above walk(Counts counts, Visit visit) const;
  std::vector<Above> thinned(std::vector<Above> points, std::size_t limit) const;

  std::vector<std::uint32_t> order_;  ///< positions, [n]
  std::vector<std::uint32_t> ends_;   ///< of the runs of equal scores in order_, [thresholds]
  std::vector<std::uint8_t> truth_;   ///< by position, 0 or 1
};

// Of scores that are asked one question.
std::optional<double> area_under_roc(std::span<const double> scores, std::span<const std::uint8_t> truth);
std::optional<double> average_precision(std::span<const double> scores, std::span<const std::uint8_t> truth);
std::optional<double> true_positive_rate_at(std::span<const double> scores, std::span<const std::uint8_t> truth,
                                            double false_positive_rate);
Retrieval at_k(std::span<const double> scores, std::span<const std::uint8_t> truth, std::size_t k,
               Ties ties = Ties::by_position);
std::vector<CurvePoint> roc_curve(std::span<const double> scores, std::span<const std::uint8_t> truth,
                                  std::size_t limit);
std::vector<CurvePoint> precision_recall_curve(std::span<const double> scores, std::span<const std::uint8_t> truth,
                                               std::size_t limit);

}  // namespace souk
